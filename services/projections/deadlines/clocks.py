"""The clocks of a case with the events that made them what they are."""

from typing import NamedTuple
from uuid import UUID

from shared.events.base import Event
from shared.events.case import Mark
from shared.events.cases import DeadlineApproaching
from shared.events.deadlines import Deadline
from shared.events.recorded import Recorded


class Clock(NamedTuple):
    """A clock, and why it is as it is."""

    clock_id: UUID
    """Of the event that started it."""
    deadline: Deadline
    started: Mark
    breached: Mark | None = None
    """The breach, unless it was voided while the clock went on."""
    warned: Mark | None = None
    """The last warning, unless the clock was moved on so that another is due."""
    ended: Mark | None = None


def clocks_after(
    clocks: tuple[Clock, ...], deadlines: tuple[Deadline, ...], recorded: Recorded, event: Event
) -> tuple[Clock, ...]:
    """The clocks once an event has made the deadlines of the case these; the same object if it changed none.

    Deadlines are only ever added and stay in order.
    """
    mark = Mark(recorded.topic, recorded.position, recorded.occurred_at, recorded.event_id)
    warned = event.started_version if isinstance(event, DeadlineApproaching) else None
    gone_on = [
        _gone_on(clock, deadline, mark, warned=deadline.version == warned)
        for clock, deadline in zip(clocks, deadlines, strict=False)
    ]
    begun = [Clock(recorded.event_id, deadline, mark) for deadline in deadlines[len(clocks) :]]
    if not begun and all(now is before for now, before in zip(gone_on, clocks, strict=True)):
        return clocks
    return (*gone_on, *begun)


def _gone_on(clock: Clock, deadline: Deadline, mark: Mark, *, warned: bool) -> Clock:
    before = clock.deadline
    if not warned and (deadline is before or deadline == before):
        return clock
    breached, warning, ended = clock.breached, clock.warned, clock.ended
    if deadline.state != before.state:
        if deadline.state == "BREACHED":
            breached = mark
        elif deadline.live:
            breached = None
    if warned:
        warning = mark
    elif deadline.warn_at is not None:
        warning = None
    if before.live and not deadline.live:
        ended = mark
    return clock._replace(deadline=deadline, breached=breached, warned=warning, ended=ended)
