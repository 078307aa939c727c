"""The vault: values open for whoever asks with the right keys, destroyed keys open nothing."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import psycopg
import pytest

from shared.events.base import Person, Private
from shared.events.cases import PersonAdded
from shared.events.ledger.appender import Appender
from shared.events.recorded import Metadata
from shared.runtime.database import Pool, service_pool
from shared.runtime.drafts import Placed, draft
from shared.runtime.identifiers import new_id
from shared.runtime.sealing import MasterKey, Sealing, private_values
from shared.runtime.vault import MasterKeyWrong, Vault
from tests.conftest import Database

MASTER = MasterKey(b"m" * 32)


def with_vault(
    database: Database, work: Callable[[Vault, Pool], Awaitable[None]], master: MasterKey = MASTER
) -> None:
    async def run() -> None:
        async with service_pool(database.url, name="test", connections_max=4) as pool:
            await work(Vault(pool, master), pool)

    asyncio.run(run())


async def stored(pool: Pool, name: str, phone: str, note: str) -> list[Private]:
    """The sealed values of an event that adds somebody, once it is in the ledger with its keys."""
    person = Person(person_ref=new_id(), role="PARTY", name=Private.of(name), phone=Private.of(phone))
    event = PersonAdded(person=person, note=Private.of(note))
    metadata = Metadata(
        occurred_at=datetime.now(UTC), actor_ref="x", actor_role="mediator", unit=None,
        correlation_id=new_id(), policy="test",
    )  # fmt: skip
    ready = draft([Placed(new_id(), 1, event)], metadata, Sealing(MASTER, [person.person_ref]), None)
    async with Appender(pool) as appender:
        await appender.append(ready.append)
    return list(private_values(ready.placed[0].event))


def test_values_of_many_events_open_at_one_turn_on_one_connection(database: Database) -> None:
    async def work(vault: Vault, pool: Pool) -> None:
        values = [value for n in range(20) for value in await stored(pool, f"姓名{n}", f"138{n}", f"备注{n}")]
        opened = await vault.open_many(values)
        assert [opened[value] for value in values] == [
            text for n in range(20) for text in (f"备注{n}", f"姓名{n}", f"138{n}")
        ]
        assert await vault.open_many([]) == {}
        before = pool.get_stats()["requests_num"]
        await vault.open_many(values)
        assert pool.get_stats()["requests_num"] == before + 1

    with_vault(database, work)


def test_what_was_sealed_under_a_destroyed_key_is_erased(database: Database) -> None:
    async def work(vault: Vault, pool: Pool) -> None:
        note, name, phone = await stored(pool, "黄某", "138", "病情")
        with psycopg.connect(database.owner_url) as owner:
            owner.execute("DELETE FROM vault.keys WHERE key_id = %s", [name.key])
        opened = await vault.open_many([note, name, phone])
        assert opened == {note: "病情", name: None, phone: None}

    with_vault(database, work)


def test_a_master_key_that_opens_nothing_stored_is_told(database: Database) -> None:
    async def right(vault: Vault, pool: Pool) -> None:
        await vault.check_master_key()
        await stored(pool, "a", "b", "c")
        await vault.check_master_key()

    async def wrong(vault: Vault, pool: Pool) -> None:
        with pytest.raises(MasterKeyWrong):
            await vault.check_master_key()

    with_vault(database, right)
    with_vault(database, wrong, MasterKey(os.urandom(32)))
