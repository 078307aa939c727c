"""People who are signed in on a page: the same requests, with a cookie in place of a token."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar
from uuid import UUID

import httpx

from shared.events.vocabulary import Role
from shared.policy.actor import Actor
from shared.runtime.accounts import Account, Accounts
from shared.runtime.database import Pool, service_pool
from shared.runtime.sessions import Session, Sessions
from tests.e2e.conftest import Anjie, Json, Person

T = TypeVar("T")

_logins = count(1)
_keys = count(1)


@dataclass(frozen=True)
class SignedIn:
    """Somebody whose browser keeps the cookie of a session."""

    http: httpx.Client
    session: Session

    @property
    def credentials(self) -> dict[str, str]:
        return {"Cookie": self.session.headers[b"cookie"].decode()}

    @property
    def csrf(self) -> dict[str, str]:
        return {"X-CSRF-Token": self.session.csrf}

    def post(self, path: str, body: Json | None = None, **headers: str) -> httpx.Response:
        """A command with the cookie and nothing else that says who sends it."""
        given = self.credentials | {"Idempotency-Key": f"page {next(_keys)}"}
        return self.http.post(path, json=body or {}, headers=given | headers)

    def get(self, path: str, **parameters: Any) -> httpx.Response:
        return self.http.get(path, params=parameters, headers=self.credentials)


def as_another_process(anjie: Anjie, work: Callable[[Pool], Awaitable[T]]) -> T:
    """What another process does to the same database."""

    async def run() -> T:
        async with service_pool(anjie.database.url, name="beside", connections_max=1) as pool:
            return await work(pool)

    return asyncio.run(run())


def signed_in(anjie: Anjie, like: Person, role: Role, unit: str) -> SignedIn:
    """Whoever has a token is signed in as well, in an account of their own."""

    async def work(pool: Pool) -> Session:
        actor = Actor(ref=like.ref, role=role, unit=UUID(unit))
        account = await Accounts(pool).add(f"{like.ref}-{next(_logins)}", actor, None)
        return await Sessions(pool).begin(account)

    return SignedIn(anjie.http, as_another_process(anjie, work))


def disable(anjie: Anjie, account: Account) -> None:
    as_another_process(anjie, lambda pool: Accounts(pool).disable(account))
