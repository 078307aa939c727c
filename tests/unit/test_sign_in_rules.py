"""Signing in: how long to wait after failures, what a cookie looks like, which token a page needs."""

import asyncio
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pages.api import Api
from shared.policy.actor import Actor
from shared.runtime.accounts import Account, is_login
from shared.runtime.attempts import FREE_FOR_ADDRESS, FREE_FOR_LOGIN, Attempt, client_address, wait_after
from shared.runtime.problems import Problem
from shared.runtime.sealing import MasterKey
from shared.runtime.sessions import Session, session_cookie, session_token
from shared.runtime.web import Answer, Request, check_csrf

MASTER = MasterKey(b"m" * 32)
TOKENS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", min_size=43, max_size=43)


def session(token: str) -> Session:
    now = datetime.now(UTC)
    account = Account(
        account_id=uuid4(),
        login="xu",
        hash=None,
        actor=Actor(ref="xu", role="mediator", unit=uuid4()),
        created_at=now,
        disabled_at=None,
    )
    return Session(token=token, account=account, ends_at=now + timedelta(days=7))


@given(st.integers(0, 10_000), st.sampled_from((FREE_FOR_LOGIN, FREE_FOR_ADDRESS)))
def test_each_failure_makes_the_wait_longer_up_to_a_quarter_of_an_hour(failures: int, free: int) -> None:
    wait, before = wait_after(failures, free), wait_after(failures - 1, free)
    if failures < free:
        assert wait == timedelta(0)
    elif failures == free:
        assert wait == timedelta(seconds=1)
    else:
        assert wait == min(before * 2, timedelta(minutes=15))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("", "", True),
    ],
)
def test_attempts_are_counted_for_a_subscriber(one: str, other: str, same: bool) -> None:
    attempts = [Attempt(MASTER, "xu", address) for address in (one, other)]
    assert (attempts[0].address == attempts[1].address) is same


@given(st.text(min_size=1))
def test_what_is_counted_is_no_login_in_the_clear_and_knows_no_capitals(login: str) -> None:
    counted = Attempt(MASTER, login, "192.0.2.1").login
    assert counted == Attempt(MASTER, login.casefold(), "192.0.2.2").login
    assert len(counted) == 32
    assert counted != Attempt(MasterKey(b"n" * 32), login, "192.0.2.1").login


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.7", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.7", None, "10.0.0.7"),
        ("8.8.8.8", "203.0.113.9", "8.8.8.8"),
        ("::ffff:8.8.8.8", "203.0.113.9", "::ffff:8.8.8.8"),
        ("::ffff:10.0.0.7", "203.0.113.9", "203.0.113.9"),
        ("", "203.0.113.9", ""),
    ],
)
def test_only_a_proxy_near_us_says_whom_it_forwards_for(
    peer: str, forwarded: str | None, client: str
) -> None:
    assert client_address(peer, forwarded) == client


def from_page(csrf: str | None, *, field: bool) -> Request:
    """What a page sends: a script with a header, a form with a field."""
    headers = {b"content-type": b"application/x-www-form-urlencoded; charset=utf-8"}
    if csrf is None:
        return Request("POST", "/", headers)
    if field:
        return Request("POST", "/", headers, content=urlencode({"csrf": csrf, "reason": "x"}).encode())
    return Request("POST", "/", headers | {b"x-csrf-token": csrf.encode("latin-1", "replace")})


@given(TOKENS, TOKENS, st.booleans())
def test_a_page_of_one_session_is_none_of_another(token: str, other: str, field: bool) -> None:
    begun = session(token)
    check_csrf(from_page(begun.csrf, field=field), begun)
    assert token not in begun.csrf
    for wrong in (None, "", token, begun.csrf[:-1], f"{begun.csrf}0", "秘密", "\x00é", session(other).csrf):
        if wrong != begun.csrf:
            with pytest.raises(Problem) as refused:
                check_csrf(from_page(wrong, field=field), begun)
            assert refused.value.status == 403


@given(TOKENS, st.booleans())
def test_what_a_page_asks_for_is_asked_in_its_session(token: str, field: bool) -> None:
    begun, asked = session(token), list[Request]()

    async def ask(request: Request) -> Answer:
        asked.append(request)
        return Answer(200, b"{}")

    sent = from_page(begun.csrf, field=field)
    sent.headers[b"cookie"] = begun.headers[b"cookie"]
    asyncio.run(Api(ask).post(sent, "/v1/cases", {}, key="1"))
    assert session_token(asked[0].headers) == token
    check_csrf(asked[0], begun)


@given(TOKENS, st.booleans())
def test_the_cookie_that_is_set_is_the_one_that_comes_back(token: str, secure: bool) -> None:
    begun = session(token)
    name = "__Host-anjie_session" if secure else "anjie_session"
    morsel: Any = SimpleCookie(session_cookie(begun, secure=secure))[name]
    assert morsel["httponly"]
    assert bool(morsel["secure"]) is secure
    assert (morsel["samesite"], morsel["path"], morsel["max-age"]) == ("Lax", "/", "604800")
    other = f"anjie_session={'x' * 43}"
    for cookies in (f"{name}={morsel.value}", f"a=b; {name}={morsel.value}; language=zh"):
        assert session_token({b"cookie": cookies.encode()}) == token
        if secure:
            assert session_token({b"cookie": f"{other}; {cookies}".encode()}) == token, "not what a site set"
    assert session_token(begun.headers) == token
    ended: Any = SimpleCookie(session_cookie(None, secure=secure))[name]
    assert (ended.value, ended["max-age"]) == ("", "0")


@pytest.mark.parametrize(
    "cookies", ["", "anjie_session=", "not_anjie_session=" + "a" * 43, "anjie_session=a b"]
)
def test_other_cookies_are_no_session(cookies: str) -> None:
    assert session_token({b"cookie": cookies.encode()}) is None


@pytest.mark.parametrize("login", ["", " xu", "xu\n", "x\x00u", "x" * 129, "x\ud800", "a\tb"])
def test_what_nobody_can_be_called(login: str) -> None:
    assert not is_login(login)


@pytest.mark.parametrize("login", ["xu", "徐 燕", "x" * 128, "Xu.Yan@haimen"])
def test_what_somebody_can_be_called(login: str) -> None:
    assert is_login(login)
