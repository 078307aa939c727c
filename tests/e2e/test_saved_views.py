"""Saved views: everybody has their own, and each is a question that the list of cases answers."""

from services.projections.api.queries import CasesQuery
from shared.runtime.saved_views import VIEWS_MAX, CaseFilters
from tests.e2e.conftest import Anjie, Json, Person, Town

LATE = {"state": ["IN_PROGRESS", "SUSPENDED"], "overdue": True, "opened_from": "2026-01-01"}


def views(person: Person) -> list[Json]:
    items: list[Json] = person.get("/v1/me/views").json()["items"]
    return items


def save(person: Person, name: str, filters: Json) -> Json:
    return person.done("/v1/me/views", {"name": name, "filters": filters})


def forget(person: Person, view: Json) -> int:
    path = f"/v1/me/views/{view['view_id']}"
    return person.http.delete(path, headers=person.credentials).status_code


def test_a_view_is_kept_changed_and_forgotten_by_whose_it_is(town: Town) -> None:
    officer, other = town.village_officer, town.township_officer
    late = save(officer, "逾期的", LATE)
    mine = save(officer, "我办的", {"handler": officer.ref, "assigned": True})
    assert late["filters"] == LATE
    assert {view["name"] for view in views(officer)} == {"逾期的", "我办的"}
    assert views(other) == []
    changed = save(officer, "逾期的", {"overdue": True})
    assert changed == late | {"filters": {"overdue": True}}
    assert forget(other, mine) == 404
    assert forget(officer, mine) == 200
    assert forget(officer, mine) == 404
    assert views(officer) == [changed]


def test_a_view_holds_filters_of_the_list_and_nothing_else(anjie: Anjie, town: Town) -> None:
    assert set(CaseFilters.__struct_fields__) <= set(CasesQuery.__struct_fields__)
    for filters, pointer in (
        ({"q": "张三"}, "/filters/q"),
        ({"state": ["GONE"]}, "/filters/state/0"),
        ({"opened_to": "yesterday"}, "/filters/opened_to"),
    ):
        answer = town.leader.post("/v1/me/views", {"name": "不行", "filters": filters})
        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    for name in ("", "长" * 41):
        assert town.leader.post("/v1/me/views", {"name": name, "filters": {}}).status_code == 422
    for n in range(VIEWS_MAX):
        save(town.leader, f"第{n}个", {})
    assert town.leader.post("/v1/me/views", {"name": "再一个", "filters": {}}).status_code == 422
    save(town.leader, "第0个", {"urgent": True})
