"""What the rows of the published views ought to be, asked of the reads that people use."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from services.projections.figures import measures
from shared.events.recorded import Recorded
from shared.policy.jurisdiction import UnitTree, tree_of
from tests import naive
from tests.asking import Desk, reader

Json = Any
Views = dict[str, dict[str, Json]]
"""By view and key the rows."""

KNOWS_ALL: Final = reader("auditor-1", "auditor", None, "SAFETY_LEAD", "ACCUSATION")
"""Sees every case there is, and no private value in the clear."""
_PRIVATE: Final = {"key", "event", "field", "sealed"}


def bare(row: bytes) -> Json:
    """A published row as the reads tell it: a private value as sealed."""
    return _covered(msgspec.json.decode(row))


def _covered(value: Json) -> Json:
    if isinstance(value, dict):
        if value.keys() == _PRIVATE:
            return {"sealed": True}
        return {name: _covered(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_covered(item) for item in value]
    return value


async def expected(desk: Desk, events: Sequence[Recorded], position: int) -> Views:
    """Every row of every view as of a position, by its key; `events` are those of the ledger."""
    known = [event for event in events if event.position <= position]
    tree = tree_of(known)
    units = [unit.unit_id for unit in tree]
    at = {"at_position": position}
    views: Views = {
        "backlog_by_holder": await _backlog(desk, "holder", units, at),
        "backlog_by_origin": await _backlog(desk, "origin", units, at),
        "visit_coverage": {
            str(unit): {"unit_id": str(unit)} | msgspec.structs.asdict(own)
            for unit, own in naive.coverage(known, tree).items()
        },
        "urgent_board": _by_key(await _items(desk, "urgent", at), "case_id"),
        "deadline_board": _by_key(await _items(desk, "deadlines", at), "case_id", "timer", "version"),
        "service_ledger": _by_key(await _items(desk, "services", at), "service_id"),
        "case_timeline": {},
        "campaign_kpi": await _own_kpi(desk, tree, at),
    }
    for case_id in {event.stream_id for event in known if event.topic == "case.registered"}:
        lines = await desk.read(KNOWS_ALL, f"/v1/cases/{case_id}/timeline", limit=1_000, **at)
        views["case_timeline"] |= {f"{case_id}/{line['version']}": line for line in lines["items"]}
    return views


async def _backlog(desk: Desk, by: str, units: Iterable[UUID], at: Mapping[str, Any]) -> dict[str, Json]:
    own = {}
    for unit in units:
        answer = await desk.read(KNOWS_ALL, "/v1/backlog", by=by, unit=unit, **at)
        [row] = [row for row in answer["rows"] if row["unit_id"] == str(unit)]
        if row["open"]:
            own[str(unit)] = row
    return own


async def _items(desk: Desk, path: str, at: Mapping[str, Any]) -> list[Json]:
    answer = await desk.read(KNOWS_ALL, f"/v1/{path}", limit=1_000, **at)
    assert answer.get("next") is None
    items: list[Json] = answer["items"]
    return items


def _by_key(items: Iterable[Json], *names: str) -> dict[str, Json]:
    return {"/".join(str(item[name]) for name in names): item for item in items}


async def _own_kpi(desk: Desk, tree: UnitTree, at: Mapping[str, Any]) -> dict[str, Json]:
    """What is a unit's own is what it counts less what those beneath it count."""
    counted: dict[UUID, Json] = {}
    for unit in tree:
        kpi = await desk.read(KNOWS_ALL, "/v1/kpi", unit=unit.unit_id, **at)
        counted[unit.unit_id] = {**kpi["measures"], "on_time_rate": kpi["on_time_rate"]}
    rows = {}
    for unit_id, values in counted.items():
        beneath = [counted[child] for child in tree.children(unit_id)]
        for measure, value in values.items():
            own = value
            for child in beneath:
                own = _less(own, child[measure])
            if _numbers(own):
                rows[f"{unit_id}/{measure}"] = {"unit_id": str(unit_id), "measure": measure, "value": own}
    return rows


def _less(value: Json, other: Json) -> Json:
    """The value of a measure without another one, number by number."""
    if isinstance(value, int):
        return value - other
    if "numerator" in value:
        numerator, denominator = (value[name] - other[name] for name in ("numerator", "denominator"))
        percent = measures.percent(numerator, denominator)
        missing = value.get("unclassified", 0) - other.get("unclassified", 0)
        ratio = {"numerator": numerator, "denominator": denominator, "percent": percent}
        return ratio | ({"unclassified": missing} if missing else {})
    if "value" in value:
        known = value.get("at_least", value["value"]) - other.get("at_least", other["value"])
        missing = value.get("unclassified", 0) - other.get("unclassified", 0)
        return {"value": None, "at_least": known, "unclassified": missing} if missing else {"value": known}
    return {name: _less(value[name], other[name]) for name in value}


def _numbers(value: Json) -> bool:
    """Whether any number in it is other than 0."""
    if isinstance(value, dict):
        return any(map(_numbers, value.values()))
    return isinstance(value, int) and value != 0
