"""Brings a database to the shape that the running version needs: numbered plain SQL, each file once."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

LEDGER_MIGRATIONS: Final = Path(__file__).parents[1] / "events" / "ledger" / "migrations"
SERVICE_ROLE: Final = "anjie_service"

_ADVISORY_KEY: Final = 4_201_986_500
"""Any number that no other user of the database takes; it keeps two runs apart."""
_TURN_TIMEOUT_S: Final = 120
_LOCK_TIMEOUT_MS: Final = 3_000
"""Short, since whoever waits for a table's lock makes everyone behind it wait as well."""
_LOCK_ATTEMPTS: Final = 10
_STATEMENT_TIMEOUT_S: Final = 900
_FILE_NAME: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")

_BOOKKEEPING: Final = b"""
CREATE SCHEMA IF NOT EXISTS runtime;
CREATE TABLE IF NOT EXISTS runtime.migrations (
    number     integer PRIMARY KEY,
    name       text NOT NULL,
    digest     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
"""

_BY_HAND: Final = "the owner may not do this, so let an administrator of the server: {}"

Step = Callable[[psycopg.Connection], None]
"""Something done as the owner at the end of every run, in a transaction of its own; safe to repeat."""


class MigrationFailed(Exception):
    """The database can't be migrated; the message says why in one line."""


@dataclass(frozen=True, kw_only=True)
class Migration:
    number: int
    name: str
    digest: str
    """SHA-256 of the file, in hexadecimal."""
    statements: bytes


def read_migrations(directory: Path = LEDGER_MIGRATIONS) -> tuple[Migration, ...]:
    """The migrations of a directory in order of their numbers, which run from 1 without a gap.

    Raises: MigrationFailed.
    """
    migrations = []
    for number, path in enumerate(sorted(directory.glob("*.sql")), start=1):
        match = _FILE_NAME.fullmatch(path.name)
        if match is None or int(match[1]) != number:
            raise MigrationFailed(f"{path.name}: expected {number:04d}_name.sql")
        statements = path.read_bytes()
        digest = sha256(statements).hexdigest()
        migrations.append(Migration(number=number, name=match[2], digest=digest, statements=statements))
    return tuple(migrations)


def migrate(
    owner_url: str,
    *,
    service_login: str | None = None,
    directory: Path = LEDGER_MIGRATIONS,
    steps: Sequence[Step] = (),
) -> list[str]:
    """Applies what is missing, then every step, and returns the names of the files applied.

    `service_login` is the role that services log in as, where that is not the owner; it becomes
    a member of the service role. Runs beside a serving product: a lock that isn't
    had at once is given up and asked for again.

    Raises: MigrationFailed when history was changed or a file fails, psycopg.OperationalError
    when the database isn't reached.
    """
    migrations = read_migrations(directory)
    with psycopg.connect(owner_url, autocommit=True, connect_timeout=10) as connection:
        try:
            connection.execute(f"SET lock_timeout = '{_TURN_TIMEOUT_S}s'".encode())
            connection.execute("SELECT pg_advisory_lock(%s)", [_ADVISORY_KEY])
            connection.execute(f"SET statement_timeout = '{_STATEMENT_TIMEOUT_S}s'".encode())
            connection.execute(f"SET lock_timeout = {_LOCK_TIMEOUT_MS}".encode())
            connection.execute("SET client_min_messages = warning")
            connection.execute(_BOOKKEEPING)
            _ensure_service_role(connection, service_login)
            missing = _missing(connection, migrations)
            for migration in missing:
                _patiently(connection, f"{migration.number:04d}_{migration.name}", _applying(migration))
            for step in (_grant_ledger, *steps):
                _patiently(connection, getattr(step, "__name__", "step"), step)
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            raise MigrationFailed(str(error).splitlines()[0]) from error
    return [migration.name for migration in missing]


