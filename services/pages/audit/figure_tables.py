"""Figures in words, each with the way to what it counts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from services.pages.audit.tables import Cell, Table
from services.pages.wording import Wording

Explained = Callable[..., str]
"""From a measure, and the unit, level or timer asked for, to the page that explains it."""

ON_TIME: Final = {"original": "on_time_rate_original", "extended": "on_time_rate"}
"""The measures behind the two on-time rates of a clock."""


def value_in_words(value: Any, wording: Wording) -> str | int:
    """A count stays a number; what isn't known for sure says so, a ratio has both its numbers."""
    if value is None:
        return wording.say("audit_value.not_applicable")
    if isinstance(value, int):
        return value
    if "denominator" in value:
        return _ratio(value, wording)
    if value.get("value") is not None:
        return int(value["value"])
    return wording.say("audit_value.at_least", least=value["at_least"], unclassified=value["unclassified"])


def _ratio(value: Mapping[str, Any], wording: Wording) -> str:
    if value["percent"] is None:
        return wording.say("audit_value.not_applicable")
    said = f"{value['percent']}% ({value['numerator']}/{value['denominator']})"
    if not value.get("unclassified"):
        return said
    return wording.say("audit_value.ratio_at_least", ratio=said, unclassified=value["unclassified"])


def backlog_table(
    answer: Mapping[str, Any], unit: str | None, wording: Wording, explained: Explained
) -> Table:
    """A row for what is the unit's own, and one for each unit directly under it with all beneath."""
    columns = ("unit", "open", "urgent_open", "overdue_open", "oldest")
    rows = []
    for row in answer["rows"]:
        # What is a unit's own can't be asked for alone.
        href = None if row["unit_id"] == unit else explained("backlog", unit=row["unit_id"])
        oldest = row["oldest_opened_at"]
        rows.append([
            Cell(row["name"] or row["unit_id"]),
            Cell(row["open"], href),
            Cell(value_in_words(row["urgent_open"], wording)),
            Cell(row["overdue"]),
            Cell("" if oldest is None else wording.moment(oldest)),
        ])  # fmt: skip
    return Table("backlog", columns, rows)


def urgent_table(answer: Mapping[str, Any], wording: Wording, explained: Explained) -> Table:
    measures = {"registered": "urgent_registered", "open": "urgent_open", "resolved": "urgent_resolved"}
    rows = [
        [
            Cell(wording.say(f"audit_urgent.{name}")),
            Cell(
                value_in_words(answer[name], wording), explained(measures[name]) if name in measures else None
            ),
        ]
        for name in ("registered", "open", "resolved", "unconfirmed")
    ]
    return Table("urgent", ("figure", "value"), rows)


def kpi_table(answer: Mapping[str, Any], wording: Wording, explained: Explained) -> Table:
    rows = [
        [Cell(words), Cell(value_in_words(value, wording), explained(measure, **part))]
        for words, measure, part, value in _measures(answer, wording)
    ]
    return Table("kpi", ("figure", "value"), rows)


def _measures(answer: Mapping[str, Any], wording: Wording) -> Iterator[tuple[str, str, dict[str, str], Any]]:
    """Each figure: name, measure, part of it, value; clocks none of which is judged are left out."""
    for measure, value in answer["measures"].items():
        name = wording.say(f"audit_measure.{measure}")
        if measure != "containment_rate":
            yield name, measure, {}, value
            continue
        for level, ratio in value.items():
            yield f"{name} · {wording.code('level', level)}", measure, {"level": level}, ratio
    judged = {
        timer: rates for timer, rates in answer["on_time_rate"].items() if rates["extended"]["denominator"]
    }
    for timer, rates in judged.items():
        for due, measure in ON_TIME.items():
            name = wording.say(f"audit_measure.{measure}")
            yield f"{name} · {wording.code('timer', timer)}", measure, {"timer": timer}, rates[due]


def explained_table(name: str, items: Sequence[Mapping[str, Any]], wording: Wording) -> Table:
    """What a figure counts: each with the events that make it so, which lead to their case at that moment."""
    return Table(name, ("subject", "unit", "because"), [_explained(item, wording) for item in items])


def _explained(item: Mapping[str, Any], wording: Wording) -> list[Cell]:
    if item.get("sealed"):
        return [Cell(wording.say("audit_value.hidden", position=item["position"])), Cell(""), Cell("")]
    case_id = item["subject_id"] if item["subject_kind"] == "case" else None
    subject = item.get("subject_ref") or item["subject_id"]
    part = item.get("level") or item.get("timer")
    said = subject if part is None else f"{subject} · {part}"
    href = _case_page(case_id, item["because"])
    return [Cell(said, href), Cell(wording.unit(item["unit_id"])), _because(item, case_id, wording)]


def compared_table(items: Sequence[Mapping[str, Any]], wording: Wording) -> Table:
    """What is counted otherwise at the later moment."""
    return Table("compared", ("subject", "change", "because"), [_compared(item, wording) for item in items])


def _compared(item: Mapping[str, Any], wording: Wording) -> list[Cell]:
    if item.get("sealed"):
        return [Cell(wording.say("audit_value.hidden", position=item["position"])), Cell(""), Cell("")]
    case_id = item.get("case_id")
    subject = case_id or item.get("subject_ref") or item["subject_id"]
    change = wording.say(f"audit_change.{item['change']}")
    return [
        Cell(subject, _case_page(case_id, item["because"])),
        Cell(change),
        _because(item, case_id, wording),
    ]


def _case_page(case_id: str | None, because: Sequence[Mapping[str, Any]]) -> str | None:
    """The case as it stood with the last of the events."""
    if case_id is None:
        return None
    at = f"?at_position={because[-1]['position']}" if because else ""
    return f"/audit/cases/{case_id}{at}"


def _because(item: Mapping[str, Any], case_id: str | None, wording: Wording) -> Cell:
    """The events, each leading to the case as it stood with it."""
    events = [
        (
            wording.say(
                "audit_value.because",
                event=wording.code("topic", reason["topic"]),
                position=reason["position"],
            ),
            f"/audit/cases/{case_id}?at_position={reason['position']}",
        )
        for reason in item["because"]
    ]
    return Cell(wording.joined(words for words, _ in events), parts=events if case_id else ())
