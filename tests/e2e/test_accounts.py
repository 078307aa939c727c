"""Officers look after who may sign in, within their unit and beneath it, and nobody above themselves."""

from collections.abc import Iterator
from itertools import count
from typing import Any, get_args

import httpx
import psycopg
import pytest

from shared.events.vocabulary import Role
from shared.runtime.attempts import FREE_FOR_LOGIN
from shared.runtime.postgres import EmbeddedPostgres
from shared.runtime.sessions import csrf_token
from tests.e2e.conftest import Anjie, Json, Person, Town
from tests.e2e.reading import read, serving_a_module, settled

_logins = count(1)


@pytest.fixture(scope="module")
def running(
    postgres: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Anjie]:
    data_dir = tmp_path_factory.mktemp("accounts")
    with serving_a_module(postgres, migrated_template, "accounts", data_dir) as anjie:
        yield anjie


@pytest.fixture(scope="module")
def place(running: Anjie) -> Town:
    return settled(running)


def add(person: Person, role: str, unit: str | None, **more: Any) -> httpx.Response:
    body = {"login": f"somebody {next(_logins)}", "role": role} | ({"unit": unit} if unit else {}) | more
    return person.post("/v1/accounts", body)


def added(person: Person, role: str, unit: str | None, **more: Any) -> Json:
    answer = add(person, role, unit, **more)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    told: Json = answer.json()
    return told


def sign_in(running: Anjie, login: str, password: str) -> httpx.Client | None:
    """A browser of somebody who signed in, or None where they could not."""
    browser = httpx.Client(base_url=running.base_url)
    answer = browser.post("/sign-in", data={"login": login, "password": password})
    if answer.status_code != 303:
        browser.close()
        return None
    return browser


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


def test_somebody_is_let_in_with_a_password_that_is_told_once(running: Anjie, place: Town) -> None:
    told = added(place.village_officer, "mediator", place.village, login="王敏 1")
    browser = sign_in(running, "王敏 1", told["password"])
    assert browser is not None
    me = browser.get("/v1/me").json()
    browser.close()
    assert (me["role"], me["unit"], me["sub"]) == ("mediator", place.village, told["actor_ref"])
    assert told["actor_ref"].startswith("王敏 1-")
    path = f"/v1/accounts/{told['account_id']}"
    account = read(place.village_officer, path)
    assert "password" not in account
    assert account["last_signed_in_at"] >= account["created_at"]
    [change] = account["changes"]
    assert (change["change"], change["by_ref"], change["by_unit"]) == ("ADDED", "village-1", place.village)


def test_a_new_password_or_an_end_signs_out(running: Anjie, place: Town) -> None:
    told = added(place.village_officer, "grid_worker", place.village)
    path = f"/v1/accounts/{told['account_id']}"
    browser = sign_in(running, told["login"], told["password"])
    assert browser is not None
    assert browser.get("/v1/me").status_code == 200
    refused = place.village_officer.post(f"{path}/reset-password", {})
    assert refused.status_code == 403, "with it they could act as who has signed in"
    again = place.operator.done(f"{path}/reset-password")
    assert browser.get("/v1/me").status_code == 401
    assert sign_in(running, told["login"], told["password"]) is None
    with psycopg.connect(running.database.url) as connection:
        assert not connection.execute(
            "SELECT FROM runtime.sessions WHERE account_id = %s", (told["account_id"],)
        ).fetchall()
    other = sign_in(running, told["login"], again["password"])
    assert other is not None
    assert other.get("/v1/me").status_code == 200
    disabled = place.township_officer.done(f"{path}/disable")
    assert other.get("/v1/me").status_code == 401
    assert disabled["disabled_at"] is not None
    assert sign_in(running, told["login"], again["password"]) is None
    place.village_officer.done(f"{path}/enable")
    third = sign_in(running, told["login"], again["password"])
    assert third is not None
    for each in (browser, other, third):
        each.close()
    changes = read(place.operator, path)["changes"]
    assert [(each["change"], each["by_ref"]) for each in changes] == [
        ("ENABLED", "village-1"),
        ("DISABLED", "township-1"),
        ("PASSWORD", place.operator.ref),
        ("ADDED", "village-1"),
    ]


