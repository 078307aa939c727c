"""What an operator does with the projections: see where they stand, make them anew, check them, retry."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Final

import msgspec
from psycopg import AsyncConnection

from services.projections import rebuild as rebuilding
from services.projections import retry as retrying
from services.projections import verify as verifying
from services.projections.catalogue import MODELS, VIEWS, ReadModel
from services.projections.deadlines.queries import fetch_alarms
from services.projections.parking import Parked, ParkedRecord, fetch_parked, fetch_parked_records
from services.projections.schema import PROJECTION
from services.projections.search.indexer import make_anew
from services.projections.search.standing import SearchStatus, fetch_search
from services.projections.standing import fetch_standing
from services.projections.verify import VerifyReport
from shared.events.ledger.reader import fetch_head
from shared.policy.clock_starts import calendar_of
from shared.policy.moments import day_of
from shared.runtime.database import service_pool
from shared.runtime.sealing import MasterKey
from shared.runtime.trees import Trees

SEARCH: Final = "search"
"""What the index of texts is called beside the read models."""


class UnknownView(ValueError):
    """No view and no read model is called that; the message names those there are."""


class ShardStatus(msgspec.Struct, frozen=True, kw_only=True):
    projection: str
    shard: int
    position: int
    lag: int
    """Events of the ledger that it has not come to yet."""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    head: int
    """Position of the last event; 0 in an empty ledger."""
    generation: int
    """Raised whenever rows were exchanged under their readers."""
    projections: list[ShardStatus]
    parked: list[Parked]
    records: list[ParkedRecord]
    """Records of Kafka topics that were left out."""
    search: SearchStatus
    overdue: int | None
    """Clocks whose breach stands; None while an upgraded database still makes the read model."""
    awaiting: int | None
    """Clocks that await a calendar; None likewise."""
    calendar_until: date
    """The last day that the calendar knows."""


class RebuildReport(msgspec.Struct, frozen=True, kw_only=True):
    models: list[str]
    position: int
    """At which they stood when they were exchanged."""


class RetryReport(msgspec.Struct, frozen=True, kw_only=True):
    retried: int
    parked: list[Parked]
    """Those that still stand still."""


async def status(url: str) -> Status:
    """Where the ledger and every shard stand, and which streams stand still."""
    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        async with service_pool(url, name="status", connections_max=1) as pool:
            trees = Trees(pool)
            await trees.refresh()
        rules = trees.current.policy(None, day_of(datetime.now(UTC)))
        # The shards first: a lag is then at worst too large by what came in between, never negative.
        standing = await fetch_standing(connection)
        parked = await fetch_parked(connection)
        records = await fetch_parked_records(connection)
        head = (await fetch_head(connection)).position
        alarms = await fetch_alarms(connection)
        search = await fetch_search(connection)
    shards = [
        ShardStatus(projection=PROJECTION, shard=shard, position=position, lag=head - position)
        for shard, position in sorted(standing.positions.items())
    ]
    return Status(
        head=head,
        generation=standing.generation,
        projections=shards,
        parked=parked,
        records=records,
        search=search,
        overdue=alarms and alarms.overdue,
        awaiting=alarms and alarms.awaiting,
        calendar_until=calendar_of(rules).known_until,
    )


async def rebuild(url: str, views: Sequence[str] = ()) -> RebuildReport:
    """Makes the read models of the views anew (by default all) while the present ones are served.

    Raises: UnknownView, rebuild.RebuildBusy, rebuild.ExchangeBlocked.
    """
    models = _models(views)
    position = await rebuilding.rebuild(url, models)
    return RebuildReport(models=[model.name for model in models], position=position)


async def rebuild_search(url: str, master: MasterKey) -> RebuildReport:
    """Makes the index of texts anew; until it returns, not everything is found."""
    return RebuildReport(models=[SEARCH], position=await make_anew(url, master))


async def verify(url: str) -> VerifyReport:
    """Checks the ledger for gaps and every served row against one made from zero.

    Raises: rebuild.RebuildBusy.
    """
    return await verifying.verify(url)


async def retry_parked(url: str) -> RetryReport:
    """Tells every stream that stands still from its beginning."""
    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        before = len(await fetch_parked(connection))
    return RetryReport(retried=before, parked=await retrying.retry_parked(url))


def _models(names: Sequence[str]) -> list[ReadModel]:
    chosen: set[str] = set()
    for name in names or MODELS:
        if name not in MODELS and name not in VIEWS:
            raise UnknownView(f"{name} is none of {', '.join(dict.fromkeys([*VIEWS, *MODELS, SEARCH]))}")
        chosen.update(VIEWS.get(name, (name,)))
    return [model for model in MODELS.values() if model.name in chosen]
