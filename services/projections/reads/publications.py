"""Publications: the figures that were given out, from the ledger itself."""

from typing import Any, Final, NamedTuple
from uuid import UUID

from services.projections.figures.measures import EXPLAINED
from services.projections.figures.queries import Period
from services.projections.reads.figure_reads import read_measure
from services.projections.reads.moments import Moment
from services.projections.reads.rollups import units_of
from services.projections.reads.selection import Selection
from services.projections.reads.sources import Sources
from services.projections.reads.suppression import SmallBelow
from shared.events.ledger.reader import fetch_publications, fetch_stream
from shared.events.publications import Figure, FigurePublished
from shared.events.recorded import Recorded
from shared.events.registry import event_of
from shared.runtime.problems import Problem

_AT_ONCE: Final = 500


class Published(NamedTuple):
    recorded: Recorded
    event: FigurePublished

    @property
    def figure(self) -> Figure:
        return self.event.figure

    def known_at(self, moment: Moment) -> bool:
        """Whether it had been recorded, and had happened, by the moment."""
        happened = moment.occurred is None or self.recorded.occurred_at <= moment.occurred
        return self.recorded.position <= moment.position and happened

    def told(self) -> dict[str, Any]:
        """All but the value."""
        figure = self.figure
        parameters = {
            "unit": figure.unit,
            "from": figure.from_on,
            "to": figure.to_on,
            "level": figure.level,
            "timer": figure.timer,
            "category": figure.category,
        }
        return {
            "publication_id": self.recorded.stream_id,
            "measure": figure.measure,
            "parameters": {name: value for name, value in parameters.items() if value is not None},
            "position": self.event.as_of_position,
            "published_at": self.recorded.occurred_at,
            "published_by": self.recorded.actor_ref,
        }


def selection_of(figure: Figure) -> Selection:
    period = Period(first=figure.from_on, last=figure.to_on)
    return Selection(unit=figure.unit, period=period, category=figure.category)


async def read_figure(
    sources: Sources, figure: Figure, moment: Moment, small_below: SmallBelow | None = None
) -> Any:
    """The value of a figure as of a moment: of the one part asked for, if any."""
    measure = EXPLAINED[figure.measure]
    value = await read_measure(sources, measure, selection_of(figure), moment, small_below)
    part = figure.level or figure.timer
    return value if part is None else value[part]


async def fetch_published(sources: Sources, publication_id: UUID) -> Published:
    """Raises: Problem 404 where there is no such publication."""
    async with sources.pool.connection() as connection:
        stream = await fetch_stream(connection, publication_id)
    found = _published(stream[0]) if stream else None
    if found is None:
        raise Problem("not-found")
    return found


async def list_published(
    sources: Sources, unit: UUID | None, moment: Moment, *, before: int | None, limit: int
) -> tuple[list[Published], int | None]:
    """A page of those whose unit is within `unit`, the latest first, and where the next one begins."""
    within = set(units_of(sources.trees.at(moment.position, moment.occurred), unit))
    found: list[Published] = []
    before = before or moment.position + 1
    async with sources.pool.connection() as connection:
        while len(found) <= limit and (events := await fetch_publications(connection, before, _AT_ONCE)):
            publications = [each for each in map(_published, events) if each is not None]
            found += [each for each in publications if each.known_at(moment) and each.figure.unit in within]
            before = events[-1].position
    page = found[:limit]
    return page, page[-1].recorded.position if len(found) > limit else None


def _published(recorded: Recorded) -> Published | None:
    event = event_of(recorded)
    return Published(recorded, event) if isinstance(event, FigurePublished) else None
