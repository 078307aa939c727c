"""Local accounts: who signs in on a page, and whom their commands are from."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, LiteralString, NamedTuple, cast
from uuid import UUID

import msgspec
import psycopg
from psycopg import AsyncConnection
from psycopg.sql import SQL, Composed

from shared.events.vocabulary import Role
from shared.policy.actor import Actor
from shared.runtime.database import Pool
from shared.runtime.identity import storable

LOGIN_LENGTH_MAX: Final = 128

Change = Literal["ADDED", "CHANGED", "PASSWORD", "CHOSEN", "DISABLED", "ENABLED"]

ACCOUNT_COLUMNS: Final = (
    "a.account_id, a.login, a.hash, a.actor_ref, a.role, a.unit, a.clearances, a.created_at, a.disabled_at,"
    " a.password_given_at, a.last_signed_in_at"
)
_ADD: Final = f"""
    INSERT INTO runtime.accounts AS a (login, hash, actor_ref, role, unit, clearances, password_given_at)
    VALUES (%s, %s, %s, %s, %s, %s, CASE WHEN %s THEN clock_timestamp() END) RETURNING {ACCOUNT_COLUMNS}
"""
_CALLED: Final = f"SELECT {ACCOUNT_COLUMNS} FROM runtime.accounts a WHERE lower(a.login) = lower(%s)"
_GET: Final = f"SELECT {ACCOUNT_COLUMNS} FROM runtime.accounts a WHERE a.account_id = %s"
_ALL: Final = f"SELECT {ACCOUNT_COLUMNS} FROM runtime.accounts a ORDER BY lower(a.login)"
_FOUND: Final = SQL(
    f"SELECT {ACCOUNT_COLUMNS} FROM runtime.accounts a"
    " WHERE {where} ORDER BY lower(a.login) LIMIT %(limit)s"
)
_COUNT: Final = """
    SELECT unit, count(*) FILTER (WHERE disabled_at IS NULL), count(disabled_at) FROM runtime.accounts
    WHERE unit IS NOT NULL AND (%(units)s::uuid[] IS NULL OR unit = ANY(%(units)s)) GROUP BY unit
"""
# Each only as long as the account is what it was when it was decided that it may be changed.
_AS_READ: Final = (
    " WHERE account_id = %s AND actor_ref = %s AND role = %s AND unit IS NOT DISTINCT FROM %s"
    " AND clearances = %s"
)
_SET_HASH: Final = (
    "UPDATE runtime.accounts SET hash = %s, password_given_at = CASE WHEN %s THEN clock_timestamp() END"
    f"{_AS_READ} AND hash IS NOT DISTINCT FROM %s"
)
_SET_ACTOR: Final = f"UPDATE runtime.accounts SET role = %s, unit = %s, clearances = %s{_AS_READ}"
_DISABLE: Final = (
    f"UPDATE runtime.accounts SET disabled_at = coalesce(disabled_at, clock_timestamp()){_AS_READ}"
)
_ENABLE: Final = f"UPDATE runtime.accounts SET disabled_at = NULL{_AS_READ}"
_END_SESSIONS: Final = "DELETE FROM runtime.sessions WHERE account_id = %s"
_NOTE: Final = """
    INSERT INTO runtime.account_changes (account_id, change, by_ref, by_role, by_unit, role, unit, clearances)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_CHANGES: Final = """
    SELECT changed_at, change, by_ref, by_role, by_unit, role, unit, clearances FROM runtime.account_changes
    WHERE account_id = %s ORDER BY change_id DESC LIMIT %s
"""


class LoginTaken(Exception):
    """There is an account of this login, whatever its capitals."""


class LoginUnknown(Exception):
    """There is no account of this login, or none any more that is what it was."""


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
    password_given_at: datetime | None = None
    """When somebody else gave its password; None where its owner chose it, or there is none."""
    last_signed_in_at: datetime | None = field(default=None, compare=False)
    """Which makes it no other account."""

    @property
    def has_given_password(self) -> bool:
        """Whether somebody else knows its password, so that its owner has to choose another."""
        return self.password_given_at is not None