def pending(connection: psycopg.Connection, directory: Path = LEDGER_MIGRATIONS) -> list[str]:
    """Names of the migrations that the database still lacks.

    Raises: MigrationFailed when one already applied has changed since.
    """
    present = connection.execute("SELECT to_regclass('runtime.migrations')").fetchone()
    migrations = read_migrations(directory)
    if present is None or present[0] is None:
        return [migration.name for migration in migrations]
    return [migration.name for migration in _missing(connection, migrations)]


def _missing(connection: psycopg.Connection, migrations: Sequence[Migration]) -> list[Migration]:
    rows = connection.execute(
        "SELECT number, name, digest FROM runtime.migrations ORDER BY number"
    ).fetchall()
    known = {migration.number: migration for migration in migrations}
    for number, name, digest in rows:
        migration = known.get(number)
        if migration is None:
            raise MigrationFailed(f"the database is newer than this version: it has {number:04d}_{name}")
        if (migration.name, migration.digest) != (name, digest):
            raise MigrationFailed(f"{number:04d}_{name} was changed after it was applied")
    return list(migrations[len(rows) :])


def _applying(migration: Migration) -> Step:
    def apply(connection: psycopg.Connection) -> None:
        connection.execute(migration.statements)
        connection.execute(
            "INSERT INTO runtime.migrations (number, name, digest) VALUES (%s, %s, %s)",
            [migration.number, migration.name, migration.digest],
        )

    return apply


def _patiently(connection: psycopg.Connection, name: str, step: Step) -> None:
    """Runs a step in a transaction, again when a lock wasn't had in time."""
    for attempt in range(1, _LOCK_ATTEMPTS + 1):
        try:
            with connection.transaction():
                step(connection)
            return
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
            if attempt == _LOCK_ATTEMPTS:
                raise MigrationFailed(f"{name}: no lock after {attempt} attempts") from error
            time.sleep(0.2 * attempt)
        except psycopg.Error as error:
            raise MigrationFailed(f"{name}: {str(error).splitlines()[0]}") from error


def _ensure_service_role(connection: psycopg.Connection, login: str | None) -> None:
    """Makes the role that services act as; where that isn't allowed, triggers alone protect the ledger.

    Raises: MigrationFailed when services have a login of their own and can't be let act as that role.
    """
    try:
        # Roles belong to the whole server, so another database's run may be making the same one.
        with connection.transaction():
            if not _service_role_exists(connection):
                connection.execute(f"CREATE ROLE {SERVICE_ROLE} LOGIN NOINHERIT".encode())
    except psycopg.errors.DuplicateObject:
        pass
    except psycopg.errors.InsufficientPrivilege:
        if login is None:
            return
        raise MigrationFailed(_BY_HAND.format(f"CREATE ROLE {SERVICE_ROLE}")) from None
    connection.execute(
        f"GRANT USAGE ON SCHEMA runtime TO {SERVICE_ROLE};"
        f"GRANT SELECT ON runtime.migrations TO {SERVICE_ROLE}".encode()
    )
    if login is not None and login != SERVICE_ROLE:
        _ensure_member(connection, login)
        # The read models are made in the role's name.
        _ensure_member(connection, connection.info.user)


def _ensure_member(connection: psycopg.Connection, name: str) -> None:
    member = connection.execute("SELECT pg_has_role(%s, %s, 'MEMBER')", [name, SERVICE_ROLE]).fetchone()
    if member == (True,):
        return
    try:
        connection.execute(sql.SQL("GRANT anjie_service TO {}").format(sql.Identifier(name)))
    except psycopg.errors.InsufficientPrivilege:
        raise MigrationFailed(_BY_HAND.format(f"GRANT {SERVICE_ROLE} TO {name}")) from None


def _service_role_exists(connection: psycopg.Connection) -> bool:
    exists = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [SERVICE_ROLE]).fetchone()
    return exists is not None


def _grant_ledger(connection: psycopg.Connection) -> None:
    """Gives the service role what services need of the ledger, which the ledger itself knows."""
    known = connection.execute("SELECT to_regproc('ledger.grant_service') IS NOT NULL").fetchone()
    if known == (True,) and _service_role_exists(connection):
        connection.execute("SELECT ledger.grant_service(%s)", [SERVICE_ROLE])
