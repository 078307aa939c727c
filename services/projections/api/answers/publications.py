"""The shapes of figures as they were published."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.projections.api.answers.parts import Page, Part
from shared.events.vocabulary import Level, Timer


class PublishedParameters(Part, frozen=True, kw_only=True, rename={"first": "from", "last": "to"}):
    unit: UUID
    first: date | None = None
    last: date | None = None
    level: Level | None = None
    timer: Timer | None = None
    category: str | None = None


class LateEvent(Part, frozen=True, kw_only=True):
    """An event after the published position; only `sealed` and `position` where the caller may not know it.

    `case_id` is null where it isn't an event of a case: of a visit outside one, a roster, a unit.
    """

    case_id: UUID | None = None
    topic: str | None = None
    position: int
    sealed: bool = False


class PublishedFigure(Part, frozen=True, kw_only=True):
    """A figure as it was given out; `then` is its value as of `position`, in lists null to a dashboard."""

    publication_id: UUID
    measure: str
    parameters: PublishedParameters
    position: int
    then: Any
    published_at: datetime
    published_by: str


class PublicationsAnswer(Page, frozen=True, kw_only=True):
    items: list[PublishedFigure]


class PublishedAnswer(Page, frozen=True, kw_only=True):
    """A published figure beside what it is as of the answer.

    `then`: the value as it was published; with `at_occurred`, both values are of what was true on that
    instant. `late_events`: what happened to be recorded after the published position and makes the
    difference, by position; none to a dashboard, which sees no single case. Days that run out may
    make a difference without any event.
    """

    publication_id: UUID
    measure: str
    parameters: PublishedParameters
    position: int
    then: Any
    now: Any
    published_at: datetime
    published_by: str
    late_events: list[LateEvent]