class AccountChange(msgspec.Struct, frozen=True):
    """That an account was changed, by whom, and what it stands for since."""

    changed_at: datetime
    change: Change
    by_ref: str | None
    """None: done at the machine itself, by command."""
    by_role: Role | None
    by_unit: UUID | None
    role: Role
    unit: UUID | None
    clearances: list[str]


class Sought(NamedTuple):
    """Which accounts; None doesn't restrict."""

    units: Collection[UUID] | None = None
    """Those without a unit are of none."""
    role: Role | None = None
    text: str | None = None
    """A part of the login or of the actor's ref."""
    disabled: bool | None = None


def account_of(row: tuple[Any, ...]) -> Account:
    """An account from a row of `ACCOUNT_COLUMNS`."""
    account_id, login, kept, ref, role, unit, clearances, created_at, disabled_at, *known = row
    given_at, signed_in_at = known
    return Account(
        account_id=account_id,
        login=login,
        hash=kept,
        actor=Actor(ref=ref, role=cast(Role, role), unit=unit, clearances=frozenset(clearances)),
        created_at=created_at,
        disabled_at=disabled_at,
        password_given_at=given_at,
        last_signed_in_at=signed_in_at,
    )


def is_login(text: str) -> bool:
    """Whether an account can be called so: 1 to 128 printable characters, without spaces around them."""
    fits = 1 <= len(text) <= LOGIN_LENGTH_MAX and text == text.strip()
    return fits and text.isprintable() and storable(text)


