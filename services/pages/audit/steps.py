"""The events of a case in words, and the moments between which its slider moves."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import urlencode

from services.pages.wording import Wording

Axis = Literal["known", "happened"]
"""`known`: as it was known then, event by event as they were recorded. `happened`: as it came about."""

LATE_AFTER: Final = timedelta(hours=1)
"""What is recorded later than this after it happened is shown as late."""
_A_MOMENT: Final = timedelta(microseconds=1)
_BY_RULE: Final = ("case.deadline_started", "case.deadline_shifted", "case.deadline_dated")
"""What follows from an act by itself, in the name of whoever did that."""
_WHY: Final = (
    "reason", "question", "answer", "demand", "text", "detail", "summary", "findings", "statement",
    "grounds", "opinion", "correction", "note",
)  # fmt: skip
"""Members of events that say why or what, in words of their author."""


class Told(NamedTuple):
    """One event as it stands in the timeline."""

    step: int
    position: int
    version: int
    what: str
    who: str
    role: str
    unit: str
    why: str
    happened: str
    recorded: str
    late: str
    """How much later it was recorded; empty where it wasn't."""
    by_system: bool


class Step(NamedTuple):
    """A moment of the slider, counted from 1."""

    number: int
    at: dict[str, str]
    """What a read of this moment asks for."""
    position: int
    """Of its last event."""
    said: str


class History(NamedTuple):
    """A case from its first event to now, along one of the axes."""

    axis: Axis
    events: list[Told]
    steps: list[Step]

    def chosen(self, at_position: int | None, at_occurred: datetime | None) -> Step:
        """The step of a moment: the last one that had come by then; the first where none had."""
        if self.axis == "happened" and at_occurred is not None:
            come = [step for step in self.steps if _instant(step) <= at_occurred]
        elif self.axis == "known" and at_position is not None:
            come = [step for step in self.steps if step.position <= at_position]
        else:
            come = self.steps
        return come[-1] if come else self.steps[0]

    def is_now(self, step: Step) -> bool:
        return step.number == len(self.steps)

    def until(self, step: Step) -> list[Told]:
        """The events that had come by then."""
        return [event for event in self.events if event.step <= step.number]

    def offered(self) -> list[tuple[str, str]]:
        """What the slider needs of every step: the query of its moment, and its words."""
        return [(self.pinned(step), step.said) for step in self.steps]

    def pinned(self, step: Step) -> str:
        """The query of its moment, whatever comes later."""
        return urlencode(step.at)

    def marks(self) -> dict[str, str]:
        """A stroke over the slider for each event, by kind, as paths of an SVG ten units high."""
        paths = {"by-people": "", "by-system": "", "late": ""}
        for event in self.events:
            kind, top = ("by-system", 6) if event.by_system else ("by-people", 1)
            paths[kind] += f"M{event.step - 1} 10V{top}"
            if event.late:
                paths["late"] += f"M{event.step - 1} 3V0"
        return paths

    def shown_at(self, step: Step) -> str:
        """The query by which the page shows a step; of the last one, the page as it is opened."""
        if self.is_now(step):
            return urlencode({"by": "happened"}) if self.axis == "happened" else ""
        return urlencode(step.at)


def history(items: Sequence[Mapping[str, Any]], axis: Axis, wording: Wording) -> History:
    """From the items of a timeline; there is at least one."""
    steps: list[Step] = []
    events: list[Told] = []
    for number, group in enumerate(_moments(items, axis), 1):
        told = [_told(item, number, wording) for item in group]
        events += told
        steps.append(_step(number, group[-1], axis, told[-1]))
    return History(axis, events, steps)


def before(at: Mapping[str, str]) -> dict[str, str]:
    """What a read of the moment just before asks for. Raises: ValueError."""
    if "at_occurred" in at:
        return {"at_occurred": (datetime.fromisoformat(at["at_occurred"]) - _A_MOMENT).isoformat()}
    return {"at_position": str(max(0, int(at["at_position"]) - 1))}


def _moments(items: Sequence[Mapping[str, Any]], axis: Axis) -> Iterator[list[Mapping[str, Any]]]:
    """The events that each step brings: one as it is recorded, all that happened at an instant."""
    if axis == "known":
        yield from ([item] for item in items)
        return
    in_order = sorted(items, key=lambda item: (_occurred(item), item["version"]))
    for _, group in groupby(in_order, key=_occurred):
        yield list(group)


def _step(number: int, item: Mapping[str, Any], axis: Axis, told: Told) -> Step:
    position = item["position"]
    if axis == "known":
        return Step(number, {"at_position": str(position)}, position, f"{told.what} · {told.recorded}")
    at = {"at_occurred": _occurred(item).isoformat()}
    return Step(number, at, position, f"{told.what} · {told.happened}")


def _told(item: Mapping[str, Any], step: int, wording: Wording) -> Told:
    role = item["actor_role"]
    by_system = role == "system" or item["topic"] in _BY_RULE
    said = [item["data"][name] for name in _WHY if item["data"].get(name) is not None]
    return Told(
        step=step,
        position=item["position"],
        version=item["version"],
        what=item["summary"],
        who=wording.say("audit_value.system") if role == "system" else item["actor_ref"],
        role="" if role == "system" else wording.code("role", role),
        unit="" if item["unit"] is None else wording.unit(item["unit"]),
        why=" · ".join(dict.fromkeys(wording.text(words) for words in said)),
        happened=wording.moment(item["occurred_at"]),
        recorded=wording.moment(item["recorded_at"]),
        late=_lateness(item, wording),
        by_system=by_system,
    )


def _lateness(item: Mapping[str, Any], wording: Wording) -> str:
    late = datetime.fromisoformat(item["recorded_at"]) - _occurred(item)
    if late < LATE_AFTER:
        return ""
    if late < timedelta(days=1):
        return wording.say("audit_value.late_hours", hours=late // timedelta(hours=1))
    return wording.say("audit_value.late_days", days=late.days)


def _occurred(item: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(item["occurred_at"])


def _instant(step: Step) -> datetime:
    return datetime.fromisoformat(step.at["at_occurred"])
