"""A case in the clear for those who oversee it: for a reason, which is on record before they see anything."""

import html
import io
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psycopg
import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from services.pages.timelines import EVENTS_A_READ
from services.projections.reads.audit import UNMASKINGS_MAX
from shared.runtime.postgres import EmbeddedPostgres
from tests.e2e.conftest import Anjie, Json, Person, Town
from tests.e2e.reading import command, read, serving_a_module, settled
from tests.e2e.sessions import signed_in
from tests.e2e.test_commands_batch import line, send

TITLE = "宅基地边界纠纷"
REASON = "王五来访，反映张三不履行协议"


@pytest.fixture(scope="module")
def running(
    postgres: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Anjie]:
    data_dir = tmp_path_factory.mktemp("unmasking")
    with serving_a_module(postgres, migrated_template, "unmasking", data_dir) as anjie:
        yield anjie


@pytest.fixture
def place(running: Anjie) -> Town:
    return settled(running)


def overseer(running: Anjie, place: Town, name: str, **more: Any) -> Person:
    """A supervisor of the village nobody else's test knows."""
    return running.person(f"{name}-{place.village}", "supervisor", place.village, **more)


def unmask(person: Person, case: Json, reason: Any = REASON, query: str = "") -> Any:
    return person.post(f"/v1/cases/{case['case_id']}:unmask{query}", {"reason": reason})


def register(person: Person, case: Json) -> list[Json]:
    items: list[Json] = read(person, "/v1/audit/reads", case_id=case["case_id"])["items"]
    return items


def test_what_was_masked_is_shown_for_a_reason_which_is_on_record(running: Anjie, place: Town) -> None:
    case = place.open_case()
    supervisor = overseer(running, place, "s")
    masked = read(supervisor, f"/v1/cases/{case['case_id']}")
    assert masked["title"] == {"sealed": True}
    answer = unmask(supervisor, case)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert told["case"]["title"] == TITLE
    assert [person["name"] for person in told["case"]["people"]] == ["张三", "李四"]
    assert told["items"][0]["data"]["title"] == TITLE
    assert not told["more"]
    open_to_all = {name for name in masked if name not in ("title", "description", "people", "as_of_instant")}
    assert {name: told["case"][name] for name in open_to_all - {"deadlines"}} == {
        name: masked[name] for name in open_to_all - {"deadlines"}
    }
    [_, entry] = register(supervisor, case)
    assert (entry["read"], entry["actor_ref"], entry["reason"]) == ("unmask", supervisor.ref, REASON)
    assert entry["as_of_position"] == told["as_of_position"]


def test_it_is_shown_as_it_stood_at_a_moment(running: Anjie, place: Town) -> None:
    case = place.open_case()
    accepted = command(place.leader, case, "accept-case")
    supervisor = overseer(running, place, "s")
    then = unmask(supervisor, case, query=f"?at_position={case['position']}").json()
    assert (then["case"]["state"], then["case"]["title"]) == ("REGISTERED", TITLE)
    assert {item["version"] for item in then["items"]} == set(range(1, case["version"] + 1))
    now = unmask(supervisor, case, query=f"?at_position={accepted['position']}").json()
    assert now["case"]["state"] == "ACCEPTED"
    assert [entry["as_of_position"] for entry in register(supervisor, case)] == [
        case["position"],
        accepted["position"],
    ]
    assert unmask(supervisor, case, query="?at_position=99999999").status_code == 422
    assert len(register(supervisor, case)) == 2


def test_the_reason_is_sealed_where_it_is_kept(running: Anjie, place: Town) -> None:
    case = place.open_case()
    supervisor = overseer(running, place, "s")
    assert unmask(supervisor, case).status_code == 200
    with psycopg.connect(running.database.url) as connection:
        [(stored, persons)] = connection.execute(
            "SELECT r.reason, k.persons FROM audit.reads r"
            " JOIN vault.keys k ON k.key_id = (convert_from(r.reason, 'UTF8')::jsonb ->> 'key')::uuid"
            " WHERE r.case_id = %s AND r.reason IS NOT NULL",
            (case["case_id"],),
        ).fetchall()
        assert REASON.encode() not in stored
        assert {str(ref) for ref in persons} == {person["person_ref"] for person in case["people"]}
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM vault.keys")


def test_reasons_are_read_by_those_who_may_unmask_and_that_is_on_record(running: Anjie, place: Town) -> None:
    case = place.open_case(procedure="SAFETY_LEAD", category="PUBLIC_SAFETY")
    cleared = overseer(running, place, "cleared", clearances=frozenset(("SAFETY_LEAD",)))
    plain = overseer(running, place, "plain")
    assert unmask(plain, case).status_code == 403
    assert unmask(cleared, case).status_code == 200
    assert [entry["reason"] for entry in register(plain, case)] == [{"sealed": True}]
    another = overseer(running, place, "another", clearances=frozenset(("SAFETY_LEAD",)))
    assert [entry["reason"] for entry in register(another, case)] == [REASON]
    assert [(entry["actor_ref"], entry["read"]) for entry in register(cleared, case)] == [
        (cleared.ref, "unmask"),
        (another.ref, "reasons"),
    ]


