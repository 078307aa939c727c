"""Accounts and sessions in a real database: signing in, running out, ending, and guessing."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from hashlib import sha256
from uuid import uuid4

import psycopg
import pytest

from shared.policy.actor import Actor
from shared.runtime.accounts import Account, Accounts, LoginTaken, LoginUnknown
from shared.runtime.attempts import FREE_FOR_ADDRESS, FREE_FOR_LOGIN
from shared.runtime.database import Pool, service_pool
from shared.runtime.passwords import Passwords, PasswordUnfit
from shared.runtime.problems import Problem
from shared.runtime.reception import Reception
from shared.runtime.sealing import MasterKey
from shared.runtime.sessions import AccountChanged, Sessions
from tests.conftest import Database

MASTER = MasterKey(os.urandom(32))
MEDIATOR = Actor(ref="徐", role="mediator", unit=uuid4(), clearances=frozenset({"ACCUSATION"}))
PASSWORD = "a phrase nobody guesses"
ADDRESS = "192.0.2.1"


class Api:
    """What one process of an API knows of who signs in."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.accounts = Accounts(pool)
        self.sessions = Sessions(pool)
        self.reception = Reception(pool, self.sessions, MASTER)

    async def add(self, login: str = "xu") -> Account:
        return await self.accounts.add(login, MEDIATOR, await Passwords().hashed(PASSWORD))

    async def refused(self, login: str, password: str, address: str = ADDRESS) -> Problem:
        with pytest.raises(Problem) as refused:
            await self.reception.sign_in(login, password, address)
        return refused.value


def with_apis(database: Database, work: Callable[[Api, Api], Awaitable[None]]) -> None:
    async def run() -> None:
        async with (
            service_pool(database.url, name="one", connections_max=4) as one,
            service_pool(database.url, name="other", connections_max=4) as other,
        ):
            await work(Api(one), Api(other))

    asyncio.run(run())


def change(database: Database, statement: str) -> None:
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(statement.encode())


def test_whoever_knows_the_password_is_who_the_account_says(database: Database) -> None:
    async def work(one: Api, other: Api) -> None:
        account = await one.add("Xu")
        session = await one.reception.sign_in("xU", PASSWORD, ADDRESS)
        assert (session.account, session.actor) == (account, MEDIATOR)
        assert await other.sessions.find(session.token) == session
        with pytest.raises(LoginTaken):
            await other.add("XU")
        for login, password in (
            ("xu", "another phrase"),
            ("nobody", PASSWORD),
            ("xu", ""),
            ("x\x00", "x" * 9_999),
        ):
            assert (await other.refused(login, password)).code == "sign-in-refused"

    with_apis(database, work)
    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT hash LIKE '$argon2id$%' FROM runtime.accounts").fetchone() == (
            True,
        )


def test_the_database_keeps_no_token_and_no_login_of_an_attempt(database: Database) -> None:
    tokens: list[str] = []

    async def work(one: Api, _: Api) -> None:
        await one.add()
        tokens.append((await one.reception.sign_in("xu", PASSWORD, ADDRESS)).token)
        await one.refused("somebody", PASSWORD)

    with_apis(database, work)
    with psycopg.connect(database.url) as connection:
        digests = connection.execute("SELECT token_digest FROM runtime.sessions").fetchall()
        assert digests == [(sha256(tokens[0].encode()).digest(),)]
        [kept] = connection.execute(
            "SELECT string_agg(s::text || a::text, ' ') FROM runtime.sessions s, runtime.sign_in_attempts a"
        ).fetchone() or ("",)
        assert not any(clear in kept for clear in (tokens[0], "somebody", ADDRESS))


@pytest.mark.parametrize("password", ["", "九个字的口令啊啊啊", "x" * 1_025])
def test_a_password_has_a_length(password: str) -> None:
    with pytest.raises(PasswordUnfit):
        asyncio.run(Passwords().hashed(password))


