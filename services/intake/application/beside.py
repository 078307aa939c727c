"""Commands on what stands beside cases: one stream each, begun by its first command."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from shared.events.base import Event
from shared.events.recorded import WrappedKey
from shared.policy.actor import Actor
from shared.policy.bodies import Body
from shared.policy.imports import Import
from shared.policy.jurisdiction import UnitTree
from shared.policy.policy import Policy
from shared.policy.refusal import Taken
from shared.policy.rules import refusal
from shared.runtime.command_handling import (
    Decided,
    Desk,
    Sent,
    Streams,
    concerned,
    deciding,
    first_refusal,
    happened_at,
    stale,
    under_import,
)
from shared.runtime.drafts import Placed
from shared.runtime.sealing import people_in


class Basis(NamedTuple):
    """What a decision beside cases is based on."""

    body: Body
    """With every id filled in."""
    actor: Actor
    tree: UnitTree
    policy: Policy
    streams: Streams


Decide = Callable[[Basis], Event]
TREE: Final = UUID(int=0)
"""The turn of whatever changes the tree of units: names and parents are judged by the tree as it stands."""


class BesideWork:
    """One event on one stream that isn't a case's: its first, or a further one where it is there already."""

    def __init__(
        self,
        desk: Desk,
        sent: Sent,
        stream_id: UUID,
        body: Body,
        decide: Decide,
        *,
        begins: str | None,
        keys: Sequence[WrappedKey] = (),
        turns: Sequence[UUID] = (),
    ) -> None:
        self._desk = desk
        self._sent = sent
        self._stream_id = stream_id
        self._body = body
        self._decide = decide
        self._keys = keys
        self.turns = turns
        self._begins = begins
        """The field that holds the new stream's id; None where the stream must be there."""

    @property
    def cases(self) -> Sequence[UUID]:
        return ()

    @property
    def new(self) -> Sequence[UUID]:
        return () if self._begins is None else (self._stream_id,)

    @property
    def others(self) -> Sequence[UUID]:
        return (self._stream_id,) if self._begins is None else ()

    def decide(self, streams: Streams, found: Import | None) -> Decided:
        sent, tree = self._sent, self._desk.trees.current
        imported = under_import(sent, found, tree)
        unit = getattr(self._body, "unit", sent.actor.unit)
        occurred_at, policy, late = happened_at(sent, self._body, unit, tree, imported=imported)
        stream = streams.events(self._stream_id)
        basis = Basis(self._body, sent.actor, tree, policy, streams)
        event, refused = deciding(lambda: self._decide(basis))
        if self._begins is not None and stream:
            refused = refusal(Taken, "id-taken", f"/{self._begins}")
        version = stream[-1].version if stream else 0
        if sent.if_match is not None and sent.if_match != version:
            raise stale(version, sent.if_match, stream)
        if event is None or refused or late:
            raise first_refusal(refused, late)
        return Decided(
            placed=[Placed(self._stream_id, version + 1, event)],
            occurred_at=occurred_at,
            correlation_id=self._stream_id,
            about=concerned(self._body, list(people_in(event))),
            policy=policy.id,
            keys=self._keys,
        )
