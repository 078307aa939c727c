"""The ledger under ordinary `eventsourcing` applications: `PERSISTENCE_MODULE=shared.events.ledger.recorder`.

The environment is that of `eventsourcing.postgres`. Events go through the same SQL function
as the product's, installed in a schema of the application's own; tracking and snapshots
are the library's. Stream ids are UUIDs.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Flag
from typing import Any, Final, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from eventsourcing import postgres
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    IntegrityError,
    InterfaceError,
    Notification,
    OperationalError,
    ProcessRecorder,
    StoredEvent,
    Subscription,
    Tracking,
)
from eventsourcing.utils import Environment, EnvType, retry
from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.sql import SQL, Composed, Identifier

from shared.events.ledger import wire
from shared.events.recorded import Append, Metadata, NewEvent

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_SCHEMAS: Final = re.compile(r"\b(ledger|vault)(?=[.;])")
"""Both schemas of the product's ledger, where its statements name them."""

_POLL_S: Final = 0.015
_SELECT_MAX: Final = 500
_APPLICATION: Final = "application"
_NO_POLICY: Final = "none"
_UNCORRELATED: Final = uuid5(NAMESPACE_URL, "urn:anjie:uncorrelated")

_Recorder = TypeVar("_Recorder", bound=postgres.PostgresRecorder)

_retried = retry((InterfaceError, OperationalError), max_attempts=10, wait=0.2)


def _statements(schema: str) -> str:
    """What makes a ledger in a schema of any name, where streams may begin at version 0."""
    files = ("0001_ledger.sql", "0002_vault.sql", "0003_append.sql")
    text = "\n".join((_MIGRATIONS / file).read_text() for file in files)
    quoted = Identifier(schema).as_string()
    text = _SCHEMAS.sub(lambda _: quoted, text)
    return f"{text}\nALTER TABLE {quoted}.events DROP CONSTRAINT events_version_from_1;"


class LedgerAggregateRecorder(postgres.PostgresRecorder, AggregateRecorder):
    """Records the events of aggregates in a ledger of its own.

    Every event is recorded as the application's own, at the instant it is inserted.
    """

    def __init__(self, datastore: postgres.PostgresDatastore, *, ledger_schema: str) -> None:
        super().__init__(datastore)
        self.check_identifier_length(ledger_schema)
        self.ledger_schema = ledger_schema
        self._events = Identifier(ledger_schema, "events")
        self._append_query = wire.append_query(ledger_schema)
        self._types: wire.TypeIds | None = None

    def create_table(self) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (self.ledger_schema,))
            cursor.execute("SELECT FROM pg_namespace WHERE nspname = %s", (self.ledger_schema,))
            if cursor.fetchone() is None:
                cursor.execute(_statements(self.ledger_schema).encode())
        super().create_table()

    @_retried
    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        if stored_events:
            with self.datastore.get_connection() as connection:
                self._append(connection, stored_events)
        return None

    @_retried
    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        query = SQL("""
            SELECT stream_id, version, topic, data FROM {events}
            WHERE stream_id = %s AND version > %s AND version <= %s ORDER BY version {order} LIMIT %s
        """).format(events=self._events, order=SQL("DESC" if desc else "ASC"))
        bounds = (-1 if gt is None else gt, 2**31 - 1 if lte is None else lte, limit)
        return [
            StoredEvent(row["stream_id"], row["version"], row["topic"], row["data"])
            for row in self._select(query, (originator_id, *bounds))
        ]

    def _select(self, query: Composed, parameters: Sequence[object]) -> list[DictRow]:
        with self.datastore.get_connection() as connection, connection.cursor(binary=True) as cursor:
            return cursor.execute(query, parameters, prepare=True).fetchall()

    def _append(self, connection: Connection[DictRow], stored_events: Sequence[StoredEvent]) -> Sequence[int]:
        """The positions of the events. Raises: IntegrityError."""
        wire.register(connection)
        cursor = connection.cursor(binary=True)
        if self._types is None:
            [row] = cursor.execute(wire.type_ids_query(self.ledger_schema)).fetchall()
            self._types = wire.TypeIds(*row.values())
        try:
            encoded = wire.encode(_append_of(stored_events))
        except ValueError as error:
            raise IntegrityError(str(error)) from error
        parameters = wire.group_parameters([encoded], self._types)
        [row] = cursor.execute(self._append_query, parameters, prepare=True).fetchall()
        if row["refused"] is not None:
            raise IntegrityError(row["outcomes"][0])
        first = row["head"] + 1
        return list(range(first, first + len(stored_events)))


