"""The same projector under the framework's own runner: one event, one transaction."""

import time
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import psycopg
from eventsourcing.application import Application
from eventsourcing.persistence import Mapper, StoredEvent, Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from services.projections.catalogue import MODELS, TABLES, projector_of
from services.projections.schema import model_statements
from services.projections.shards import shard_of
from services.projections.temporal import Story, TemporalRow
from shared.events.recorded import Recorded
from shared.events.registry import event_of

_TIMEOUT_S: Final = 120.0

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Recorded).decode


class RecordedMapper(Mapper[UUID]):
    """Stores our events as they are, so that decoding costs the framework no more than it costs us."""

    def __init__(self) -> None:
        pass

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        return _decode(stored_event.state)


class StockApplication(Application[UUID]):
    name = "stock"

    def construct_mapper(self) -> Mapper[UUID]:
        return RecordedMapper()


class StockView(PostgresTrackingRecorder):
    """Writes the rows of one event and its tracking in one transaction."""

    def write(self, recorded: Recorded, rows: Sequence[TemporalRow], tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            for row in rows:
                if row.known_from == recorded.position:
                    self._begin(cursor, recorded, row)
                else:
                    self._end(cursor, recorded, row)
            self._insert_tracking(cursor, tracking)

    def _begin(self, cursor: psycopg.Cursor[Any], recorded: Recorded, row: TemporalRow) -> None:
        table = TABLES[row.row.table]
        values = [
            *(recorded.stream_id, shard_of(recorded.stream_id), row.known_from, row.known_until),
            *(row.occurred_from, row.occurred_until or "infinity", row.closed_at, row.key),
            *(
                Jsonb([{"topic": topic, "position": position} for topic, position in value])
                if kind == "jsonb"
                else list(value)
                if kind.endswith("[]")
                else value
                for value, kind in zip(row.row.values, table.columns.values(), strict=True)
            ),
        ]
        statement = SQL("INSERT INTO {} ({}) VALUES ({})").format(
            Identifier(self.datastore.schema, table.name),
            SQL(", ").join(map(Identifier, table.all_columns)),
            SQL(", ").join([SQL("%s")] * len(values)),
        )
        cursor.execute(statement, values, prepare=True)

    def _end(self, cursor: psycopg.Cursor[Any], recorded: Recorded, row: TemporalRow) -> None:
        statement = SQL(
            "UPDATE {} SET known_until = %s, closed_at = %s, occurred_until = %s"
            " WHERE stream_id = %s AND known_from = %s AND row_key = %s"
        ).format(Identifier(self.datastore.schema, row.row.table))
        until = row.occurred_until or "infinity"
        changed = (row.known_until, row.closed_at, until)
        which = (recorded.stream_id, row.known_from, row.key)
        cursor.execute(statement, (*changed, *which), prepare=True)


class StockProjection(Projection[StockView]):
    """Tells the streams with the product's own projectors, all of them kept in memory."""

    name = "stock_projection"
    topics = ()

    def __init__(self, view: StockView) -> None:
        super().__init__(view)
        self._stories: dict[UUID, Story[Any]] = {}

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        recorded: Recorded = domain_event
        touched: list[TemporalRow] = []
        projector = projector_of(recorded.topic)
        if projector is not None:
            story = self._stories.setdefault(recorded.stream_id, Story(projector))
            touched = story.tell(recorded, event_of(recorded))
        self.view.write(recorded, touched, tracking)


def stock_events_per_second(owner_url: str, events: Sequence[Recorded], *, schema: str) -> float:
    """How many events a second the framework's runner projects into a schema of its own."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}; SET search_path = {schema}".encode())
        for statements in model_statements(MODELS.values(), "tables", "indexes"):
            connection.execute(statements)
    place = conninfo_to_dict(owner_url)
    env = {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(place["dbname"]),
        "POSTGRES_HOST": str(place["host"]),
        "POSTGRES_PORT": str(place.get("port") or 5432),
        "POSTGRES_USER": str(place["user"]),
        "POSTGRES_PASSWORD": "",
        "POSTGRES_SCHEMA": schema,
    }
    with StockApplication(env) as application:
        stored = [
            StoredEvent(event.stream_id, event.version, event.topic, _encode(event)) for event in events
        ]
        for first in range(0, len(stored), 500):
            application.recorder.insert_events(stored[first : first + 500])
    started = time.perf_counter()
    with ProjectionRunner(
        application_class=StockApplication,
        projection_class=StockProjection,
        view_class=StockView,
        env=env,
    ) as runner:
        runner.wait(len(stored), timeout=_TIMEOUT_S)
        return len(stored) / (time.perf_counter() - started)
