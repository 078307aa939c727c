"""The measures of the statistics: which facts each one counts, and to which day it belongs.

What the KPI read, `explain`, the backlog, the urgent board and the documentation say of a
figure all comes from this table. R, the registered total, leaves the procedures SERVICE and
SAFETY_LEAD out, and with it the rates over R; everything else counts every case.
"""

from datetime import date, timedelta
from fractions import Fraction
from typing import Final, Literal

import msgspec

from services.projections.figures.queries import ALWAYS, Period
from shared.events.vocabulary import STARTED_TIMERS
from shared.policy.clock_starts import RIGHTS

MeasureKind = Literal["COUNT", "URGENT", "RATIO", "LEVELS", "TIMERS", "COVERAGE"]
"""COUNT: an integer. URGENT: a count that isn't known while some cases are unclassified.
RATIO: numerator over denominator. LEVELS: a ratio for each level. TIMERS: one for each clock.
COVERAGE: visited over rostered households."""


OUTSIDE: Final = "_outside"
"""Ending of the facts of urgency of cases outside R."""


def everywhere(fact: str) -> tuple[str, str]:
    """A fact of urgency, in R and outside it."""
    return fact, fact + OUTSIDE


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    kind: MeasureKind
    facts: tuple[str, ...]
    """What is counted; of a ratio, its numerator."""
    over: tuple[str, ...] = ()
    """What the denominator of a ratio counts."""
    unclassified: tuple[str, ...] = ()
    """What would count too, if it were classified urgent."""
    live: bool = False
    """True: as of the answer, whatever the period asked for."""
    ripe: bool = False
    """True: its days may be still to come, and count only once they have run out."""
    formula: str

    def counted_in(self, period: Period, today: date) -> Period:
        """The days whose facts count on a day, of the period asked for."""
        if self.live:
            return ALWAYS
        if not self.ripe:
            return period
        yesterday = today - timedelta(days=1)
        return Period(first=period.first, last=min(period.last or yesterday, yesterday))


MEASURES: Final[dict[str, Measure]] = {
    measure.name: measure
    for measure in (
        Measure(
            name="registered",
            kind="COUNT",
            facts=("registered",),
            formula="R: cases registered in the period, without SERVICE and SAFETY_LEAD",
        ),
        Measure(
            name="backlog",
            kind="COUNT",
            facts=("open_by_origin",),
            live=True,
            formula="cases in an open state, by origin, as of the answer",
        ),
        Measure(
            name="disposition_rate",
            kind="RATIO",
            facts=("disposed",),
            over=("registered",),
            formula="R-cases whose current cycle is RESOLVED or CLOSED, a duplicate with its primary, ÷ R",
        ),
        Measure(
            name="disposition_rate_net",
            kind="RATIO",
            facts=("disposed_net",),
            over=("registered_net",),
            formula="the same without merged duplicates ÷ (R − rejected, merged, transferred out, withdrawn)",
        ),
        Measure(
            name="urgent_registered",
            kind="URGENT",
            facts=everywhere("urgent_registered"),
            unclassified=everywhere("urgent_unclassified"),
            formula="cases registered in the period, in R or not, whose latest classification is urgent",
        ),
        Measure(
            name="urgent_open",
            kind="URGENT",
            facts=everywhere("urgent_open"),
            unclassified=everywhere("unclassified_open"),
            formula="the same, in an open state",
        ),
        Measure(
            name="urgent_resolved",
            kind="URGENT",
            facts=everywhere("urgent_resolved"),
            unclassified=everywhere("unclassified_resolved"),
            formula="the same, RESOLVED or CLOSED",
        ),
        Measure(
            name="urgent_share_of_resolved",
            kind="RATIO",
            facts=("urgent_resolved",),
            over=("resolved",),
            unclassified=("unclassified_resolved",),
            formula="urgent R-cases RESOLVED or CLOSED ÷ R-cases RESOLVED or CLOSED",
        ),
        Measure(
            name="visits",
            kind="COUNT",
            facts=("visit",),
            formula="visits in the period, on a case or outside one, under the unit that made them",
        ),
        Measure(
            name="visit_coverage",
            kind="COVERAGE",
            facts=("visit",),
            over=("roster",),
            formula="rostered households visited in the period ÷ households of each unit's latest roster",
        ),
        Measure(
            name="containment_rate",
            kind="LEVELS",
            facts=("contained",),
            over=("reached",),
            formula="cases RESOLVED or CLOSED at a level ÷ cases that ever reached it",
        ),
        Measure(
            name="reopen_rate",
            kind="RATIO",
            facts=("reopening",),
            over=("resolution",),
            formula="cases reopened in the period ÷ cases resolved in the period",
        ),
        Measure(
            name="mediation_success_rate",
            kind="RATIO",
            facts=("agreed",),
            over=("agreed", "terminated"),
            formula="agreements in the period ÷ (agreements + mediations terminated after their start)",
        ),
        Measure(
            name="fulfilment_rate",
            kind="RATIO",
            facts=("agreement_fulfilled",),
            over=("agreement_due",),
            ripe=True,
            formula="agreements with every term fulfilled ÷ agreements whose last day fell into the "
            "period and is over by the moment asked for; one without due days is in neither",
        ),
        Measure(
            name="response_rate",
            kind="RATIO",
            facts=("hotline_contacted",),
            over=("hotline_order",),
            formula="hotline orders whose complainant was contacted, reached or not, within the limit ÷ "
            "hotline orders accepted or delegated in the period, each once, by its first clock with a limit",
        ),
        Measure(
            name="resolution_rate",
            kind="RATIO",
            facts=("told_solved",),
            over=("told_solved", "told_unsolved"),
            formula="follow-ups in the period whose complainant says it is solved ÷ those that reached them, "
            "without SAFETY_LEAD",
        ),
        Measure(
            name="satisfaction_rate",
            kind="RATIO",
            facts=("satisfied",),
            over=("satisfied", "unsatisfied"),
            formula="cycles whose latest answer is satisfied ÷ cycles with an answer, of those last followed "
            "up in the period, without SAFETY_LEAD",
        ),
        Measure(
            name="satisfaction_answered",
            kind="RATIO",
            facts=("satisfied", "unsatisfied"),
            over=("satisfied", "unsatisfied", "unanswered"),
            formula="cycles with an answer ÷ cycles with an attempt: what `satisfaction_rate` stands on",
        ),
    )
}
"""By name, in the order of the answer."""

