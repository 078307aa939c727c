"""A visit, and the case that it may open: one append to both streams."""

from collections.abc import Sequence
from uuid import UUID

from msgspec.structs import replace

from services.intake.domain.beside import RegisterVisit
from services.intake.domain.decide import decide
from services.intake.domain.records import record_visit
from shared.policy.bodies import with_ids
from shared.policy.imports import Import
from shared.policy.refusal import Refused, Taken
from shared.policy.rules import refusal
from shared.runtime.case_commands import CaseWork
from shared.runtime.command_handling import (
    Decided,
    Desk,
    Sent,
    Streams,
    concerned,
    deciding,
    first_refusal,
    happened_at,
    under_import,
)
from shared.runtime.drafts import Placed
from shared.runtime.identifiers import new_id
from shared.runtime.problems import Text, invalid
from shared.runtime.sealing import people_in

_WHEN = Text("is the visit's own or left out", "须与走访时间相同，或者不填")


class VisitWork:
    def __init__(self, desk: Desk, sent: Sent) -> None:
        assert isinstance(sent.body, RegisterVisit)
        self._desk = desk
        self._sent = sent
        self._body = with_ids(sent.body, new_id)
        self._opening: CaseWork | None = None
        opening = self._body.opens_case
        if opening is not None:
            if opening.occurred_at not in (None, self._body.occurred_at):
                raise invalid("/opens_case/occurred_at", "value", _WHEN)
            opening = replace(opening, occurred_at=self._body.occurred_at)
            self._opening = CaseWork(desk, sent, "open-case", None, opening, decide)

    @property
    def visit_id(self) -> UUID:
        assert self._body.visit_id is not None
        return self._body.visit_id

    @property
    def cases(self) -> Sequence[UUID]:
        return () if self._body.case_id is None else (self._body.case_id,)

    @property
    def turns(self) -> Sequence[UUID]:
        return ()

    @property
    def new(self) -> Sequence[UUID]:
        return (self.visit_id,) if self._opening is None else (self.visit_id, self._opening.case_id)

    @property
    def others(self) -> Sequence[UUID]:
        return ()

    def decide(self, streams: Streams, found: Import | None) -> Decided:
        sent, body, tree = self._sent, self._body, self._desk.trees.current
        imported = under_import(sent, found, tree)
        occurred_at, policy, late = happened_at(sent, body, body.unit, tree, imported=imported)
        seen = None if body.case_id is None else streams.case(body.case_id)
        case = None if seen is None else seen.case
        visited, unfit = deciding(lambda: record_visit(body, sent.actor, tree, case))
        if streams.events(self.visit_id):
            unfit = refusal(Taken, "id-taken", "/visit_id")
        if visited is None or unfit or late:
            raise first_refusal(unfit, late)
        placed = [Placed(self.visit_id, 1, visited)]
        on_case = [] if case is None else [person.person_ref for person in case.people]
        brought = list(people_in(visited))
        about = concerned(body, dict.fromkeys((*on_case, *brought)))
        correlation_id = body.case_id or self.visit_id
        if self._opening is not None:
            try:
                opened = self._opening.decide(streams, found)
            except Refused as refused:
                # Told of the field where it stands in the visit's body.
                refused.field = refused.field and f"/opens_case{refused.field}"
                raise
            placed += opened.placed
            about += [person_ref for person_ref in opened.about if person_ref not in about]
            correlation_id = self._opening.case_id
        return Decided(
            placed=placed,
            occurred_at=occurred_at,
            correlation_id=correlation_id,
            about=about,
            policy=policy.id,
            known_persons=[person_ref for person_ref in brought if person_ref in on_case],
        )
