"""What every suite shares: a PostgreSQL and a Kafka for the session, a fresh migrated database for a test."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings

from infra.kafka.broker import Broker, BrokerUnavailable, installation
from services.projections.schema import create_views
from shared.runtime.migrations import SERVICE_ROLE, migrate
from shared.runtime.postgres import OWNER, SUPERUSER, EmbeddedPostgres

# How long an example takes says more of what else the machine does than of the code.
settings.register_profile("anjie", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("anjie")

_TEMPLATE = "migrated"
_numbers = count(1)


@dataclass(frozen=True, kw_only=True)
class Database:
    """A migrated, empty database of a test's own."""

    owner_url: str
    """Logs in as the role that owns every object."""
    url: str
    """Logs in as the service role, which owns nothing but the read models."""


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL of the session's own, fast and not durable, with an empty database `anjie`."""
    # Not pytest's temporary directory: its name is too long for a socket, its mode too narrow for root.
    directory = Path(tempfile.mkdtemp(prefix="anjie-test-"))
    server = EmbeddedPostgres(directory, durable=False)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory)


@pytest.fixture(scope="session")
def migrated_template(postgres: EmbeddedPostgres) -> str:
    """Name of the database that every test's own is a copy of."""
    with psycopg.connect(postgres.url(OWNER, "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {_TEMPLATE}".encode())
    migrate(postgres.url(OWNER, _TEMPLATE), steps=[create_views])
    return _TEMPLATE


@contextmanager
def fresh_database(postgres: EmbeddedPostgres, template: str) -> Iterator[Database]:
    """A migrated, empty database, dropped afterwards with whoever is still connected."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(postgres.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {template}".encode())
        try:
            yield Database(owner_url=postgres.url(OWNER, name), url=postgres.url(SERVICE_ROLE, name))
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def database(postgres: EmbeddedPostgres, migrated_template: str) -> Iterator[Database]:
    """A database of the test's own."""
    with fresh_database(postgres, migrated_template) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def module_database(postgres: EmbeddedPostgres, migrated_template: str) -> Iterator[Database]:
    """A database that the tests of a module share."""
    with fresh_database(postgres, migrated_template) as fresh:
        yield fresh


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    """A broker of the session's own; a test that kills it starts it again. Without one, tests are skipped."""
    directory = Path(tempfile.mkdtemp(prefix="anjie-kafka-"))
    try:
        broker = Broker(installation(), directory)
        broker.start()
        yield broker
        broker.stop()
    except BrokerUnavailable as error:
        pytest.skip(str(error))
    finally:
        shutil.rmtree(directory)


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest) -> str:
    """Bootstrap servers: those of the environment, else those of the session's own broker."""
    given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "").strip()
    if given:
        return given
    own: Broker = request.getfixturevalue("broker")
    return own.bootstrap
