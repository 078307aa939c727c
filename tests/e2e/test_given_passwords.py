"""A password that somebody else gave, with which its owner can do nothing but choose another."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import httpx
import psycopg
import pytest

from services.application import create_app
from shared.runtime.postgres import EmbeddedPostgres
from shared.runtime.secrets import Secrets
from shared.runtime.sessions import csrf_token
from shared.runtime.settings import Settings
from shared.runtime.web import Operation, Operations
from tests.e2e.conftest import JWT_SECRET, Anjie, Json, Town
from tests.e2e.reading import read, serving_a_module, settled
from tests.e2e.test_accounts import added, problem, sign_in

NEW = "a phrase nobody guesses"
BEFORE_CHOOSING = {("get", "/v1/me"), ("post", "/v1/me/password")}
FOR_EVERYBODY = {
    "/static/{version}/{name}",
    "/look",
    "/sign-in",
    "/sign-out",
    "/password",
    "/design",
    "/sw.js",
    "/manifest.webmanifest",
    "/m/without-signal",
}


@pytest.fixture(scope="module")
def running(
    postgres: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Anjie]:
    with serving_a_module(postgres, migrated_template, "given", tmp_path_factory.mktemp("given")) as anjie:
        yield anjie


@pytest.fixture(scope="module")
def place(running: Anjie) -> Town:
    return settled(running)


@pytest.fixture
def told(place: Town) -> Json:
    """A mediator whom the village officer has let in."""
    return added(place.village_officer, "mediator", place.village)


@pytest.fixture
def browser(running: Anjie, told: Json) -> Iterator[httpx.Client]:
    """Of somebody who knows the password that was given: its owner, or whoever gave it."""
    signed_in = sign_in(running, told["login"], told["password"])
    assert signed_in is not None
    yield signed_in
    signed_in.close()


def filled(path: str) -> str:
    return re.sub(r"{\w+}", str(uuid4()), path)


def test_it_opens_nothing_of_the_interface(running: Anjie, browser: httpx.Client) -> None:
    headers = {"X-CSRF-Token": csrf_token(browser.cookies["anjie_session"])}
    asked = 0
    for path, methods in running.http.get("/openapi.json").json()["paths"].items():
        for method, operation in methods.items():
            if operation.get("security") == [] or (method, path) in BEFORE_CHOOSING:
                continue
            answer = browser.request(method, filled(path), headers=headers)
            assert problem(answer) == (403, "password-given"), (method, path, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
            assert "403" in operation["responses"], (method, path)
            asked += 1
    assert asked > 100
    assert browser.get("/v1/me").json()["password_given"] is True


def pages() -> list[Operation]:
    """Those for people who have signed in."""
    secrets = Secrets(master_key=bytes(32), jwt_secret=JWT_SECRET)
    settings = Settings(database_url="postgresql://nowhere", data_dir=Path(os.devnull))
    [served] = create_app(settings, secrets).router.routes
    assert isinstance(served, Operations)
    found = [each for each in served.operations if each.tag == "pages" and each.path not in FOR_EVERYBODY]
    assert len(found) > 40
    return found


def test_every_page_leads_to_the_choice(browser: httpx.Client) -> None:
    csrf = {"csrf": csrf_token(browser.cookies["anjie_session"])}
    for page in pages():
        path = filled(page.path)
        answer = browser.request(page.method, path, data=csrf if page.method == "POST" else None)
        after = quote(path if page.method == "GET" else "/", safe="")
        led = (answer.status_code, answer.headers.get("location"))
        assert led == (303, f"/password?next={after}"), (page.method, page.path, answer.text)
    assert browser.post("/sign-out", data=csrf).status_code == 303
    assert not browser.cookies


def choose(browser: httpx.Client, password: str, following: str) -> httpx.Response:
    fields = {"password": password, "new_password": NEW, "csrf": csrf_token(browser.cookies["anjie_session"])}
    return browser.post("/password", params={"next": following}, data=fields)


def test_after_the_choice_they_go_on_to_where_they_wanted(
    running: Anjie, told: Json, browser: httpx.Client
) -> None:
    first = {"login": told["login"], "password": told["password"]}
    entered = browser.post("/sign-in?next=/m%3Fpage%3D2", data=first)
    assert entered.headers["location"] == "/password?next=%2Fm%3Fpage%3D2"
    others = sign_in(running, told["login"], told["password"])
    assert others is not None
    refused = choose(browser, "it was another", "/m?page=2")
    assert refused.status_code == 422
    chosen = choose(browser, told["password"], "/m?page=2")
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/m?page=2")
    assert browser.get("/m").status_code == 200
    assert browser.get("/v1/me").json()["password_given"] is False
    assert browser.get("/v1/me/cases").status_code == 200
    assert others.get("/v1/me").status_code == 401
    others.close()
    elsewhere = sign_in(running, told["login"], NEW)
    assert elsewhere is not None
    assert elsewhere.get("/m").status_code == 200
    elsewhere.close()
    assert choose(browser, NEW, "//evil.example").headers.get("location") is None, "the same once more"
    given = {
        "password": NEW,
        "new_password": "another phrase",
        "csrf": csrf_token(browser.cookies["anjie_session"]),
    }
    assert browser.post("/password", params={"next": "//evil.example"}, data=given).headers["location"] == "/"


def test_who_gave_it_sees_whether_it_was_used_and_another_chosen(
    running: Anjie, place: Town, told: Json, browser: httpx.Client
) -> None:
    path = f"/v1/accounts/{told['account_id']}"
    assert told["last_signed_in_at"] is None
    assert told["password_given_until"] is not None
    used = read(place.village_officer, path)
    assert used["last_signed_in_at"] is not None
    assert used["password_given_until"] == told["password_given_until"]
    assert choose(browser, told["password"], "/").status_code == 303
    chosen = read(place.village_officer, path)
    assert chosen["password_given_until"] is None
    assert [change["change"] for change in chosen["changes"]] == ["CHOSEN", "ADDED"]


def test_the_officer_who_signs_in_first_is_found_out_and_put_out(
    running: Anjie, place: Town, told: Json, browser: httpx.Client
) -> None:
    """Given an officer who uses the password that they gave, its owner can't; only the operator helps."""
    assert choose(browser, told["password"], "/").status_code == 303
    assert sign_in(running, told["login"], told["password"]) is None
    path = f"/v1/accounts/{told['account_id']}"
    assert place.village_officer.post(f"{path}/reset-password").status_code == 403
    again = place.operator.done(f"{path}/reset-password")
    assert browser.get("/v1/me").status_code == 401
    theirs = sign_in(running, told["login"], again["password"])
    assert theirs is not None
    assert problem(theirs.get("/v1/me/cases")) == (403, "password-given")
    theirs.close()


def test_it_runs_out(running: Anjie, place: Town, told: Json) -> None:
    def given_ago(days: str) -> None:
        with psycopg.connect(running.database.url) as connection:
            connection.execute(
                "UPDATE runtime.accounts SET password_given_at = now() - %s::interval WHERE account_id = %s",
                (days, told["account_id"]),
            )

    path = f"/v1/accounts/{told['account_id']}"
    given_ago("14 days")
    refused = running.http.post("/sign-in", data={"login": told["login"], "password": told["password"]})
    assert refused.status_code == 401
    assert "14" in refused.text
    wrong = running.http.post("/sign-in", data={"login": told["login"], "password": "a guess"})
    assert "14" not in wrong.text.partition("password-wrong")[2][:200], "told to nobody who doesn't know it"
    assert read(place.village_officer, path)["password_run_out"] is True
    again = place.village_officer.done(f"{path}/reset-password")
    assert again["password_run_out"] is False
    given_ago("13 days 23 hours")
    late = sign_in(running, told["login"], again["password"])
    assert late is not None
    late.close()


def test_a_token_knows_of_no_password(place: Town) -> None:
    assert read(place.leader, "/v1/me")["password_given"] is False
