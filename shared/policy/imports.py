"""Imports: while one is open, commands under it within its unit may be of any past age."""

from collections.abc import Iterable
from uuid import UUID

import msgspec
from msgspec.structs import replace

from shared.events.imports import ImportClosed, ImportOpened
from shared.events.recorded import Recorded
from shared.events.registry import event_of
from shared.policy.actor import Actor
from shared.policy.jurisdiction import UnitTree
from shared.policy.refusal import Forbidden, Unknown
from shared.policy.rules import failed, refusal


class Import(msgspec.Struct, frozen=True, kw_only=True):
    import_id: UUID
    unit: UUID
    version: int
    closed: bool = False


def fold_import(stream: Iterable[Recorded]) -> Import | None:
    """The import that its events add up to; None without its opening."""
    found: Import | None = None
    for recorded in stream:
        event = event_of(recorded)
        if isinstance(event, ImportOpened):
            found = Import(import_id=recorded.stream_id, unit=event.unit, version=recorded.version)
        elif isinstance(event, ImportClosed) and found is not None:
            found = replace(found, closed=True, version=recorded.version)
    return found


def check_import(found: Import | None, actor: Actor, tree: UnitTree) -> None:
    """Whether the actor may send commands under an import: one within its unit, or the operator.

    Raises:
        Unknown: there is no such import.
        Forbidden: the actor's unit is not within the import's.
        GuardFailed: it is closed.
    """
    if found is None:
        raise refusal(Unknown, "unknown")
    if actor.role != "operator" and (actor.unit is None or not tree.within(actor.unit, found.unit)):
        raise refusal(Forbidden, "outside-import")
    if found.closed:
        raise failed("import-closed")
