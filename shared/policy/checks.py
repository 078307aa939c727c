"""Guards that look at what a body names; each raises `GuardFailed` with the pointer of the field."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from shared.events.case import Case
from shared.events.cases import OnBehalfOf
from shared.events.vocabulary import Timer
from shared.policy.command import Command
from shared.policy.guards import latest_deadline
from shared.policy.jurisdiction import Unit, UnitTree
from shared.policy.moments import day_of
from shared.policy.rules import failed
from shared.policy.spans import in_time


def standing_unit(tree: UnitTree, unit_id: UUID, field: str) -> Unit:
    """The unit, registered and not closed."""
    unit = tree.get(unit_id)
    if unit is None:
        raise failed("unit-unknown", field)
    if unit.closed:
        raise failed("unit-closed", field)
    return unit


def keep_from_accused(case: Case, unit_id: UUID, tree: UnitTree, field: str) -> None:
    """An accusation must not come to the accused's unit, nor to one beneath it."""
    if case.accused is not None and tree.within(unit_id, case.accused.unit_id):
        raise failed("accused-unit", field)


def on_case(case: Case, person_ref: UUID, field: str) -> None:
    if case.person(person_ref) is None:
        raise failed("person-unknown", field)


def among(parties: Collection[UUID], person_ref: UUID, field: str) -> None:
    if person_ref not in parties:
        raise failed("not-a-party", field)


def for_a_party(parties: Collection[UUID], on_behalf_of: OnBehalfOf | None) -> None:
    """Whom a party's act is recorded for must be a party."""
    if on_behalf_of is not None:
        among(parties, on_behalf_of.person_ref, "/on_behalf_of/person_ref")


def for_a_complainant(case: Case, on_behalf_of: OnBehalfOf | None) -> None:
    """Whom a complainant's act is recorded for must be a complainant."""
    if on_behalf_of is None:
        return
    person = case.person(on_behalf_of.person_ref)
    if person is None or person.role != "COMPLAINANT":
        raise failed("not-the-complainant", "/on_behalf_of/person_ref")


def not_after(day: date, command: Command, field: str) -> None:
    """A day on which something was delivered or decided is not after the act that records it."""
    if day > day_of(command.occurred_at):
        raise failed("date-ahead", field)


def check_window(case: Case, command: Command, timer: Timer) -> None:
    """Whether the act comes while the right to it lasts, where its clock was started."""
    deadline = latest_deadline(case, timer)
    if deadline is None or deadline.due_at is None:
        return
    if not in_time(command.occurred_at, deadline.due_at):
        raise failed("right-lapsed", "/occurred_at")


def unconflicted(case: Case, ref: str, field: str) -> None:
    """Who is to handle or mediate: not barred, not a person of the case, not accused, not its supervisor.

    Source: 信访工作条例 art. 28; whoever executes doesn't supervise.
    """
    if (
        ref in case.barred
        or (case.accused is not None and case.accused.actor_ref == ref)
        or any(person.actor_ref == ref and person.role != "WITNESS" for person in case.people)
        or any(author.ref == ref and author.role == "supervisor" for author in case.authors)
    ):
        raise failed("handler-conflict", field)


def file_digest(command: Command, file_id: UUID, field: str) -> str:
    """The digest of a file that exists."""
    try:
        return command.digests[file_id]
    except KeyError:
        raise failed("file-unknown", field) from None
