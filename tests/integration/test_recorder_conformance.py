"""`eventsourcing`'s own conformance classes, and an ordinary application, on the ledger's recorder."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, cast
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import pytest
from eventsourcing.application import AggregateNotFoundError, Application, ProcessingEvent
from eventsourcing.domain import Aggregate, DomainEventProtocol, MutableOrImmutableAggregate, event
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    IntegrityError,
    ProcessRecorder,
    StoredEvent,
    TrackingRecorder,
)
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import EventSourcedProjectionRunner
from eventsourcing.system import ProcessApplication, SingleThreadedRunner, System
from eventsourcing.tests import persistence as conformance
from eventsourcing.utils import Environment
from psycopg.conninfo import conninfo_to_dict

from shared.events.ledger.recorder import (
    Factory,
    LedgerAggregateRecorder,
    LedgerProcessRecorder,
    LedgerRecorder,
)
from tests.conftest import Database


def environment(database: Database) -> dict[str, str]:
    owner = conninfo_to_dict(database.owner_url)
    return {
        "PERSISTENCE_MODULE": "shared.events.ledger.recorder",
        "POSTGRES_DBNAME": str(owner["dbname"]),
        "POSTGRES_HOST": str(owner["host"]),
        "POSTGRES_USER": str(owner["user"]),
        "POSTGRES_PASSWORD": "",
    }


class OnTheLedger:
    """Gives each test of the library a factory on a database of its own."""

    factory: Factory

    @pytest.fixture(autouse=True)
    def _factory(self, database: Database) -> Iterator[None]:
        self.env = Environment(name="Conformance", env=environment(database))
        with cast(Factory, InfrastructureFactory.construct(self.env)) as self.factory:
            yield


class TestAggregateRecorder(OnTheLedger, conformance.AggregateRecorderTestCase):
    def create_recorder(self) -> AggregateRecorder:
        return self.factory.aggregate_recorder()


class TestSnapshotRecorder(OnTheLedger, conformance.AggregateRecorderTestCase):
    def create_recorder(self) -> AggregateRecorder:
        return self.factory.aggregate_recorder("snapshots")


class TestApplicationRecorder(OnTheLedger, conformance.ApplicationRecorderTestCase[ApplicationRecorder]):
    def create_recorder(self) -> ApplicationRecorder:
        return self.factory.application_recorder()

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestTrackingRecorder(OnTheLedger, conformance.TrackingRecorderTestCase):
    def create_recorder(self) -> TrackingRecorder:
        return self.factory.tracking_recorder()


class TestProcessRecorder(OnTheLedger, conformance.ProcessRecorderTestCase):
    def create_recorder(self) -> ProcessRecorder:
        return self.factory.process_recorder()


class TestNotificationsDoNotInterleave(OnTheLedger, conformance.NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> ApplicationRecorder:
        return self.factory.application_recorder()


class _NamedTrackingRecorder(PostgresTrackingRecorder):
    pass


class TestFactory(OnTheLedger, conformance.InfrastructureFactoryTestCase[Factory]):
    def expected_factory_class(self) -> type[Factory]:
        return Factory

    def expected_aggregate_recorder_class(self) -> type[AggregateRecorder]:
        return LedgerAggregateRecorder

    def expected_application_recorder_class(self) -> type[ApplicationRecorder]:
        return LedgerRecorder

    def expected_tracking_recorder_class(self) -> type[TrackingRecorder]:
        return PostgresTrackingRecorder

    def tracking_recorder_subclass(self) -> type[TrackingRecorder]:
        return _NamedTrackingRecorder

    def expected_process_recorder_class(self) -> type[ProcessRecorder]:
        return LedgerProcessRecorder


class Dog(Aggregate):
    @event("Registered")
    def __init__(self, name: str) -> None:
        self.name = name
        self.tricks: list[str] = []

    class TrickAdded(Aggregate.Event):
        trick: str

    @event(TrickAdded)
    def add_trick(self, trick: str) -> None:
        self.tricks.append(trick)


class Kennel(Application[UUID]):
    snapshotting_intervals: ClassVar[dict[type[MutableOrImmutableAggregate[UUID]], int]] = {Dog: 3}

    def register(self, name: str, *tricks: str) -> UUID:
        dog = Dog(name)
        for trick in tricks:
            dog.add_trick(trick)
        self.save(dog)
        return dog.id


class Tally(Aggregate):
    @event("Started")
    def __init__(self, trick: str) -> None:
        self.trick = trick
        self.count = 0

    @staticmethod
    def create_id(trick: str) -> UUID:
        return uuid5(NAMESPACE_URL, trick)

    @event("Counted")
    def increase(self) -> None:
        self.count += 1


class Tallies(ProcessApplication[UUID]):
    """Counts each trick, in aggregates of its own that are stored with the position counted up to."""

    def policy(
        self, domain_event: DomainEventProtocol[UUID], processing_event: ProcessingEvent[UUID]
    ) -> None:
        if isinstance(domain_event, Dog.TrickAdded):
            try:
                tally = cast(Tally, self.repository.get(Tally.create_id(domain_event.trick)))
            except AggregateNotFoundError:
                tally = Tally(domain_event.trick)
            tally.increase()
            processing_event.collect_events(tally)

    def count(self, trick: str) -> int:
        return cast(Tally, self.repository.get(Tally.create_id(trick))).count


def test_an_application_with_snapshots(database: Database) -> None:
    with Kennel(environment(database)) as kennel:
        dog_id = kennel.register("Rex", "roll", "sit", "roll", "beg")
        assert cast(Dog, kennel.repository.get(dog_id)).tricks == ["roll", "sit", "roll", "beg"]
        assert cast(Dog, kennel.repository.get(dog_id, version=2)).tricks == ["roll"]
        assert kennel.snapshots is not None
        assert [snapshot.originator_version for snapshot in kennel.snapshots.get(dog_id)] == [3]
        first = cast(Dog, kennel.repository.get(dog_id))
        second = cast(Dog, kennel.repository.get(dog_id))
        first.add_trick("jump")
        kennel.save(first)
        second.add_trick("hide")
        with pytest.raises(IntegrityError):
            kennel.save(second)


def test_a_system_of_a_leader_and_a_process(database: Database) -> None:
    with SingleThreadedRunner[UUID](System([[Kennel, Tallies]]), environment(database)) as runner:
        kennel, tallies = runner.get(Kennel), runner.get(Tallies)
        kennel.register("Rex", "roll", "sit", "roll")
        kennel.register("Fido", "roll")
        assert (tallies.count("roll"), tallies.count("sit")) == (3, 1)
        assert tallies.recorder.max_tracking_id("Kennel") == kennel.recorder.max_notification_id()


def test_a_projection_goes_on_where_it_stopped(database: Database) -> None:
    env = environment(database)
    counts = []
    with Kennel(env) as kennel:
        for _ in range(2):
            kennel.register("Rex", "roll", "sit")
            with EventSourcedProjectionRunner(
                application_class=Kennel, projection_class=Tallies, env=env
            ) as runner:
                kennel.register("Fido", "roll")
                runner.wait(kennel.recorder.max_notification_id(), timeout=10)
                counts.append((runner.projection.count("roll"), runner.projection.count("sit")))
    assert counts == [(2, 1), (4, 2)]


def test_a_subscription_misses_nothing_while_many_write(database: Database) -> None:
    writers, writes = 6, 40
    with Kennel(environment(database)) as kennel, ThreadPoolExecutor(writers) as pool:
        with kennel.recorder.subscribe(gt=0) as subscription:
            for _ in range(writers):
                pool.submit(lambda: [kennel.register("Rex", "roll", "sit") for _ in range(writes)])
            seen = [next(subscription).id for _ in range(writers * writes * 3)]
        assert seen == list(range(1, writers * writes * 3 + 1))


def test_streams_are_named_by_uuids_only(database: Database) -> None:
    with pytest.raises(OSError, match="uuid"):
        Factory(Environment(env={**environment(database), "ORIGINATOR_ID_TYPE": "text"}))


def test_every_application_has_positions_of_its_own(database: Database) -> None:
    recorders = [
        Factory(Environment(name=name, env=environment(database))).application_recorder()
        for name in ("North", "South")
    ]
    for recorder in recorders:
        stored = StoredEvent(uuid4(), 1, "topic", b"{}")
        assert recorder.insert_events([stored]) == [1]