def test_for_nobody_else_is_anything_shown_or_recorded(running: Anjie, place: Town) -> None:
    case = place.open_case()
    accused = {"role": "group_leader", "unit_id": place.group, "actor_ref": place.leader.ref}
    accusation = place.resident.done(
        "/v1/cases", place.opening(procedure="ACCUSATION", category="VILLAGE_AFFAIRS", accused=accused)
    )
    for person, expected in (
        (place.leader, 403),
        (place.village_officer, 403),
        (place.township_officer, 403),
        (place.police, 403),
        (place.operator, 403),
        (place.dashboard, 403),
        (place.resident, 403),
        (running.person("sv", "supervisor", place.other_village), 403),
        (running.person("sv", "supervisor", place.group), 200),
        (running.person("pv", "privacy_officer", place.township), 200),
        (place.auditor, 200),
    ):
        assert unmask(person, case).status_code == expected, person.ref
    for person, expected in (
        (place.leader, 404),
        (place.auditor, 404),
        (place.supervisor, 403),
        (running.person("cl", "auditor", place.township, frozenset(("ACCUSATION",))), 200),
        (running.person(place.leader.ref, "auditor", place.township, frozenset(("ACCUSATION",))), 404),
    ):
        assert unmask(person, accusation).status_code == expected, person.ref
    assert len([entry for entry in register(place.auditor, case) if entry["read"] == "unmask"]) == 3


def test_whoever_declared_a_conflict_sees_no_more(running: Anjie, place: Town) -> None:
    case = place.open_case()
    supervisor = overseer(running, place, "s")
    supervisor.done(f"/v1/cases/{case['case_id']}/declare-conflict", {"reason": "亲属"})
    assert unmask(supervisor, case).status_code == 403


def test_a_reason_is_needed(running: Anjie, place: Town) -> None:
    case = place.open_case()
    supervisor = overseer(running, place, "s")
    for reason in ("", "  ", "理" * 1_001, None, 7):
        answer = unmask(supervisor, case, reason)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/reason")
    assert register(supervisor, case) == []


def test_nobody_reads_everything_that_way(running: Anjie, place: Town) -> None:
    """Many at once are counted one by one."""
    case = place.open_case()
    supervisor = overseer(running, place, "s")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: unmask(supervisor, case), range(UNMASKINGS_MAX + 5)))
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(200), statuses.count(429)) == (UNMASKINGS_MAX, 5)
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert 0 < int(refused.headers["retry-after"]) <= 3_600
    assert refused.json()["type"] == "/problems/unmasked-too-often"
    other = overseer(running, place, "other")
    assert unmask(other, case).status_code == 200


def test_a_page_needs_its_csrf_token(running: Anjie, place: Town) -> None:
    case = place.open_case()
    supervisor = overseer(running, place, "s")
    page = signed_in(running, supervisor, "supervisor", place.village)
    path = f"/v1/cases/{case['case_id']}:unmask"
    assert page.post(path, {"reason": REASON}).status_code == 403
    assert page.post(path, {"reason": REASON}, **page.csrf).status_code == 200


def visit(findings: str) -> Json:
    return {"visit_kind": "FOLLOW_UP", "findings": findings}


def as_export(person: Person, case: Json) -> Any:
    return person.post(
        f"/v1/cases/{case['case_id']}:unmask", {"reason": REASON}, headers={"Anjie-Purpose": "export"}
    )


def test_what_is_taken_along_is_on_record_as_that(running: Anjie, place: Town) -> None:
    case = place.open_case()
    supervisor = overseer(running, place, "s")
    assert as_export(supervisor, case).status_code == 200
    [entry] = register(supervisor, case)
    assert (entry["read"], entry["reason"]) == ("export/unmask", REASON)


def test_events_come_in_pages_as_of_one_position(running: Anjie, place: Town) -> None:
    case = place.open_case()
    for _ in range(3):
        last = command(place.leader, case, "record-visit", visit("再次走访"))
    supervisor = overseer(running, place, "s")
    path = f"/v1/cases/{case['case_id']}:unmask?at_position={last['position']}"
    whole = supervisor.post(path, {"reason": REASON}).json()
    pages: list[list[Json]] = []
    after = 0
    while True:
        page = supervisor.post(path, {"reason": REASON, "limit": 2, "after": after}).json()
        assert (page["before"], page["total"]) == (2 * len(pages), whole["total"])
        pages.append(page["items"])
        if not page["more"]:
            break
        after = page["items"][-1]["version"]
    assert [item for items in pages for item in items] == whole["items"]
    assert len(whole["items"]) == whole["total"]
    assert len(register(supervisor, case)) == 1 + len(pages)


