"""Publishing a figure: who may give it out, and what of it is kept."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from shared.events.publications import Figure, FigurePublished
from shared.events.vocabulary import Level, Timer
from shared.policy.actor import Actor
from shared.policy.bodies import Body, Code, Fault, ServerMade, Shape
from shared.policy.deciding import by_role, with_note
from shared.policy.jurisdiction import UnitTree
from shared.policy.refusal import Forbidden
from shared.policy.rules import failed, refusal
from shared.policy.sight import reads_unit


class FigureParameters(Shape, frozen=True, kw_only=True):
    """The parameters with which the statistics are asked; `unit` is by default the sender's."""

    unit: UUID | None = None
    first: date | None = msgspec.field(default=None, name="from")
    last: date | None = msgspec.field(default=None, name="to")
    level: Level | None = None
    timer: Timer | None = None
    category: Code | None = None

    def faults(self) -> Iterator[Fault]:
        if self.first is not None and self.last is not None and self.last < self.first:
            yield Fault("/to", "backwards")


class PublishFigure(Body, frozen=True, kw_only=True):
    publication_id: ServerMade = None
    measure: Code
    parameters: FigureParameters
    position: Annotated[int, Meta(ge=1, le=2**63 - 1)]
    """As of which the figure was read."""


def published_figure(body: PublishFigure, actor: Actor, tree: UnitTree) -> Figure:
    """The figure that an officer gives out, of a unit within their own.

    Raises:
        Forbidden, GuardFailed: not theirs, or no such unit.
    """
    by_role(actor, "village_officer", "township_officer")
    asked = body.parameters
    unit = asked.unit or actor.unit
    if unit is None or tree.get(unit) is None:
        raise failed("unit-unknown", "/parameters/unit")
    if not reads_unit(actor, unit, tree):
        raise refusal(Forbidden, "outside", "/parameters/unit")
    return Figure(
        measure=body.measure,
        unit=unit,
        from_on=asked.first,
        to_on=asked.last,
        level=asked.level,
        timer=asked.timer,
        category=asked.category,
    )


def publish_figure(body: PublishFigure, value: Any, actor: Actor, tree: UnitTree) -> FigurePublished:
    """The publication of a value that was read; None where there was no figure of theirs to read."""
    figure = published_figure(body, actor, tree)
    if value is None:
        raise failed("unit-unknown", "/parameters/unit")
    published = FigurePublished(figure=figure, as_of_position=body.position, value=value)
    return with_note(published, body)
