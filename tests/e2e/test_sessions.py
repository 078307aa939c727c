"""Whoever is signed in on a page uses the interface of programs, and no other site does it for them."""

import contextlib
import json
import time
from collections.abc import Iterator

import httpx
import pytest

from shared.runtime.postgres import EmbeddedPostgres
from tests.e2e.conftest import Anjie, Town
from tests.e2e.reading import Event, Listener, serving_a_module, settled
from tests.e2e.sessions import SignedIn, disable, signed_in
from tests.e2e.test_commands_batch import line


@pytest.fixture(scope="module")
def running(
    postgres: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Anjie]:
    data_dir = tmp_path_factory.mktemp("sessions")
    with serving_a_module(postgres, migrated_template, "sessions", data_dir) as anjie:
        yield anjie


@pytest.fixture
def place(running: Anjie) -> Town:
    return settled(running)


@pytest.fixture
def leader(running: Anjie, place: Town) -> SignedIn:
    return signed_in(running, place.leader, "group_leader", place.group)


def refusal(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"]


def test_no_browser_keeps_what_a_session_was_told(place: Town, leader: SignedIn) -> None:
    for answer in (
        leader.get("/v1/me"),
        leader.get("/v1/cases"),
        leader.get("/v1/kpi", unit="nonsense"),
        leader.post("/v1/cases", place.opening(), **leader.csrf),
    ):
        assert answer.headers["cache-control"] == "no-store"
    assert "cache-control" not in place.leader.get("/v1/me").headers


def to_the_end(listener: Listener) -> Iterator[Event]:
    """What a stream still tells until it ends, heartbeats left out."""
    with contextlib.suppress(EOFError):
        while True:
            event = listener.next(timeout_s=20)
            if not event[0].startswith(":"):
                yield event


def test_a_cookie_is_as_good_as_a_token_for_a_page_of_the_session(place: Town, leader: SignedIn) -> None:
    me = leader.get("/v1/me").json()
    assert (me["sub"], me["role"], me["unit"]) == ("leader-37", "group_leader", place.group)
    opened = leader.post("/v1/cases", place.opening(), **leader.csrf)
    assert opened.status_code == 201, opened.text
    path = f"/v1/cases/{opened.json()['case_id']}"
    accepted = leader.post(f"{path}/accept-case", {}, **leader.csrf, **{"If-Match": '"1"'})
    assert accepted.status_code == 200, accepted.text
    seen = place.leader.get(path, min_position=accepted.json()["position"]).json()
    assert seen["state"] == "ACCEPTED"


def test_what_another_site_has_the_browser_send_changes_nothing(
    running: Anjie, place: Town, leader: SignedIn
) -> None:
    other = signed_in(running, place.leader, "group_leader", place.group)
    before = place.auditor.get("/v1/units").json()["as_of_position"]
    for headers in ({}, other.csrf, {"X-CSRF-Token": ""}, {"X-CSRF-Token": leader.session.token}):
        answer = leader.post("/v1/cases", place.opening(), **headers)
        assert refusal(answer) == (403, "/problems/csrf")
        chinese = leader.post("/v1/cases", place.opening(), **headers, **{"Accept-Language": "zh"})
        assert chinese.json()["title"] == "请求并非来自本次登录的页面"
    for content_type in (
        "application/x-www-form-urlencoded",
        "text/plain",
        "multipart/form-data",
    ):
        headers = leader.credentials | {"Idempotency-Key": "forged", "Content-Type": content_type}
        for path in ("/v1/cases", "/v1/files", "/v1/commands:batch"):
            forged = running.http.post(path, content=b"a=b", headers=headers)
            assert refusal(forged) == (403, "/problems/csrf")
    assert place.auditor.get("/v1/units").json()["as_of_position"] == before


def test_a_token_counts_before_a_cookie(place: Town, leader: SignedIn) -> None:
    both = leader.credentials | {"Authorization": f"Bearer {place.supervisor.token}"}
    assert leader.http.get("/v1/me", headers=both).json()["role"] == "supervisor"
    bad = leader.credentials | {"Authorization": "Bearer nonsense"}
    assert leader.http.get("/v1/me", headers=bad).status_code == 401
    for cookie in ("anjie_session=nonsense", f"anjie_session={'x' * 43}"):
        answer = leader.http.get("/v1/me", headers={"Cookie": cookie})
        assert refusal(answer) == (401, "/problems/unauthenticated")


def test_files_are_sent_and_fetched_by_cookie(place: Town, leader: SignedIn) -> None:
    headers = leader.credentials | leader.csrf | {"Idempotency-Key": "a photo"}
    content = b"\xff\xd8\xff photo"
    part = {"file": ("photo.jpg", content, "image/jpeg")}
    sent = leader.http.post("/v1/files", files=part, headers=headers)
    assert sent.status_code == 201, sent.text
    assert leader.get(f"/v1/files/{sent.json()['file_id']}").content == content


def test_lines_of_a_batch_are_from_whoever_is_signed_in(
    running: Anjie, place: Town, leader: SignedIn
) -> None:
    stranger = signed_in(running, place.dashboard, "dashboard", place.township)
    lines = [
        line("/v1/cases", place.opening()),
        line("/v1/cases", place.opening(), Cookie=stranger.credentials["Cookie"], X_CSRF_Token="x"),
        line("/v1/cases", place.opening(), Authorization=f"Bearer {place.dashboard.token}"),
    ]
    content = b"".join(json.dumps(each).encode() + b"\n" for each in lines)
    headers = leader.credentials | leader.csrf | {"Content-Type": "application/x-ndjson"}
    answer = leader.http.post("/v1/commands:batch", content=content, headers=headers)
    answers = [json.loads(each) for each in answer.text.splitlines()]
    assert [each["status"] for each in answers] == [201, 201, 403], "a line's own cookie doesn't count"
    case = answers[1]["body"]["case_id"]
    events = place.leader.get(f"/v1/cases/{case}/timeline", min_position=answers[1]["body"]["position"])
    assert events.json()["items"][0]["actor_ref"] == "leader-37"


def test_a_stream_goes_on_by_cookie_until_the_session_ends(
    running: Anjie, place: Town, leader: SignedIn
) -> None:
    officer = signed_in(running, place.village_officer, "village_officer", place.village)
    with Listener(officer, "/v1/streams/backlog_by_origin") as listener:
        assert listener.next()[0] == "snapshot"
        told = listener.until(place.open_case()["position"])
        assert told[-1][0] == "delta"
        disable(running, officer.session.account)
        disabled_at = time.monotonic()
        while officer.get("/v1/me").status_code != 401:
            assert time.monotonic() < disabled_at + 10
            time.sleep(0.2)
        place.open_case()
        assert list(to_the_end(listener)) == [], "nothing more is told to whoever was shut out"


def test_a_session_that_was_ended_is_no_session(running: Anjie, place: Town, leader: SignedIn) -> None:
    assert leader.get("/v1/me").status_code == 200
    disable(running, leader.session.account)
    disabled_at = time.monotonic()
    while leader.get("/v1/me").status_code == 200:
        assert time.monotonic() < disabled_at + 10
        time.sleep(0.2)
    assert refusal(leader.post("/v1/cases", place.opening(), **leader.csrf)) == (
        401,
        "/problems/unauthenticated",
    )


def test_the_document_names_the_cookie(running: Anjie) -> None:
    document = running.http.get("/openapi.json").json()
    assert document["components"]["securitySchemes"]["session"]["name"] == "anjie_session"
    assert {"session": []} in document["security"]
    assert {"session": []} in document["paths"]["/v1/commands:batch"]["post"]["security"]


def test_a_version_that_no_form_has_is_told_in_the_form(running: Anjie, place: Town) -> None:
    operator = signed_in(running, place.operator, "operator", place.township)
    form = {"csrf": operator.session.csrf, "key": "forged", "new_name": "新河新村"}
    for forged in ("9" * 5_000, "٣", "one"):
        answer = running.http.post(
            f"/desk/units/{place.village}/rename",
            data=form | {"version": forged},
            headers=operator.credentials,
        )
        assert answer.status_code == 422, forged[:9]
        assert "请重新打开本页" in answer.text
