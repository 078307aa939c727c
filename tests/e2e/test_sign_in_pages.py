"""The pages by which somebody signs in and out, as a browser uses them."""

import asyncio
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.demo.people import people
from shared.policy.actor import Actor
from shared.runtime.accounts import Accounts
from shared.runtime.attempts import FREE_FOR_LOGIN
from shared.runtime.database import Pool
from shared.runtime.passwords import Passwords
from tests.conftest import Database
from tests.e2e.conftest import Anjie, Town, build_town, serving
from tests.e2e.sessions import as_another_process

PASSWORD = "a phrase nobody guesses"


@pytest.fixture
def demo(database: Database, tmp_path: Path) -> Iterator[Anjie]:
    """An application whose people may be stepped into."""
    with serving(database, tmp_path, demo_people=people()) as running:
        yield running


@pytest.fixture
def account(anjie: Anjie, town: Town) -> str:
    """The login of a village officer."""
    hashed = asyncio.run(Passwords().hashed(PASSWORD))
    actor = Actor(ref="village-1", role="village_officer", unit=UUID(town.village))

    async def work(pool: Pool) -> str:
        return (await Accounts(pool).add("Li.Na", actor, hashed, given=False)).login

    return as_another_process(anjie, work)


def browser(anjie: Anjie, **headers: str) -> httpx.Client:
    """Keeps cookies, and asks for pages in English."""
    asked = {"Accept": "text/html", "Accept-Language": "en", "Sec-Fetch-Site": "same-origin"}
    return httpx.Client(base_url=anjie.base_url, headers=asked | headers)


def cookie_of(answer: httpx.Response, name: str = "anjie_session") -> Any:
    return SimpleCookie(answer.headers["set-cookie"])[name]


def csrf_of(page: httpx.Response) -> str:
    return page.text.partition('name="csrf" value="')[2].partition('"')[0]


def test_whoever_signs_in_goes_on_to_where_they_wanted_and_out_again(anjie: Anjie, account: str) -> None:
    with browser(anjie) as b:
        form = b.get("/sign-in?next=/desk%3Funit%3D1")
        assert 'action="/sign-in?next=/desk%3Funit%3D1"' in form.text
        assert "Demo" not in form.text, "nobody may step in where there is no demo"
        entered = b.post(
            "/sign-in?next=/desk%3Funit%3D1", data={"login": account.lower(), "password": PASSWORD}
        )
        assert (entered.status_code, entered.headers["location"]) == (303, "/desk?unit=1")
        cookie = cookie_of(entered)
        assert cookie["httponly"]
        assert not cookie["secure"], "asked at a loopback address"
        assert b.get("/v1/me").json()["sub"] == "village-1"
        page = b.get("/")
        assert b.post("/sign-out").status_code == 403, "not from a page of the session"
        assert b.get("/v1/me").status_code == 200
        left = b.post("/sign-out", data={"csrf": csrf_of(page)})
        assert (left.status_code, left.headers["location"]) == (303, "/")
        assert not b.cookies
        ended = b.get("/v1/me", headers={"Cookie": f"anjie_session={cookie.value}"})
        assert ended.status_code == 401, "the token is worth nothing any more"


def test_what_is_wrong_stands_beside_the_field_and_the_login_stays(anjie: Anjie, account: str) -> None:
    with browser(anjie) as b:
        empty = b.post("/sign-in", data={"login": " ", "password": ""})
        assert empty.status_code == 422
        assert 'id="login-wrong">Say who you are.' in empty.text
        assert 'id="password-wrong">The password is needed.' in empty.text
        wrong = b.post("/sign-in", data={"login": "<Li>", "password": "no"})
        assert wrong.status_code == 401
        assert 'id="password-wrong">Login or password is wrong' in wrong.text
        assert 'value="&lt;Li&gt;"' in wrong.text
        assert '"no"' not in wrong.text, "the password isn't sent back"
        for _ in range(FREE_FOR_LOGIN):
            b.post("/sign-in", data={"login": account, "password": "a guess"})
        waiting = b.post("/sign-in", data={"login": account, "password": PASSWORD})
        assert waiting.status_code == 429
        assert int(waiting.headers["Retry-After"]) >= 1
        assert 'id="password-wrong">too many attempts failed' in waiting.text
        assert 'value="Li.Na"' in waiting.text
        chinese = b.post(
            "/sign-in", data={"login": "nobody", "password": "x"}, headers={"Accept-Language": "zh"}
        )
        assert 'id="password-wrong">登录名或密码不正确' in chinese.text
        assert "set-cookie" not in chinese.headers


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x"]
)
def test_nobody_is_led_elsewhere(anjie: Anjie, account: str, elsewhere: str) -> None:
    with browser(anjie) as b:
        entered = b.post(
            "/sign-in", params={"next": elsewhere}, data={"login": account, "password": PASSWORD}
        )
        assert (entered.status_code, entered.headers["location"]) == (303, "/")


