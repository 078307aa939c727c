"""The shapes of the statistics, explained and compared."""

from typing import Any, Literal
from uuid import UUID

from services.projections.api.answers.boards import UrgentCount
from services.projections.api.answers.parts import Answer, Count, Page, Part
from shared.events.vocabulary import Level, Timer


class Ratio(Part, frozen=True, kw_only=True):
    """`unclassified`: how many more the numerator may turn out to be; `suppressed` to a dashboard."""

    numerator: int | None = None
    denominator: int | None = None
    percent: str | None = None
    unclassified: int | None = None
    suppressed: bool = False


class Levels(Part, frozen=True, kw_only=True):
    GROUP: Ratio
    VILLAGE: Ratio
    TOWNSHIP: Ratio


class Measures(Part, frozen=True, kw_only=True):
    registered: Count
    backlog: Count
    disposition_rate: Ratio
    disposition_rate_net: Ratio
    urgent_registered: UrgentCount
    urgent_open: UrgentCount
    urgent_resolved: UrgentCount
    urgent_share_of_resolved: Ratio
    visits: Count
    visit_coverage: Ratio | None
    """None where only some cases are asked for."""
    containment_rate: Levels
    reopen_rate: Ratio
    mediation_success_rate: Ratio
    fulfilment_rate: Ratio
    response_rate: Ratio
    resolution_rate: Ratio
    satisfaction_rate: Ratio
    satisfaction_answered: Ratio


class OnTime(Part, frozen=True, kw_only=True):
    """Of the duties due in the period: those done in time, without and with extensions."""

    original: Ratio
    extended: Ratio


class KpiAnswer(Answer, frozen=True, kw_only=True):
    measures: Measures
    on_time_rate: dict[str, OnTime]
    """By timer."""


class Because(Part, frozen=True, kw_only=True):
    topic: str
    position: int


class ExplainedItem(Part, frozen=True, kw_only=True):
    """Something counted; only `sealed` and `position` where the caller may not know it."""

    subject_kind: str | None = None
    subject_id: UUID | None = None
    subject_ref: str | None = None
    unit_id: UUID | None = None
    level: Level | None = None
    timer: Timer | None = None
    because: list[Because] | None = None
    sealed: bool = False
    position: int | None = None


class ExplainAnswer(Page, frozen=True, kw_only=True):
    measure: str
    value: Any
    items: list[ExplainedItem] | None = None
    unclassified_items: list[ExplainedItem] | None = None
    numerator_items: list[ExplainedItem] | None = None
    denominator_items: list[ExplainedItem] | None = None


class ComparedItem(Part, frozen=True, kw_only=True):
    """Something counted otherwise at `b`; only `sealed` and `position` where the caller may not know it.

    CAME: counted at `b` alone. LEFT: at `a` alone. CHANGED: at both, under another unit or level or on
    another side of a ratio. What isn't a case has a `subject_kind` instead of a `case_id`.
    """

    case_id: UUID | None = None
    subject_kind: str | None = None
    subject_id: UUID | None = None
    subject_ref: str | None = None
    unit_id: UUID | None = None
    """On whose roster a household stands."""
    change: Literal["CAME", "LEFT", "CHANGED"] | None = None
    because: list[Because] | None = None
    """The events after `a` up to `b` that made the difference."""
    sealed: bool = False
    position: int | None = None


class CompareAnswer(Page, frozen=True, kw_only=True):
    """`a` and `b`: the values of the measure at the two positions, of which the answer is as of the later."""

    measure: str
    a: Any
    b: Any
    items: list[ComparedItem]