class Accounts:
    """The accounts of the database; each change of one is kept with `by`, who made it."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(
        self,
        login: str,
        actor: Actor,
        password_hash: str | None,
        *,
        given: bool = True,
        by: Actor | None = None,
    ) -> Account:
        """A new account; its owner has to choose another password than one that was `given`.

        Raises: LoginUnfit, LoginTaken.
        """
        if not is_login(login):
            raise LoginUnfit(f"a login has 1 to {LOGIN_LENGTH_MAX} printable characters")
        given = given and password_hash is not None
        values = (login, password_hash, actor.ref, actor.role, actor.unit, sorted(actor.clearances), given)
        try:
            async with self._pool.connection() as connection, connection.transaction():
                row = await (await connection.execute(_ADD, values)).fetchone()
                assert row is not None
                account = account_of(row)
                await _note(connection, account.account_id, "ADDED", actor, by)
        except psycopg.errors.UniqueViolation:
            raise LoginTaken(login) from None
        return account

    async def called(self, login: str) -> Account:
        """The account of a login, in whatever capitals. Raises: LoginUnknown."""
        row = None
        if is_login(login):
            async with self._pool.connection() as connection:
                row = await (await connection.execute(_CALLED, (login,))).fetchone()
        if row is None:
            raise LoginUnknown(login)
        return account_of(row)

    async def get(self, account_id: UUID) -> Account | None:
        async with self._pool.connection() as connection:
            row = await (await connection.execute(_GET, (account_id,))).fetchone()
        return None if row is None else account_of(row)

    async def all(self) -> list[Account]:
        """Every account, disabled ones too, in order of logins."""
        async with self._pool.connection() as connection:
            return [account_of(row) for row in await (await connection.execute(_ALL)).fetchall()]

    async def find(
        self, sought: Sought, *, after: UUID | None, limit: int
    ) -> tuple[list[Account], UUID | None]:
        """A page of accounts in order of logins, and after which account the next one begins."""
        clauses: list[tuple[LiteralString, Any]] = [
            ("a.unit = ANY(%(units)s)", sought.units and list(sought.units)),
            ("a.role = %(role)s", sought.role),
            (
                "(strpos(lower(a.login), lower(%(text)s)) > 0"
                " OR strpos(lower(a.actor_ref), lower(%(text)s)) > 0)",
                sought.text,
            ),
            ("(a.disabled_at IS NOT NULL) = %(disabled)s", sought.disabled),
            (
                "lower(a.login) > (SELECT lower(login) FROM runtime.accounts WHERE account_id = %(after)s)",
                after,
            ),
        ]
        names = ("units", "role", "text", "disabled", "after")
        where: Composed = SQL(" AND ").join(
            [SQL("true"), *(SQL(clause) for clause, value in clauses if value is not None)]
        )
        values = {name: value for name, (_, value) in zip(names, clauses, strict=True)} | {"limit": limit + 1}
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(_FOUND.format(where=where), values)).fetchall()
        found = [account_of(row) for row in rows[:limit]]
        return found, found[-1].account_id if len(rows) > limit else None

    async def count(self, units: Collection[UUID] | None) -> dict[UUID, tuple[int, int]]:
        """How many of each unit may sign in, and how many no longer may; units without any are left out."""
        values = {"units": None if units is None else list(units)}
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(_COUNT, values)).fetchall()
        return {unit: (active, disabled) for unit, active, disabled in rows}

    async def changes(self, account: Account, limit: int) -> list[AccountChange]:
        """What was done to it, the latest first."""
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(_CHANGES, (account.account_id, limit))).fetchall()
        return [AccountChange(*row) for row in rows]

    async def set_password(
        self, account: Account, password_hash: str, *, given: bool = True, by: Actor | None = None
    ) -> None:
        """Takes a new password, `given` or chosen by its owner, and ends the sessions begun with the old one.

        Raises: LoginUnknown, also where it has another password already than the account was read with.
        """
        await self._change(
            "PASSWORD" if given else "CHOSEN",
            _SET_HASH,
            (password_hash, given),
            account,
            account.actor,
            by,
            only_if=(account.hash,),
        )

    async def set_actor(self, account: Account, actor: Actor, *, by: Actor | None = None) -> None:
        """Lets it stand for another role, unit or clearances, and ends its sessions. Raises: LoginUnknown."""
        values = (actor.role, actor.unit, sorted(actor.clearances))
        await self._change("CHANGED", _SET_ACTOR, values, account, actor, by)

    async def disable(self, account: Account, *, by: Actor | None = None) -> None:
        """Lets nobody sign in to it any more, and ends its sessions: elsewhere within seconds.

        Raises: LoginUnknown.
        """
        await self._change("DISABLED", _DISABLE, (), account, account.actor, by)

    async def enable(self, account: Account, *, by: Actor | None = None) -> None:
        """Lets its password be good again; sessions that were ended stay so. Raises: LoginUnknown."""
        await self._change("ENABLED", _ENABLE, (), account, account.actor, by)

    async def _change(
        self,
        change: Change,
        statement: LiteralString,
        values: tuple[Any, ...],
        account: Account,
        after: Actor,
        by: Actor | None,
        only_if: tuple[Any, ...] = (),
    ) -> None:
        """Makes a change that no session of the account outlives, and keeps who made it."""
        was = account.actor
        as_read = (account.account_id, was.ref, was.role, was.unit, sorted(was.clearances))
        async with self._pool.connection() as connection, connection.transaction():
            made = await connection.execute(statement, (*values, *as_read, *only_if))
            if made.rowcount == 0:
                raise LoginUnknown(account.login)
            await connection.execute(_END_SESSIONS, (account.account_id,))
            await _note(connection, account.account_id, change, after, by)


async def _note(
    connection: AsyncConnection[Any], account_id: UUID, change: Change, after: Actor, by: Actor | None
) -> None:
    who = (None, None, None) if by is None else (by.ref, by.role, by.unit)
    stands_for = (after.role, after.unit, sorted(after.clearances))
    await connection.execute(_NOTE, (account_id, change, *who, *stands_for))
