"""What was appended stays: the database itself refuses to change it, whoever asks."""

import asyncio
from uuid import uuid4

import psycopg
import pytest

from shared.events.ledger.appender import Appender
from tests.conftest import Database
from tests.integration.appends import new_append, new_key, open_pool

CHANGES = [
    statement
    for table, column in (
        ("ledger.events", "topic"),
        ("ledger.idempotency", "body_hash"),
        ("ledger.identity", "ledger_id"),
    )
    for statement in (
        f"UPDATE {table} SET {column} = {column}",
        f"DELETE FROM {table}",
        f"TRUNCATE {table}",
        f"TRUNCATE {table} CASCADE",
        f"DELETE FROM {table} WHERE false",
    )
]
WRITES = [
    "INSERT INTO ledger.events SELECT * FROM ledger.events",
    "INSERT INTO ledger.idempotency SELECT * FROM ledger.idempotency",
    "INSERT INTO vault.keys SELECT * FROM vault.keys",
    "UPDATE vault.keys SET wrapped = ''",
    "TRUNCATE vault.keys",
    "SELECT FROM ledger.identity FOR UPDATE",
    "ALTER TABLE ledger.events DISABLE TRIGGER append_only",
    "DROP TABLE ledger.events",
    "SELECT ledger.grant_service('public')",
]


@pytest.fixture
def written(database: Database) -> Database:
    async def write() -> None:
        async with open_pool(database.url) as pool, Appender(pool) as appender:
            await appender.append(new_append((uuid4(), 1, 3), key=new_key(1), persons=[uuid4()]))

    asyncio.run(write())
    return database


def stored(database: Database) -> list[tuple[object, ...]]:
    with psycopg.connect(database.owner_url) as connection:
        rows = connection.execute("SELECT * FROM ledger.events").fetchall()
        return rows + connection.execute("SELECT * FROM ledger.idempotency").fetchall()


def test_the_owner_cannot_change_history(written: Database) -> None:
    before = stored(written)
    with psycopg.connect(written.owner_url, autocommit=True) as connection:
        for statement in CHANGES:
            with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
                connection.execute(statement.encode())
    assert stored(written) == before


def test_services_can_append_and_nothing_else(written: Database) -> None:
    before = stored(written)
    with psycopg.connect(written.url, autocommit=True) as connection:
        for statement in CHANGES + WRITES:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
    assert stored(written) == before


def test_the_function_of_the_owner_looks_up_nothing_that_its_caller_defines(written: Database) -> None:
    with psycopg.connect(written.owner_url) as connection:
        settings = connection.execute(
            "SELECT prosecdef, proconfig FROM pg_proc WHERE oid = 'ledger.append'::regproc"
        ).fetchone()
    assert settings is not None
    assert settings[0] is True
    assert "search_path=pg_catalog, pg_temp" in settings[1]