def test_a_session_ends_when_it_was_not_used_for_long_or_is_old(database: Database) -> None:
    async def work(one: Api, _: Api) -> None:
        account = await one.add()
        session = await one.sessions.begin(account)

        async def stands() -> bool:
            return await Sessions(one.pool).find(session.token) is not None

        change(database, "UPDATE runtime.sessions SET seen_at = now() - interval '11 hours 59 minutes'")
        assert await stands(), "and is seen now"
        change(database, "UPDATE runtime.sessions SET seen_at = seen_at - interval '11 hours 59 minutes'")
        assert await stands()
        change(database, "UPDATE runtime.sessions SET seen_at = seen_at - interval '12 hours'")
        assert not await stands()
        change(
            database, "UPDATE runtime.sessions SET seen_at = now(), created_at = now() - interval '7 days'"
        )
        assert not await stands(), "however lately it was seen"
        await one.sessions.begin(account)
        with psycopg.connect(database.url) as connection:
            kept = connection.execute("SELECT count(*) FROM runtime.sessions").fetchone()
        assert kept == (1,), "what has run out is cleaned away"

    with_apis(database, work)


def test_a_page_of_many_requests_is_one_query(database: Database) -> None:
    async def work(one: Api, _: Api) -> None:
        session = await one.sessions.begin(await one.add())
        before = one.pool.get_stats()["requests_num"]
        found = await asyncio.gather(*(one.sessions.find(session.token) for _ in range(12)))
        assert found == [session] * 12
        assert await one.sessions.find(session.token) == session
        assert one.pool.get_stats()["requests_num"] == before + 1

    with_apis(database, work)


def test_what_ends_a_session_ends_it_elsewhere_within_seconds(database: Database) -> None:
    async def work(one: Api, other: Api) -> None:
        account = await one.add()
        endings: list[Callable[[], Awaitable[None]]] = [
            lambda: one.reception.sign_out(session),
            lambda: one.accounts.set_password(account, "hash of another"),
            lambda: one.accounts.disable(account),
        ]
        for end in endings:
            session = await one.sessions.begin(await one.accounts.called("xu"))
            assert await one.sessions.find(session.token) is not None
            assert await other.sessions.find(session.token) is not None
            await end()
            ended_at = time.monotonic()
            while await other.sessions.find(session.token) is not None:
                assert time.monotonic() < ended_at + 8
                await asyncio.sleep(0.1)
        await one.accounts.enable(account)
        assert await one.sessions.find(session.token) is None, "it stays ended"

    with_apis(database, work)


def test_a_disabled_account_is_refused_like_a_wrong_password(database: Database) -> None:
    async def work(one: Api, other: Api) -> None:
        account = await one.add()
        await one.accounts.disable(account)
        assert (await other.refused("xu", PASSWORD)).code == "sign-in-refused"
        await one.accounts.enable(account)
        assert (await other.reception.sign_in("xu", PASSWORD, ADDRESS)).actor == MEDIATOR
        with pytest.raises(LoginUnknown):
            await one.accounts.called("nobody")

    with_apis(database, work)


def test_guessing_is_slowed_down_over_all_processes_and_many_at_once_are_many(database: Database) -> None:
    async def work(one: Api, other: Api) -> None:
        await one.add()
        started = time.monotonic()
        problems = await asyncio.gather(*(api.refused("xu", "a guess") for api in (one, other) * 15))
        looked_at = [problem for problem in problems if problem.code == "sign-in-refused"]
        waiting = [problem for problem in problems if problem.code == "sign-in-too-often"]
        assert len(looked_at) + len(waiting) == 30
        # Each second that this took may have let one more be made.
        assert FREE_FOR_LOGIN <= len(looked_at) <= FREE_FOR_LOGIN + int(time.monotonic() - started)
        assert all(problem.status == 429 and int(problem.headers["Retry-After"]) >= 1 for problem in waiting)
        change(database, "UPDATE runtime.sign_in_attempts SET failures = 12, last_at = now()")
        right = await one.refused("xu", PASSWORD)
        assert right.code == "sign-in-too-often"
        assert 120 <= int(right.headers["Retry-After"]) <= 128
        assert (await one.refused("XU", PASSWORD, "192.0.2.2")).code == "sign-in-too-often", "wherever from"
        change(database, "UPDATE runtime.sign_in_attempts SET last_at = now() - interval '129 seconds'")
        await other.reception.sign_in("xu", PASSWORD, ADDRESS)
        assert (await one.refused("xu", "a slip")).code == "sign-in-refused", "success begins anew"

    with_apis(database, work)


