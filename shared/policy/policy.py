"""The rules that a county may set otherwise, as one frozen value that `decide` is given.

The values come from a rule pack, see `shared.policy.packs`; what the pack says as to why stands beside them.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shared.events.vocabulary import (
    DocumentKind,
    Level,
    Procedure,
    Risk,
    SuspensionGround,
    Timer,
    WarningLevel,
)

Words = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"\S")]
Code = Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]
Share = Annotated[str, Meta(pattern=r"^[1-9][0-9]?/[1-9][0-9]?$")]
"""A fraction as people write it, such as 2/3."""

CategoryGroup = Literal["DISPUTE", "WORKS", "ESTATE", "VILLAGE_RULE", "PUBLIC_SAFETY", "SERVICE"]
Occasion = Literal["EVERY_CASE", "MEDIATION", "SUPERVISION"]
"""What starts a clock whatever the procedure."""
Approver = Literal["HANDLING_BODY_HEAD", "NEXT_LEVEL_OFFICER"]
Meeting = Literal[
    "VILLAGERS_ASSEMBLY", "DELEGATES_ASSEMBLY", "GROUP_MEETING", "RESIDENTS_MEETING",
    "VILLAGE_BALLOT", "NEIGHBOURHOOD_BALLOT",
]  # fmt: skip
Counted = Literal["ADULTS", "HOUSEHOLDS", "DELEGATES", "PRESENT", "VALID"]
"""What a share is of; PRESENT counts spoiled ballots, VALID doesn't."""
SeatedBody = Literal[
    "GROUP_COUNCIL", "VILLAGE_BOARD_STANDING", "VILLAGE_BOARD_INVITED", "MEDIATION_COMMITTEE",
    "SUPERVISORY_COMMITTEE", "WORKING_GROUP",
]  # fmt: skip


SpanUnit = Literal["CALENDAR_DAYS", "WORKING_DAYS", "MONTHS"]


class Span(msgspec.Struct, frozen=True):
    """So many days or months; one of 0, which no rule gives, ends with the day it starts on."""

    amount: Annotated[int, Meta(ge=1, le=366)]
    unit: SpanUnit


class Title(msgspec.Struct, frozen=True, kw_only=True):
    zh: Words
    en: Words


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """What every rule has: how it is called, and the law or decision behind it."""

    title: Title
    source: Words


class TimerRule(Ruling, frozen=True, kw_only=True):
    length: Span | Literal["LADDER"]
    """LADDER: that of the holder's level."""
    approaching: Span
    """How long before due a warning is given; one calendar day is the beginning of the last day."""


class TimersRule(Ruling, frozen=True, kw_only=True):
    """Which clocks a procedure or an occasion has."""

    timers: tuple[Timer, ...]


class ExtensionRule(Ruling, frozen=True, kw_only=True):
    at_most: Span | Literal["OWN_LENGTH"]
    """By how much each time."""
    times: Annotated[int, Meta(ge=1, le=100)] | None = None
    """How often; absent: as often as agreed."""
    approved_by: Approver | None = None
    consent: Literal["EVERY_PARTY"] | None = None


class SuspensionRule(Ruling, frozen=True, kw_only=True):
    shifts: tuple[Timer, ...]
    """The clocks that stand still while the case is suspended on this ground."""


class Threshold(msgspec.Struct, frozen=True, kw_only=True):
    of: Counted
    share: Share
    compare: Literal["AT_LEAST", "MORE_THAN"]


class QuorumRule(Ruling, frozen=True, kw_only=True):
    attendance: Annotated[tuple[Threshold, ...], Meta(min_length=1)]
    """Any one of them is enough."""
    approval: Threshold
    notice_days: Annotated[int, Meta(ge=0, le=366)] | None = None


class SeatsRule(Ruling, frozen=True, kw_only=True):
    at_most: Annotated[int, Meta(ge=1, le=1_000)]
    at_least: Annotated[int, Meta(ge=1, le=1_000)] | None = None
    beyond: Literal["WARN", "REFUSE"]
    """What happens outside these limits."""


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """What a case is about; `civil` ones may be mediated."""

    group: CategoryGroup
    civil: bool = False
    title: Title


class SafetyRule(Ruling, frozen=True, kw_only=True):
    """A case of these categories or with these risks concerns public safety and can't be withdrawn."""

    risks: tuple[Risk, ...]
    categories: tuple[Code, ...]


class CalendarYear(msgspec.Struct, frozen=True, kw_only=True):
    """The State Council's notice on the holidays of one year."""

    holidays: tuple[date, ...]
    workdays: tuple[date, ...]
    """Weekend days that are worked to make up."""
    source: Words


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    """`name@version+hash`, of the pack that it comes from; twelve hex digits of the hash."""
    timers: Mapping[Timer, TimerRule]
    ladder: Mapping[Level, Span]
    procedures: Mapping[Procedure, TimersRule]
    occasions: Mapping[Occasion, TimersRule]
    extensions: Mapping[Timer, ExtensionRule]
    suspensions: Mapping[SuspensionGround, SuspensionRule]
    return_limit: int
    """Escalations that may be returned in one cycle, so that no case is sent to and fro for ever."""
    late_days: int
    """How far back `occurred_at` may lie, without an import."""
    future_s: int
    """How far ahead of the clock `occurred_at` may be and still be taken as now."""
    contact_hours: int | None
    """Within how many hours of its start the complainant of a hotline order is to be contacted.

    None: the rules name no such limit, as those from before there was one.
    """
    follow_up_attempts: int
    """Attempts to reach the complainant in one cycle; so many in vain count as unreachable."""
    partial_counts: bool
    """Whether a case resolved PARTIAL counts as disposed of."""
    small_cell_min: int
    """Counts below this are suppressed for dashboards."""
    warning_scale: tuple[WarningLevel, ...]
    """From the gravest down."""
    categories: Mapping[str, Category]
    """By code, in the order in which forms offer them."""
    service_items: Mapping[str, Title]
    dossier: tuple[tuple[DocumentKind, ...], ...]
    """What a mediation's dossier needs: of each group, one document."""
    safety: SafetyRule
    quorums: Mapping[Meeting, QuorumRule]
    seats: Mapping[SeatedBody, SeatsRule]
    calendar_years: Mapping[int, CalendarYear]
    """Years that the library of holidays doesn't know yet."""

    @property
    def suspension_grounds(self) -> tuple[SuspensionGround, ...]:
        return tuple(self.suspensions)

    @property
    def safety_risks(self) -> frozenset[Risk]:
        return frozenset(self.safety.risks)

    @property
    def safety_categories(self) -> frozenset[str]:
        return frozenset(self.safety.categories)

    @property
    def approaching(self) -> Mapping[Timer, Span]:
        return {timer: rule.approaching for timer, rule in self.timers.items()}

    def __hash__(self) -> int:
        return hash(self.id)

    def category(self, code: str) -> Category | None:
        return self.categories.get(code)

    def runs(self, timer: Timer, procedure: Procedure) -> bool:
        """Whether cases of that procedure have that clock, by the procedure or by what befalls any case."""
        return any(timer in rule.timers for rule in (self.procedures[procedure], *self.occasions.values()))

    def length(self, timer: Timer, level: Level) -> Span:
        """How long a clock runs that starts while that level holds the case. Raises: KeyError."""
        length = self.timers[timer].length
        return self.ladder[level] if length == "LADDER" else length
