"""The clock after a long absence: how fast it records what fell due meanwhile."""

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import psycopg

from services.clock_worker import timekeeper
from services.projections.rebuild import rebuild
from services.projections.schema import create_views
from shared.events import cases, units
from shared.events.base import Event, Private
from shared.events.ledger.appender import Appender
from shared.events.recorded import Append, Metadata, NewEvent
from shared.events.registry import encode
from shared.runtime.database import service_pool
from shared.runtime.garbage import rarely_collected
from shared.runtime.identifiers import new_id
from shared.runtime.migrations import migrate
from shared.runtime.sealing import MasterKey
from tests.benchmarks.table import BenchRow

DUE_CLOCKS: Final = 100_000
WRITERS: Final = 64
_DUE: Final = datetime(2026, 1, 7, 16, tzinfo=UTC)
_SEALED: Final = Private(key=UUID(int=7), event=UUID(int=8), field="title", sealed=b"c" * 90)


async def rows(owner_url: str, *, full: bool) -> list[BenchRow]:
    """Clocks started with their cases, and the breaches of all of them recorded at once."""
    migrate(owner_url, steps=[create_views])
    with rarely_collected():
        started = time.perf_counter()
        await _begin_cases(owner_url)
        begun_s = time.perf_counter() - started
    await rebuild(owner_url)
    projector = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.cli", "serve", "--only", "projector",
        env={**os.environ, "DATABASE_URL": owner_url, "ANJIE_LOG": "json"}, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with timekeeper(owner_url, MasterKey(bytes(32))) as keeper:
            started = time.perf_counter()
            await keeper.tick(_DUE + timedelta(days=7))
            known_s = time.perf_counter() - started
    finally:
        projector.terminate()
        await projector.wait()
    recorded, recorded_s = _recorded_by_clock(owner_url)
    if recorded != 2 * DUE_CLOCKS:
        raise RuntimeError(f"{recorded} events of {DUE_CLOCKS} breaches and their notices")
    return [
        BenchRow(
            name="clocks started, each with its case", ours=DUE_CLOCKS / begun_s, unit="clocks/s", goal=5_000
        ),
        BenchRow(
            name=f"catching up on {DUE_CLOCKS:,} breaches", ours=recorded / recorded_s, unit="events/s",
            goal=10_000, reference_name=f"until lists tell of them: {recorded / known_s:,.0f}",
        ),
    ]  # fmt: skip


async def _begin_cases(url: str) -> None:
    township, village, group = new_id(), new_id(), new_id()
    begun = iter(range(DUE_CLOCKS))
    async with service_pool(url, name="bench", connections_max=4) as pool, Appender(pool) as appender:
        await appender.append(_append(township, [units.UnitRegistered(kind="TOWNSHIP", name="镇")]))
        await appender.append(
            _append(village, [units.UnitRegistered(kind="VILLAGE", name="村", parent_id=township)])
        )
        await appender.append(
            _append(group, [units.UnitRegistered(kind="GROUP", name="组", parent_id=village)])
        )

        async def write() -> None:
            for _ in begun:
                await appender.append(_append(new_id(), [*_opening(group)]))

        await asyncio.gather(*(write() for _ in range(WRITERS)))


def _opening(group: UUID) -> Iterator[Event]:
    yield cases.CaseRegistered(
        channel="VISIT",
        category="NEIGHBOUR",
        origin_unit=group,
        origin_level="GROUP",
        holder_unit=group,
        holder_level="GROUP",
        title=_SEALED,
        description=_SEALED,
    )
    yield cases.DeadlineStarted(
        timer="T13", started_on=_DUE.date(), due_at=_DUE, pack="cn-default@1", calendar="bench"
    )


def _append(stream_id: UUID, events: list[Event]) -> Append:
    metadata = Metadata(
        occurred_at=_DUE - timedelta(days=1),
        actor_ref="leader-37",
        actor_role="group_leader",
        unit=None,
        correlation_id=stream_id,
        policy="cn-default@1",
    )
    return Append(
        events=[
            NewEvent(
                originator_id=stream_id,
                originator_version=version,
                topic=event.topic,
                state=encode(event),
                event_id=new_id(),
                schema_version=1,
            )
            for version, event in enumerate(events, start=1)
        ],
        metadata=metadata,
    )


def _recorded_by_clock(url: str) -> tuple[int, float]:
    """How many events, and the seconds from the first to the last of them."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT count(*), extract(epoch FROM max(recorded_at) - min(recorded_at))::float8"
            " FROM ledger.events WHERE actor_ref = 'clock'"
        ).fetchone()
    assert row is not None
    return row
