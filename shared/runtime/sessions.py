"""Sessions: who is signed in on a page, from the cookie that the browser keeps."""

import asyncio
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, NamedTuple

from shared.policy.actor import Actor
from shared.runtime.accounts import ACCOUNT_COLUMNS, Account, account_of
from shared.runtime.database import Pool

COOKIE: Final = "anjie_session"
SECURE_COOKIE: Final = f"__Host-{COOKIE}"
"""Where it goes over https alone: a browser takes it from this host alone, and from no page without TLS."""
CSRF_HEADER: Final = "X-CSRF-Token"
LIFETIME: Final = timedelta(days=7)
IDLE: Final = timedelta(hours=12)

_TOKEN_BYTES: Final = 32
_TOKENS: Final = [
    re.compile(rb"(?:^|;)\s*" + name.encode() + rb"=([A-Za-z0-9_-]{43})\s*(?:;|$)")
    for name in (SECURE_COOKIE, COOKIE)
]
_REMEMBERED_S: Final = 5.0
"""How late a process may learn that another one ended a session."""
_REMEMBERED_MAX: Final = 4_096
_SEEN_EVERY: Final = timedelta(minutes=1)

_LASTS: Final = "s.created_at > now() - %(lifetime)s AND s.seen_at > now() - %(idle)s"
_BEGIN: Final = """
    INSERT INTO runtime.sessions (token_digest, account_id)
    SELECT %s, account_id FROM runtime.accounts
    WHERE account_id = %s AND hash IS NOT DISTINCT FROM %s AND disabled_at IS NULL FOR SHARE
    RETURNING created_at
"""
_FIND: Final = f"""
    SELECT s.created_at, s.seen_at < now() - %(seen_every)s, {ACCOUNT_COLUMNS}
    FROM runtime.sessions s JOIN runtime.accounts a USING (account_id)
    WHERE s.token_digest = %(digest)s AND a.disabled_at IS NULL AND {_LASTS}
"""
_SIGNED_IN: Final = "UPDATE runtime.accounts SET last_signed_in_at = %s WHERE account_id = %s"
_SEEN: Final = "UPDATE runtime.sessions SET seen_at = now() WHERE token_digest = %s"
_END: Final = "DELETE FROM runtime.sessions WHERE token_digest = %s"
_CLEAN: Final = f"DELETE FROM runtime.sessions s WHERE NOT ({_LASTS})"
_LIMITS: Final = {"lifetime": LIFETIME, "idle": IDLE}


@dataclass(frozen=True, kw_only=True)
class Session:
    """Somebody who is signed in."""

    token: str = field(repr=False)
    account: Account
    ends_at: datetime
    """At the latest; 12 hours without a request end it before."""

    @property
    def actor(self) -> Actor:
        return self.account.actor

    @property
    def csrf(self) -> str:
        """What a page has to send with everything that changes something."""
        return csrf_token(self.token)

    @property
    def headers(self) -> dict[bytes, bytes]:
        """With these a request made in this process comes from the same session."""
        cookie = f"{COOKIE}={self.token}".encode()
        return {b"cookie": cookie, CSRF_HEADER.lower().encode(): self.csrf.encode()}


class AccountChanged(Exception):
    """What somebody signed in with no longer holds."""


def csrf_token(token: str) -> str:
    """What only a page of the session knows, from its token."""
    return sha256(b"anjie csrf " + token.encode()).hexdigest()


def session_token(headers: Mapping[bytes, bytes]) -> str | None:
    """The token in the cookie of a request, if it has one of the right form.

    The one that no other site can set goes before.
    """
    cookies = headers.get(b"cookie", b"")
    found = next((match for token in _TOKENS if (match := token.search(cookies))), None)
    return None if found is None else found[1].decode()


def session_cookie(session: Session | None, *, secure: bool) -> str:
    """The value of Set-Cookie that begins a session in the browser, or (None) ends it."""
    token, age_s = ("", 0) if session is None else (session.token, int(LIFETIME.total_seconds()))
    attributes = f"Path=/; Max-Age={age_s}; HttpOnly; SameSite=Lax"
    return f"{SECURE_COOKIE}={token}; {attributes}; Secure" if secure else f"{COOKIE}={token}; {attributes}"


class _Lookup(NamedTuple):
    asked_at: float
    task: "asyncio.Task[Session | None]"


class Sessions:
    """The sessions of the database; what was found is remembered for seconds, so that a page is one query."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._lookups: OrderedDict[bytes, _Lookup] = OrderedDict()

    async def begin(self, account: Account) -> Session:
        """A new session of an account as it was read; those that have run out are cleaned away.

        Raises: AccountChanged where it has another password since, or is disabled.
        """
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        async with self._pool.connection() as connection:
            await connection.execute(_CLEAN, _LIMITS)
            values = (_digest(token), account.account_id, account.hash)
            row = await (await connection.execute(_BEGIN, values)).fetchone()
            if row is None:
                raise AccountChanged
            await connection.execute(_SIGNED_IN, (row[0], account.account_id))
        return Session(token=token, account=account, ends_at=row[0] + LIFETIME)

    async def find(self, token: str) -> Session | None:
        """The session of a token as of the last seconds, if there is one; counts as a use of it."""
        digest, now = _digest(token), time.monotonic()
        lookup = self._lookups.get(digest)
        if lookup is None or lookup.asked_at < now - _REMEMBERED_S:
            lookup = _Lookup(now, asyncio.create_task(self._fetch(token, digest)))
            self._lookups[digest] = lookup
            self._lookups.move_to_end(digest)
            if len(self._lookups) > _REMEMBERED_MAX:
                self._lookups.popitem(last=False)
        # Others may wait for the same lookup, so it goes on when this request is given up.
        return await asyncio.shield(lookup.task)

    async def end(self, session: Session) -> None:
        """Signs out; here at once, in other processes within seconds."""
        digest = _digest(session.token)
        async with self._pool.connection() as connection:
            await connection.execute(_END, (digest,))
        self._lookups.pop(digest, None)

    def forget(self, account: Account) -> None:
        """Looks the sessions of a changed account up again, at once; other processes do within seconds."""
        for digest, lookup in list(self._lookups.items()):
            session = lookup.task.result() if lookup.task.done() else None
            if not lookup.task.done() or (session and session.account.account_id == account.account_id):
                del self._lookups[digest]

    async def _fetch(self, token: str, digest: bytes) -> Session | None:
        try:
            async with self._pool.connection() as connection:
                values = {**_LIMITS, "digest": digest, "seen_every": _SEEN_EVERY}
                row = await (await connection.execute(_FIND, values, prepare=True)).fetchone()
                if row is None:
                    return None
                created_at, seen_long_ago, *account = row
                if seen_long_ago:
                    await connection.execute(_SEEN, (digest,))
        except BaseException:
            # A failure isn't remembered.
            self._lookups.pop(digest, None)
            raise
        return Session(token=token, account=account_of(tuple(account)), ends_at=created_at + LIFETIME)


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