class Asking:
    """A supervisor who has signed in asks for a case in the clear on its page."""

    def __init__(self, running: Anjie, place: Town, case: Json) -> None:
        self.person = overseer(running, place, "page")
        self._signed_in = signed_in(running, self.person, "supervisor", place.village)
        self.path = f"/audit/cases/{case['case_id']}/unmask"

    def ask(self, path: str, reason: str = REASON) -> httpx.Response:
        fields = {"reason": reason, "csrf": self._signed_in.session.csrf}
        headers = self._signed_in.credentials | {"Accept-Language": "en", "Accept": "text/html"}
        return self._signed_in.http.post(path, data=fields, headers=headers)


def test_the_page_says_which_events_of_many_it_shows_and_leads_to_the_rest(
    running: Anjie, place: Town
) -> None:
    case = place.open_case()
    lines = [
        line(f"/v1/cases/{case['case_id']}/record-visit", visit(f"note {n}")) for n in range(EVENTS_A_READ)
    ]
    assert {answer["status"] for answer in send(place.leader, lines)} == {200}
    asking = Asking(running, place, case)
    first = asking.ask(asking.path)
    total = read(asking.person, f"/v1/cases/{case['case_id']}")["version"]
    assert f"There are {total} events; these are 1 to {EVENTS_A_READ}." in first.text
    [following] = re.findall(rf'formaction="({asking.path}\?[^"]*)"', first.text)
    command(place.leader, case, "record-visit", visit("later than what was asked for"))
    rest = asking.ask(html.unescape(following))
    assert f"There are {total} events; these are {EVENTS_A_READ + 1} to {total}." in rest.text
    assert f"note {EVENTS_A_READ - 1}" in rest.text
    assert f"note {EVENTS_A_READ - 1}" not in first.text
    assert "later than what was asked for" not in rest.text
    assert re.findall(rf'formaction="({asking.path}\?[^"]*)"', rest.text) == []
    [file, *_] = re.findall(rf'formaction="({asking.path}/export/csv\?[^"]*)"', rest.text)
    taken = asking.ask(html.unescape(file)).text
    assert f"these are {EVENTS_A_READ + 1} to {total}." in taken
    assert "note 0" not in taken
    assert f"note {EVENTS_A_READ - 1}" in taken
    reads = [entry["read"] for entry in register(asking.person, case) if entry["reason"] is not None]
    assert reads == ["unmask", "unmask", "export/unmask"]


@pytest.mark.parametrize("form", ["csv", "xlsx", "pdf"])
def test_a_file_says_who_took_it_along_why_and_as_of_which_position(
    running: Anjie, place: Town, form: str
) -> None:
    case = place.open_case()
    asking = Asking(running, place, case)
    pinned = f"at_position={case['position']}"
    answer = asking.ask(f"{asking.path}/export/{form}?{pinned}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    told = words_of(form, answer.content)
    for said in (asking.person.ref, REASON, TITLE, "张三", f"position {case['position']}"):
        assert said in told, (said, told)
    [entry] = register(asking.person, case)
    assert (entry["read"], entry["as_of_position"]) == ("export/unmask", case["position"])


def words_of(form: str, content: bytes) -> str:
    """Without what breaks lines."""
    if form == "csv":
        return content.decode("utf-8-sig")
    if form == "pdf":
        pages = [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]
        assert all("position" in page for page in pages)
        return "".join(pages).replace("\n", "")
    sheets = load_workbook(io.BytesIO(content)).worksheets
    assert all("position" in (sheet.oddFooter.left.text or "") for sheet in sheets if sheet.oddFooter)
    return "\n".join(str(cell.value) for sheet in sheets for row in sheet.iter_rows() for cell in row)


def test_a_form_that_there_is_not_is_refused_before_anything_is_read(running: Anjie, place: Town) -> None:
    case = place.open_case()
    asking = Asking(running, place, case)
    page = signed_in(running, asking.person, "supervisor", place.village)
    assert asking.ask(f"{asking.path}/export/xyz").status_code == 404
    for path in (f"/audit/cases/{case['case_id']}/export/xyz", "/audit/export/xyz"):
        assert page.get(path).status_code == 404
    assert page.get("/audit/figures/explain/registered/export/xyz").status_code == 404
    assert page.get("/audit/figures/compare/export/xyz", a=1, b=2).status_code == 404
    assert register(place.auditor, case) == []
    assert asking.ask(f"{asking.path}/export/csv", " ").status_code == 422
    assert register(place.auditor, case) == []
