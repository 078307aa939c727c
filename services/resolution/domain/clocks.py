"""What people do about clocks: extending one, objecting and taking over because of one, archiving without."""

from services.resolution.domain import commands
from shared.events.base import Private
from shared.events.case import Case
from shared.events.cases import (
    CaseArchived,
    CaseTakenOver,
    DeadlineBreachVoided,
    DeadlineExtended,
    JurisdictionObjected,
)
from shared.events.deadlines import Deadline
from shared.policy.checks import check_window
from shared.policy.clock_starts import calendar_of
from shared.policy.command import Command, Decision
from shared.policy.deciding import decision
from shared.policy.guards import latest_deadline
from shared.policy.policy import ExtensionRule, Policy, Span, SpanUnit
from shared.policy.relations import late_units
from shared.policy.rules import failed
from shared.policy.spans import extended_due, in_time, warned_at


def take_over_case(case: Case, command: Command, body: commands.TakeOverCase, policy: Policy) -> Decision:
    """The level next above whoever is late, or has a conflict, becomes the holder."""
    unit = command.tree.get(command.actor.unit)
    if unit is None or unit.unit_id not in late_units(case, command.tree):
        raise failed("nothing-to-take-over")
    taken = CaseTakenOver(unit=unit.unit_id, level=unit.level, reason=Private.of(body.reason))
    return decision(case, command, taken)


def object_jurisdiction(
    case: Case, command: Command, body: commands.ObjectJurisdiction, policy: Policy
) -> Decision:
    """A petition goes back to who delegated it. Source: 信访工作条例 art. 23."""
    check_window(case, command, "T3")
    unit = command.tree.get(case.delegated_from)
    if unit is None:
        raise failed("not-delegated")
    objected = JurisdictionObjected(to_unit=unit.unit_id, to_level=unit.level, reason=Private.of(body.reason))
    return decision(case, command, objected)


def archive_case(case: Case, command: Command, body: commands.ArchiveCase, policy: Policy) -> Decision:
    return decision(case, command, CaseArchived())


def extend_deadline(case: Case, command: Command, body: commands.ExtendDeadline, policy: Policy) -> Decision:
    deadline = latest_deadline(case, body.timer)
    if deadline is None or not deadline.live or deadline.due_at is None:
        raise failed("clock-not-running", "/timer")
    if not in_time(command.occurred_at, deadline.due_at):
        raise failed("extended-too-late", "/timer")
    rules = command.tree.rules(deadline.pack)
    rule = rules.extensions.get(body.timer)
    if rule is None:
        raise failed("not-extensible", "/timer")
    _check_extension(case, deadline, command, body, rule)
    own = rules.length(body.timer, case.holder_level)
    longest = own if rule.at_most == "OWN_LENGTH" else rule.at_most
    calendar = calendar_of(rules)
    due = extended_due(deadline.due_at, Span(body.days, _in_days(own.unit)), calendar)
    limit = extended_due(deadline.due_at, longest, calendar)
    if due is None or limit is None:
        raise failed("calendar-unknown", "/days")
    if due > limit:
        raise failed("extension-too-long", "/days")
    extended = DeadlineExtended(
        timer=body.timer,
        started_version=deadline.version,
        days=body.days,
        due_at=due,
        warn_at=warned_at(due, rules.timers[body.timer].approaching, calendar),
        calendar=calendar.id,
        reason=Private.of(body.reason),
        approved_by=body.approved_by,
        consenting=body.consenting,
    )
    if deadline.state != "BREACHED":
        return decision(case, command, extended)
    # It was extended in time and only recorded after the breach.
    cleared = DeadlineBreachVoided(timer=body.timer, started_version=deadline.version)
    return decision(case, command, extended, cleared)


def _in_days(unit: SpanUnit) -> SpanUnit:
    return "CALENDAR_DAYS" if unit == "MONTHS" else unit


def _check_extension(
    case: Case, deadline: Deadline, command: Command, body: commands.ExtendDeadline, rule: ExtensionRule
) -> None:
    if rule.times is not None and deadline.extensions >= rule.times:
        raise failed("extended-before", "/timer")
    if not body.complainant_informed:
        raise failed("complainant-not-informed", "/complainant_informed")
    own_word = body.approved_by == command.actor.ref and command.actor.unit == case.holder_unit
    if rule.approved_by is not None and (
        body.approved_by is None or (rule.approved_by == "NEXT_LEVEL_OFFICER" and own_word)
    ):
        raise failed("extension-approval", "/approved_by")
    parties = case.mediation.parties if case.mediation is not None else ()
    if rule.consent == "EVERY_PARTY" and set(body.consenting) != set(parties):
        raise failed("extension-consent", "/consenting")