def test_no_capitals_make_another_login_to_guess_at(database: Database) -> None:
    async def work(one: Api, other: Api) -> None:
        await one.add("li")
        for _ in range(FREE_FOR_LOGIN):
            await one.refused("li", "a guess")
        for login in ("LI", "l\u0130", "L\u0130"):
            assert (await one.accounts.called(login)).login == "li"
            assert (await one.refused(login, "a guess", "192.0.2.2")).code == "sign-in-too-often"

    with_apis(database, work)


def test_nothing_is_kept_of_logins_that_are_tried_too_early(database: Database) -> None:
    async def work(one: Api, other: Api) -> None:
        await one.refused("xu", "a guess")
        change(database, "UPDATE runtime.sign_in_attempts SET failures = 100, last_at = now()")
        for made_up in range(5):
            assert (await one.refused(f"login {made_up}", "a guess")).code == "sign-in-too-often"
        async with one.pool.connection() as connection:
            kept = await connection.execute("SELECT count(*) FROM runtime.sign_in_attempts")
            assert await kept.fetchone() == (2,)

    with_apis(database, work)


def test_a_password_that_is_changed_while_it_is_looked_at_opens_no_session(database: Database) -> None:
    async def work(one: Api, other: Api) -> None:
        account = await one.add()
        await other.accounts.set_password(account, "hash of another")
        with pytest.raises(AccountChanged):
            await one.sessions.begin(account)
        changed = await one.accounts.called("xu")
        await other.accounts.disable(changed)
        with pytest.raises(AccountChanged):
            await one.sessions.begin(changed)

    with_apis(database, work)


def test_a_password_is_given_in_place_of_the_one_that_was_looked_at_alone(database: Database) -> None:
    """Given an officer's reset on its way, when the owner chooses a password, it stays theirs."""

    async def work(one: Api, other: Api) -> None:
        account = await one.add()
        session = await one.reception.sign_in("xu", PASSWORD, ADDRESS)
        assert session.account.has_given_password
        gone_on = await one.reception.change_password(session, PASSWORD, "another phrase", ADDRESS)
        assert not gone_on.account.has_given_password
        with pytest.raises(LoginUnknown):
            await other.accounts.set_password(account, "hash of a third", by=MEDIATOR)
        assert await one.sessions.find(gone_on.token) == gone_on
        assert await one.sessions.find(session.token) is None

    with_apis(database, work)


def test_an_address_that_tries_many_logins_waits_too(database: Database) -> None:
    async def work(one: Api, other: Api) -> None:
        await one.add()
        await one.refused("xu", "a guess")
        change(
            database,
            f"UPDATE runtime.sign_in_attempts SET failures = {FREE_FOR_ADDRESS + 9}, last_at = now()",
        )
        assert (await one.refused("zhang", "a guess")).code == "sign-in-too-often"
        assert (await other.refused("zhang", "a guess", "192.0.2.2")).code == "sign-in-refused", (
            "from elsewhere"
        )
        change(database, "UPDATE runtime.sign_in_attempts SET last_at = now() - interval '25 hours'")
        assert (await one.refused("zhang", "a guess")).code == "sign-in-refused", (
            "a day later it is forgotten"
        )
        await one.reception.sign_in("xu", PASSWORD, ADDRESS)

    with_apis(database, work)


def test_an_account_of_the_demo_is_only_stepped_into(database: Database) -> None:
    async def work(one: Api, other: Api) -> None:
        first, second = [await api.reception.step_in("mediator-demo", MEDIATOR) for api in (one, other)]
        assert first.account == second.account
        assert first.token != second.token
        assert (await one.refused("mediator-demo", "")).code == "sign-in-refused"
        await one.add()
        with pytest.raises(Problem, match="not-found"):
            await one.reception.step_in("xu", MEDIATOR)
        with pytest.raises(Problem, match="not-found"):
            await one.reception.step_in("mediator-demo", replace_role(MEDIATOR))
        await one.accounts.disable(first.account)
        with pytest.raises(Problem, match="not-found"):
            await one.reception.step_in("mediator-demo", MEDIATOR)

    with_apis(database, work)


def replace_role(actor: Actor) -> Actor:
    return Actor(ref=actor.ref, role="township_officer", unit=actor.unit, clearances=actor.clearances)