class LedgerRecorder(LedgerAggregateRecorder, ApplicationRecorder):
    """Records the events of an application; the id of a notification is its position."""

    @_retried
    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        if not stored_events:
            return None
        with self.datastore.get_connection() as connection:
            return self._append(connection, stored_events)

    @_retried
    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        query = SQL("""
            SELECT position, stream_id, version, topic, data FROM {events}
            WHERE position > %s AND position <= %s {topics} ORDER BY position LIMIT %s
        """).format(events=self._events, topics=SQL("AND topic = ANY(%s)" if topics else ""))
        after = 0 if start is None else start - inclusive_of_start
        parameters = (after, 2**63 - 1 if stop is None else stop, *([list(topics)] if topics else ()), limit)
        return [
            Notification(row["stream_id"], row["version"], row["topic"], row["data"], row["position"])
            for row in self._select(query, parameters)
        ]

    @_retried
    def max_notification_id(self) -> int | None:
        [row] = self._select(SQL("SELECT max(position) FROM {events}").format(events=self._events), ())
        head: int | None = row["max"]
        return head

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> "LedgerSubscription":
        return LedgerSubscription(self, gt, topics)


class LedgerSubscription(Subscription[LedgerRecorder]):
    """Follows the dense positions, so nothing is missed between a read and a signal."""

    def __init__(self, recorder: LedgerRecorder, gt: int | None, topics: Sequence[str]) -> None:
        super().__init__(recorder, gt, topics)
        self._position = gt or 0
        self._batch: Iterator[Notification] = iter(())
        self._stopped = Flag()

    def stop(self) -> None:
        super().stop()
        self._stopped.set()

    def __next__(self) -> Notification:
        while not self._stopped.is_set():
            for notification in self._batch:
                return notification
            if not self._read():
                self._stopped.wait(_POLL_S)
        raise StopIteration

    def _read(self) -> bool:
        """Reads the next batch; False when nothing was recorded since the last one."""
        head = self._recorder.max_notification_id() or 0
        if head <= self._position:
            return False
        batch = self._recorder.select_notifications(
            self._position, _SELECT_MAX, head, self._topics, inclusive_of_start=False
        )
        # A short batch has all there is up to the head, so other topics aren't looked through again.
        self._position = batch[-1].id if len(batch) == _SELECT_MAX else head
        self._batch = iter(batch)
        return True


class LedgerProcessRecorder(postgres.PostgresTrackingRecorder, LedgerRecorder, ProcessRecorder):
    """Records events together with the position of the event that they follow from."""

    def __init__(
        self, datastore: postgres.PostgresDatastore, *, ledger_schema: str, tracking_table_name: str
    ) -> None:
        super().__init__(datastore, tracking_table_name=tracking_table_name, ledger_schema=ledger_schema)

    @_retried
    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        tracking: Tracking | None = kwargs.get("tracking")
        with self.datastore.get_connection() as connection, connection.transaction():
            if tracking is not None:
                with connection.cursor() as cursor:
                    self._insert_tracking(cursor, tracking)
            return self._append(connection, stored_events) if stored_events else None


class Factory(postgres.PostgresFactory):
    """Makes recorders on one database; each application name has a ledger schema of its own."""

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        if self.datastore.originator_id_type != "uuid":
            raise OSError(f"{self.ORIGINATOR_ID_TYPE} must be 'uuid': the ledger knows no other stream ids")

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        if purpose != "events":
            return super().aggregate_recorder(purpose)
        return self._created(LedgerAggregateRecorder(self.datastore, ledger_schema=self._ledger_schema()))

    def application_recorder(self) -> ApplicationRecorder:
        return self._created(LedgerRecorder(self.datastore, ledger_schema=self._ledger_schema()))

    def process_recorder(self) -> ProcessRecorder:
        prefix = self.env.name.lower() or "notification"
        return self._created(
            LedgerProcessRecorder(
                self.datastore, ledger_schema=self._ledger_schema(), tracking_table_name=f"{prefix}_tracking"
            )
        )

    def _ledger_schema(self) -> str:
        """Named like the library's table of events, and after the schema that the environment names."""
        name = f"{self.env.name.lower() or 'stored'}_ledger"
        return name if self.datastore.schema == "public" else f"{self.datastore.schema}_{name}"

    def _created(self, recorder: _Recorder) -> _Recorder:
        if self.env_create_table():
            recorder.create_table()
        return recorder


def _append_of(stored_events: Sequence[StoredEvent]) -> Append:
    metadata = Metadata(
        occurred_at=datetime.now(UTC),
        actor_ref=_APPLICATION,
        actor_role=_APPLICATION,
        unit=None,
        correlation_id=_UNCORRELATED,
        policy=_NO_POLICY,
    )
    events = [
        NewEvent(
            originator_id=stored.originator_id,
            originator_version=stored.originator_version,
            topic=stored.topic,
            state=stored.state,
            event_id=uuid4(),
            schema_version=1,
        )
        for stored in stored_events
    ]
    return Append(events=events, metadata=metadata)
