"""A case at a moment as tables, for those who take it along."""

from collections.abc import Iterable, Sequence

from services.pages.audit.case_fields import Change, Described
from services.pages.audit.steps import Told
from services.pages.audit.tables import Cell, Table
from services.pages.wording import Wording


def state_table(state: Iterable[Described], wording: Wording) -> Table:
    rows = [[_field(fact.field, wording), _lines(tuple(fact.lines.values()), wording)] for fact in state]
    return Table("state", ("fact", "value"), rows)


def changed_table(changed: Iterable[Change], wording: Wording) -> Table:
    rows = [
        [_field(change.field, wording), _lines(change.before, wording), _lines(change.after, wording)]
        for change in changed
    ]
    return Table("changed", ("fact", "before", "after"), rows)


def timeline_table(events: Iterable[Told], wording: Wording) -> Table:
    columns = ("position", "event", "who", "role", "unit", "why", "happened", "recorded", "late", "by_system")
    rows = [
        [
            Cell(event.position),
            Cell(event.what),
            Cell(event.who),
            Cell(event.role),
            Cell(event.unit),
            Cell(event.why),
            Cell(event.happened),
            Cell(event.recorded),
            Cell(event.late),
            Cell(wording.say("audit.by_system") if event.by_system else ""),
        ]
        for event in events
    ]
    return Table("timeline", columns, rows)


def _field(field: str, wording: Wording) -> Cell:
    return Cell(wording.say(f"audit_field.{field}"))


def _lines(lines: Sequence[str], wording: Wording) -> Cell:
    return Cell("\n".join(lines) or wording.say("audit_value.nothing"))