_DUTY: Final = "clocks stopped, or with a recorded breach, of those due in the period without extensions"

ON_TIME: Final[dict[str, Measure]] = {
    due: Measure(name=name, kind="TIMERS", facts=(kept,), over=("duty",), formula=f"{formula} ÷ {_DUTY}")
    for due, name, kept, formula in (
        (
            "original",
            "on_time_rate_original",
            "duty_in_original_time",
            "clocks stopped at or before they were due without extensions",
        ),
        (
            "extended",
            "on_time_rate",
            "duty_in_time",
            "clocks stopped at or before they were due, those whose breach was voided too",
        ),
    )
}
"""By the due instant that they go by: without extensions, and with them.

Duties only: a right that lapses is no failure. What runs, or was cancelled without a breach, isn't
judged; what was breached stays so, however it ended.
"""
DUTIES: Final = tuple(timer for timer in STARTED_TIMERS if timer not in RIGHTS)
"""The clocks that are judged."""

EXPLAINED: Final[dict[str, Measure]] = MEASURES | {measure.name: measure for measure in ON_TIME.values()}
"""By name, all measures that can be explained."""

BOARD: Final = {
    "registered": (everywhere("urgent_registered"), everywhere("urgent_unclassified")),
    "open": (everywhere("urgent_open"), everywhere("unclassified_open")),
    "resolved": (everywhere("urgent_resolved"), everywhere("unclassified_resolved")),
    "unconfirmed": (everywhere("urgent_unconfirmed"), ()),
}
"""Figures of the urgent board: what each counts, and what may count but isn't classified."""


def percent(numerator: int, denominator: int) -> str | None:
    """The ratio in per cent with two decimals, half-up from the exact fraction; None over zero."""
    if denominator == 0:
        return None
    hundredths = Fraction(numerator * 10_000, denominator)
    rounded = (2 * hundredths.numerator + hundredths.denominator) // (2 * hundredths.denominator)
    return f"{rounded // 100}.{rounded % 100:02d}"