def test_what_somebody_is_can_be_changed(running: Anjie, place: Town) -> None:
    told = added(place.township_officer, "mediator", place.village)
    path = f"/v1/accounts/{told['account_id']}/change"
    changed = place.township_officer.done(path, {"role": "group_leader", "unit": place.other_group})
    assert (changed["role"], changed["unit"], changed["actor_ref"]) == (
        "group_leader", place.other_group, told["actor_ref"],
    )  # fmt: skip
    assert place.village_officer.post(path, {"role": "mediator", "unit": place.village}).status_code == 404
    upward = {"role": "supervisor", "unit": place.village}
    assert place.township_officer.post(path, upward).status_code == 403


@pytest.mark.parametrize("role", get_args(Role))
def test_only_officers_and_operators_look_after_accounts(running: Anjie, place: Town, role: Role) -> None:
    """Officers let in whom the rules say, anybody else nobody; the rules have a test of their own."""
    for unit in (place.township, place.village, place.group):
        person = running.person(f"{role} of {unit}", role, unit)
        officer = (role, unit) in (("village_officer", place.village), ("township_officer", place.township))
        may = officer or role == "operator"
        assert person.get("/v1/accounts").status_code == (200 if may else 403)
        assert add(person, "mediator", unit).status_code == (201 if may else 403)
        assert add(person, "supervisor", unit).status_code == (201 if role == "operator" else 403)


def test_nobody_is_let_in_above_or_beside_who_lets_them_in(running: Anjie, place: Town) -> None:
    for person, role, unit, more, expected in (
        (place.village_officer, "mediator", place.group, {}, 201),
        (place.village_officer, "village_officer", place.village, {}, 201),
        (place.village_officer, "mediator", place.other_village, {}, 403),
        (place.village_officer, "mediator", place.township, {}, 403),
        (place.village_officer, "township_officer", place.township, {}, 403),
        (place.village_officer, "mediator", place.village, {"clearances": ["ACCUSATION"]}, 403),
        (place.village_officer, "auditor", None, {}, 403),
        (place.village_officer, "operator", None, {}, 403),
        (place.village_officer, "mediator", place.village, {"actor_ref": "leader-37"}, 422),
        (place.village_officer, "township_officer", place.village, {}, 422),
        (place.village_officer, "mediator", None, {}, 422),
        (place.village_officer, "mediator", "00000000-0000-7000-8000-000000000000", {}, 422),
        (place.township_officer, "village_officer", place.village, {}, 201),
        (place.operator, "auditor", None, {"clearances": ["ACCUSATION"]}, 201),
        (place.operator, "mediator", place.village, {"actor_ref": "leader-37"}, 201),
    ):
        answer = add(person, role, unit, **more)
        assert answer.status_code == expected, (person.ref, role, unit, more, answer.text)


def test_who_oversees_is_seen_and_not_to_be_changed(running: Anjie, place: Town) -> None:
    supervisor = added(place.operator, "supervisor", place.village)
    above = added(place.operator, "township_officer", place.township)
    own = added(place.operator, "village_officer", place.village, actor_ref="village-1")
    for account, expected in ((supervisor, 403), (own, 403), (above, 404)):
        path = f"/v1/accounts/{account['account_id']}"
        seen = place.village_officer.get(path)
        assert seen.status_code == (404 if expected == 404 else 200)
        if expected == 403:
            assert seen.json()["may_change"] is False
        for act in ("disable", "enable", "reset-password"):
            assert place.village_officer.post(f"{path}/{act}").status_code == expected
        body = {"role": "mediator", "unit": place.village}
        assert place.village_officer.post(f"{path}/change", body).status_code == expected


