"""Extending a clock: which, by whom, by how much and until when the rules that it runs under allow it."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from shared.events.base import Private
from shared.events.case import Case
from shared.events.cases import DeadlineBreachVoided, DeadlineExtended
from shared.events.deadlines import Deadline
from shared.events.vocabulary import Timer
from shared.policy.clock_starts import calendar_of
from shared.policy.guards import latest_deadline
from shared.policy.jurisdiction import UnitTree
from shared.policy.policy import ExtensionRule, Span, SpanUnit
from shared.policy.rules import failed
from shared.policy.spans import extended_due, in_time, warned_at


class Extension(NamedTuple):
    """What somebody wants extended."""

    timer: Timer
    days: int
    reason: Private
    approved_by: str | None
    consenting: tuple[UUID, ...]
    actor_ref: str
    actor_unit: UUID | None
    complainant_informed: bool = True


def extended(
    case: Case, wanted: Extension, at: datetime, tree: UnitTree
) -> tuple[DeadlineExtended] | tuple[DeadlineExtended, DeadlineBreachVoided]:
    """The clock that runs, extended; in time but recorded after its breach, it is cleared of that.

    Raises: GuardFailed.
    """
    timer = wanted.timer
    deadline = latest_deadline(case, timer)
    if deadline is None or not deadline.live or deadline.due_at is None:
        raise failed("clock-not-running", "/timer")
    if not in_time(at, deadline.due_at):
        raise failed("extended-too-late", "/timer")
    rules = tree.rules(deadline.pack)
    rule = rules.extensions.get(timer)
    if rule is None:
        raise failed("not-extensible", "/timer")
    _check(case, deadline, wanted, rule)
    own = rules.length(timer, case.holder_level)
    longest = own if rule.at_most == "OWN_LENGTH" else rule.at_most
    calendar = calendar_of(rules)
    due = extended_due(deadline.due_at, Span(wanted.days, _in_days(own.unit)), calendar)
    limit = extended_due(deadline.due_at, longest, calendar)
    if due is None or limit is None:
        raise failed("calendar-unknown", "/days")
    if due > limit:
        raise failed("extension-too-long", "/days")
    event = DeadlineExtended(
        timer=timer,
        started_version=deadline.version,
        days=wanted.days,
        due_at=due,
        warn_at=warned_at(due, rules.timers[timer].approaching, calendar),
        calendar=calendar.id,
        reason=wanted.reason,
        approved_by=wanted.approved_by,
        consenting=wanted.consenting,
    )
    if deadline.state != "BREACHED":
        return (event,)
    return event, DeadlineBreachVoided(timer=timer, started_version=deadline.version)


def _in_days(unit: SpanUnit) -> SpanUnit:
    return "CALENDAR_DAYS" if unit == "MONTHS" else unit


def _check(case: Case, deadline: Deadline, wanted: Extension, rule: ExtensionRule) -> None:
    if rule.times is not None and deadline.extensions >= rule.times:
        raise failed("extended-before", "/timer")
    if not wanted.complainant_informed:
        raise failed("complainant-not-informed", "/complainant_informed")
    own_word = wanted.approved_by == wanted.actor_ref and wanted.actor_unit == case.holder_unit
    if rule.approved_by is not None and (
        wanted.approved_by is None or (rule.approved_by == "NEXT_LEVEL_OFFICER" and own_word)
    ):
        raise failed("extension-approval", "/approved_by")
    parties = case.mediation.parties if case.mediation is not None else ()
    if rule.consent == "EVERY_PARTY" and set(wanted.consenting) != set(parties):
        raise failed("extension-consent", "/consenting")