def test_another_site_signs_nobody_in(anjie: Anjie, account: str) -> None:
    for site in ("cross-site", "same-site"):
        with browser(anjie, **{"Sec-Fetch-Site": site}) as b:
            answer = b.post("/sign-in", data={"login": account, "password": PASSWORD})
            assert answer.status_code == 403
            assert "set-cookie" not in answer.headers


def test_elsewhere_than_on_this_machine_the_cookie_is_for_tls_alone(anjie: Anjie, account: str) -> None:
    with browser(anjie, Host="anjie.example") as b:
        entered = b.post("/sign-in", data={"login": account, "password": PASSWORD})
        cookie = cookie_of(entered, "__Host-anjie_session")
        assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")
        kept = {"Cookie": f"__Host-anjie_session={cookie.value}"}
        assert b.get("/v1/me", headers=kept).status_code == 200
        left = b.post("/sign-out", headers=kept, data={"csrf": csrf_of(b.get("/", headers=kept))})
        assert cookie_of(left, "__Host-anjie_session").value == ""


def test_whoever_signs_in_again_leaves_no_session_behind(anjie: Anjie, account: str) -> None:
    with browser(anjie) as b:
        b.post("/sign-in", data={"login": account, "password": PASSWORD})
        first = b.cookies["anjie_session"]
        b.post("/sign-in", data={"login": account, "password": PASSWORD})
        assert "Sign out" in b.get("/").text
        before = b.get("/v1/me", headers={"Cookie": f"anjie_session={first}"})
        assert before.status_code == 401


def test_somebody_of_the_demo_is_one_click_away(demo: Anjie) -> None:
    build_town(demo)
    with browser(demo) as b:
        form = b.get("/sign-in")
        for role, known in people().items():
            assert f'value="{role}"' in form.text
            assert known.unit_name in form.text
            entered = b.post("/sign-in?next=/m", data={"person": role})
            assert (entered.status_code, entered.headers["location"]) == (303, "/m")
            me = b.get("/v1/me").json()
            assert (me["sub"], me["role"], me["unit"]) == (known.person.sub, role, str(known.person.unit))
        assert "Mediator" in b.get("/sign-in").text
        assert "调解员" in b.get("/sign-in", headers={"Accept-Language": "zh"}).text
        assert b.post("/sign-in", data={"person": "operator"}).status_code == 404


@pytest.mark.parametrize("host", ["anjie.example", "192.0.2.1:8000", "localhost.evil.example", "[::"])
def test_nobody_steps_in_from_another_machine_or_by_a_strange_name(demo: Anjie, host: str) -> None:
    with browser(demo, Host=host) as b:
        assert 'name="person"' not in b.get("/sign-in").text
        refused = b.post("/sign-in", data={"person": "mediator"})
        assert refused.status_code == 404
        assert "set-cookie" not in refused.headers


def test_nobody_steps_in_through_a_proxy_that_asks_for_a_loopback_address(demo: Anjie) -> None:
    with browser(demo, **{"X-Forwarded-For": "203.0.113.9"}) as b:
        assert 'name="person"' not in b.get("/sign-in").text
        refused = b.post("/sign-in", data={"person": "mediator"})
        assert refused.status_code == 404
        assert "set-cookie" not in refused.headers


def test_a_look_that_cannot_be_read_is_refused(anjie: Anjie) -> None:
    with browser(anjie) as b:
        assert b.post("/look", content=b"\xff").status_code == 400


def test_where_there_is_no_demo_nobody_steps_in(anjie: Anjie) -> None:
    with browser(anjie) as b:
        assert b.post("/sign-in", data={"person": "mediator"}).status_code == 404