def test_people_are_found_page_by_page(running: Anjie) -> None:
    place = settled(running)
    logins = [f"Zhao {number}" for number in range(5)]
    told = [
        added(place.village_officer, "mediator", place.village, login=f"{login} {place.village}")
        for login in logins
    ]
    place.village_officer.done(f"/v1/accounts/{told[0]['account_id']}/disable")
    elsewhere = added(place.township_officer, "mediator", place.other_village)
    found, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = read(place.village_officer, "/v1/accounts", **query)
        found += [item["account_id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == [account["account_id"] for account in told]
    for asked, expected in (
        ({"disabled": True}, told[:1]),
        ({"role": "group_leader"}, []),
        ({"unit": place.group}, []),
        ({"q": "zhao 3"}, told[3:4]),
    ):
        sought = place.village_officer.post("/v1/accounts:search", asked).json()["items"]
        assert [item["account_id"] for item in sought] == [each["account_id"] for each in expected], asked
        if "q" not in asked:
            assert read(place.village_officer, "/v1/accounts", **asked)["items"] == sought
    assert place.village_officer.get("/v1/accounts", unit=place.other_village).status_code == 403
    counted = {
        item["unit_id"]: item for item in read(place.township_officer, "/v1/accounts/by-unit")["items"]
    }
    assert counted[place.village] == {"unit_id": place.village, "active": 4, "disabled": 1}
    assert counted[place.other_village]["active"] == 1
    own = read(place.village_officer, "/v1/accounts/by-unit")["items"]
    assert [item["unit_id"] for item in own] == [place.village]
    assert elsewhere["login"] not in str(own)


def own_password(browser: httpx.Client, password: str, new: str, csrf: bool = True) -> httpx.Response:
    headers = {"X-CSRF-Token": csrf_token(browser.cookies["anjie_session"])} if csrf else {}
    return browser.post("/v1/me/password", json={"password": password, "new_password": new}, headers=headers)


def test_everybody_changes_their_own_password_with_the_present_one(running: Anjie, place: Town) -> None:
    told = added(place.village_officer, "mediator", place.village)
    mine, elsewhere = (sign_in(running, told["login"], told["password"]) for _ in range(2))
    assert mine is not None
    assert elsewhere is not None
    new = "a phrase nobody guesses"
    assert own_password(mine, told["password"], new, csrf=False).status_code == 403
    given = told["password"]
    for password, chosen, pointer in (
        (new, new, "/password"),
        (given, "short", "/new_password"),
        (given, given, "/new_password"),
    ):
        refused = own_password(mine, password, chosen)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
    assert elsewhere.get("/v1/me").status_code == 200
    before = mine.cookies["anjie_session"]
    assert own_password(mine, told["password"], new).status_code == 200
    assert [each.get("/v1/me").status_code for each in (mine, elsewhere)] == [200, 401]
    assert mine.cookies["anjie_session"] != before
    left = running.http.get("/v1/me", headers={"Cookie": f"anjie_session={before}"})
    assert left.status_code == 401, (
        "who began the session, and left it to be found, doesn't share what follows"
    )
    with psycopg.connect(running.database.url) as connection:
        kept = "SELECT count(*) FROM runtime.sessions WHERE account_id = %s"
        assert connection.execute(kept, (told["account_id"],)).fetchone() == (1,)
    assert sign_in(running, told["login"], told["password"]) is None
    again = sign_in(running, told["login"], new)
    assert again is not None
    for browser in (mine, elsewhere, again):
        browser.close()
    account = read(place.village_officer, f"/v1/accounts/{told['account_id']}")
    [change, _] = account["changes"]
    assert (change["change"], change["by_ref"]) == ("CHOSEN", told["actor_ref"])
    assert account["password_given_until"] is None
    assert place.leader.post("/v1/me/password", {"password": "x", "new_password": new}).status_code == 403


def test_the_present_password_is_not_guessed_in_a_session(running: Anjie, place: Town) -> None:
    told = added(place.village_officer, "mediator", place.village)
    browser = sign_in(running, told["login"], told["password"])
    assert browser is not None
    statuses: list[int] = []
    while 429 not in statuses:
        statuses.append(own_password(browser, "wrong", "a phrase nobody guesses").status_code)
    assert statuses[:FREE_FOR_LOGIN] == [422] * FREE_FOR_LOGIN
    browser.close()


def test_a_login_is_nobody_else_s(running: Anjie, place: Town) -> None:
    told = added(place.village_officer, "mediator", place.village, login="Li Na")
    again = add(place.village_officer, "mediator", place.village, login="li na")
    assert problem(again) == (409, "login-taken")
    assert told["login"] == "Li Na"
    for login in ("", " li", "a\tb", "x" * 129, 7):
        answer = add(place.village_officer, "mediator", place.village, login=login)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/login"), login


def test_what_was_done_cannot_be_made_undone(running: Anjie, place: Town) -> None:
    added(place.village_officer, "mediator", place.village)
    with psycopg.connect(running.database.url, autocommit=True) as connection:
        for statement in (
            b"DELETE FROM runtime.account_changes",
            b"UPDATE runtime.account_changes SET by_ref = NULL",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
