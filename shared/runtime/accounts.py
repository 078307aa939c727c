"""Local accounts: who signs in on a page, and whom their commands are from."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, LiteralString, cast
from uuid import UUID

import psycopg

from shared.events.vocabulary import Role
from shared.policy.actor import Actor
from shared.runtime.database import Pool
from shared.runtime.identity import storable

LOGIN_LENGTH_MAX: Final = 128

ACCOUNT_COLUMNS: Final = (
    "a.account_id, a.login, a.hash, a.actor_ref, a.role, a.unit, a.clearances, a.created_at, a.disabled_at"
)
_ADD: Final = f"""
    INSERT INTO runtime.accounts AS a (login, hash, actor_ref, role, unit, clearances)
    VALUES (%s, %s, %s, %s, %s, %s) RETURNING {ACCOUNT_COLUMNS}
"""
_CALLED: Final = f"SELECT {ACCOUNT_COLUMNS} FROM runtime.accounts a WHERE lower(a.login) = lower(%s)"
_ALL: Final = f"SELECT {ACCOUNT_COLUMNS} FROM runtime.accounts a ORDER BY lower(a.login)"
_SET_HASH: Final = "UPDATE runtime.accounts SET hash = %s WHERE account_id = %s"
_DISABLE: Final = """
    UPDATE runtime.accounts SET disabled_at = coalesce(disabled_at, clock_timestamp()) WHERE account_id = %s
"""
_ENABLE: Final = "UPDATE runtime.accounts SET disabled_at = NULL WHERE account_id = %s"
_END_SESSIONS: Final = "DELETE FROM runtime.sessions WHERE account_id = %s"


class LoginTaken(Exception):
    """There is an account of this login, whatever its capitals."""


class LoginUnknown(Exception):
    """There is no account of this login."""


class LoginUnfit(Exception):
    """A text can't be a login; the message says why in one line."""


@dataclass(frozen=True, kw_only=True)
class Account:
    account_id: UUID
    login: str
    """As it was given; capitals make no other login."""
    hash: str | None = field(repr=False)
    """Of its password; without one it can't be signed in to with a password."""
    actor: Actor
    created_at: datetime
    disabled_at: datetime | None


def account_of(row: tuple[Any, ...]) -> Account:
    """An account from a row of `ACCOUNT_COLUMNS`."""
    account_id, login, kept, ref, role, unit, clearances, created_at, disabled_at = row
    return Account(
        account_id=account_id,
        login=login,
        hash=kept,
        actor=Actor(ref=ref, role=cast(Role, role), unit=unit, clearances=frozenset(clearances)),
        created_at=created_at,
        disabled_at=disabled_at,
    )


def is_login(text: str) -> bool:
    """Whether an account can be called so: 1 to 128 printable characters, without spaces around them."""
    fits = 1 <= len(text) <= LOGIN_LENGTH_MAX and text == text.strip()
    return fits and text.isprintable() and storable(text)


class Accounts:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(self, login: str, actor: Actor, password_hash: str | None) -> Account:
        """A new account. Raises: LoginUnfit, LoginTaken."""
        if not is_login(login):
            raise LoginUnfit(f"a login has 1 to {LOGIN_LENGTH_MAX} printable characters")
        values = (login, password_hash, actor.ref, actor.role, actor.unit, sorted(actor.clearances))
        try:
            async with self._pool.connection() as connection:
                row = await (await connection.execute(_ADD, values)).fetchone()
        except psycopg.errors.UniqueViolation:
            raise LoginTaken(login) from None
        assert row is not None
        return account_of(row)

    async def called(self, login: str) -> Account:
        """The account of a login, in whatever capitals. Raises: LoginUnknown."""
        row = None
        if is_login(login):
            async with self._pool.connection() as connection:
                row = await (await connection.execute(_CALLED, (login,))).fetchone()
        if row is None:
            raise LoginUnknown(login)
        return account_of(row)

    async def all(self) -> list[Account]:
        """Every account, disabled ones too, in order of logins."""
        async with self._pool.connection() as connection:
            return [account_of(row) for row in await (await connection.execute(_ALL)).fetchall()]

    async def set_password(self, account: Account, password_hash: str) -> None:
        """Takes a new password and ends the sessions that were begun with the old one."""
        await self._end_with(_SET_HASH, (password_hash, account.account_id), account)

    async def disable(self, account: Account) -> None:
        """Lets nobody sign in to it any more, and ends its sessions: elsewhere within seconds."""
        await self._end_with(_DISABLE, (account.account_id,), account)

    async def enable(self, account: Account) -> None:
        """Lets its password be good again; sessions that were ended stay so."""
        async with self._pool.connection() as connection:
            await connection.execute(_ENABLE, (account.account_id,))

    async def _end_with(self, change: LiteralString, values: tuple[Any, ...], account: Account) -> None:
        """Makes a change that no session of the account outlives."""
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(change, values)
            await connection.execute(_END_SESSIONS, (account.account_id,))
