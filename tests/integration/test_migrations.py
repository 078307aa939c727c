"""Migrations: each once, in order, never changed, whoever runs them at the same time."""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from services.projections.schema import create_views
from shared.runtime.migrations import LEDGER_MIGRATIONS, SERVICE_ROLE, MigrationFailed, migrate, pending
from shared.runtime.postgres import OWNER, SUPERUSER, EmbeddedPostgres
from tests.conftest import Database


def write(directory: Path, name: str, statements: str) -> None:
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(statements)


@pytest.fixture
def empty(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """A database without any history of migrations."""
    with psycopg.connect(postgres.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE blank OWNER {OWNER}".encode())
        try:
            yield Database(owner_url=postgres.url(OWNER, "blank"), url=postgres.url(SERVICE_ROLE, "blank"))
        finally:
            connection.execute(b"DROP DATABASE blank WITH (FORCE)")


def test_each_file_is_applied_once_by_however_many_runs(empty: Database, tmp_path: Path) -> None:
    write(tmp_path, "0001_first.sql", "CREATE TABLE public.runs (n int); SELECT pg_sleep(0.2)")
    write(tmp_path, "0002_second.sql", "INSERT INTO public.runs VALUES (1)")
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(lambda _: migrate(empty.owner_url, directory=tmp_path), range(4)))
    assert sorted(applied) == [[], [], [], ["first", "second"]]
    with psycopg.connect(empty.owner_url) as connection:
        assert connection.execute("SELECT count(*) FROM public.runs").fetchone() == (1,)
        assert pending(connection, tmp_path) == []


def test_changed_history_is_refused(empty: Database, tmp_path: Path) -> None:
    write(tmp_path, "0001_first.sql", "CREATE TABLE public.runs (n int)")
    migrate(empty.owner_url, directory=tmp_path)
    write(tmp_path, "0001_first.sql", "CREATE TABLE public.runs (n bigint)")
    with pytest.raises(MigrationFailed, match="0001_first was changed"):
        migrate(empty.owner_url, directory=tmp_path)


def test_a_database_ahead_of_the_program_is_refused(empty: Database, tmp_path: Path) -> None:
    write(tmp_path, "0001_first.sql", "SELECT 1")
    migrate(empty.owner_url, directory=tmp_path)
    (tmp_path / "0001_first.sql").unlink()
    with pytest.raises(MigrationFailed, match="newer than this version"):
        migrate(empty.owner_url, directory=tmp_path)


def test_a_failing_file_leaves_nothing_of_itself(empty: Database, tmp_path: Path) -> None:
    write(tmp_path, "0001_first.sql", "CREATE TABLE public.whole (n int)")
    write(tmp_path, "0002_second.sql", "CREATE TABLE public.half (n int); SELECT 1/0")
    with pytest.raises(MigrationFailed, match="0002_second: division by zero"):
        migrate(empty.owner_url, directory=tmp_path)
    with psycopg.connect(empty.owner_url) as connection:
        assert pending(connection, tmp_path) == ["second"]
        names = "SELECT to_regclass('public.whole') IS NULL, to_regclass('public.half') IS NULL"
        assert connection.execute(names).fetchone() == (False, True)


def test_a_gap_in_the_numbers_is_refused(empty: Database, tmp_path: Path) -> None:
    write(tmp_path, "0002_second.sql", "SELECT 1")
    with pytest.raises(MigrationFailed, match=r"expected 0001_name\.sql"):
        migrate(empty.owner_url, directory=tmp_path)


def test_a_busy_table_only_delays_a_migration(empty: Database, tmp_path: Path) -> None:
    write(tmp_path, "0001_first.sql", "CREATE TABLE public.busy (n int)")
    migrate(empty.owner_url, directory=tmp_path)
    write(tmp_path, "0002_second.sql", "ALTER TABLE public.busy ADD m int")
    with ThreadPoolExecutor(1) as pool, psycopg.connect(empty.owner_url) as reader:
        reader.execute("SELECT * FROM public.busy")
        run = pool.submit(migrate, empty.owner_url, directory=tmp_path)
        # Longer than one wait for the lock: the first attempt has been given up by now.
        reader.execute("SELECT pg_sleep(3.5)")
        reader.rollback()
        assert run.result(timeout=20) == ["second"]


def test_who_has_chosen_no_password_chooses_one_after_the_change(empty: Database, tmp_path: Path) -> None:
    """Given accounts of before: what is known of who knows their passwords decides."""
    for file in sorted(LEDGER_MIGRATIONS.glob("*.sql"))[:15]:
        write(tmp_path, file.name, file.read_text())
    migrate(empty.owner_url, directory=tmp_path)
    done_to = {
        "by command before changes were kept": (),
        "by command": (("ADDED", None),),
        "by an officer": (("ADDED", "officer"),),
        "with another since": (("ADDED", "officer"), ("PASSWORD", "its owner")),
        "reset afterwards": (("PASSWORD", "its owner"), ("PASSWORD", "operator"), ("DISABLED", "its owner")),
    }
    with psycopg.connect(empty.owner_url) as connection:
        adding = """
            INSERT INTO runtime.accounts (login, hash, actor_ref, role, clearances)
            VALUES (%s, %s, 'its owner', 'operator', '{}') RETURNING account_id
        """
        for login, changes in done_to.items():
            row = connection.execute(adding, (login, "hash")).fetchone()
            assert row is not None
            for change, by in changes:
                connection.execute(
                    "INSERT INTO runtime.account_changes (account_id, change, by_ref, role, clearances)"
                    " VALUES (%s, %s, %s, 'operator', '{}')",
                    (row[0], change, by),
                )
        connection.execute(adding, ("of the demo", None))
    assert migrate(empty.owner_url)[:1] == ["given_passwords"]
    with psycopg.connect(empty.owner_url) as connection:
        chosen = (
            "SELECT array_agg(login ORDER BY login) FROM runtime.accounts WHERE password_given_at IS NULL"
        )
        assert connection.execute(chosen).fetchone() == (["of the demo", "with another since"],)
        connection.execute(adding, ("by a process of before", "hash"))
        assert connection.execute(chosen).fetchone() == (["of the demo", "with another since"],)


def test_the_service_role_owns_nothing_but_the_read_models(database: Database) -> None:
    with psycopg.connect(database.url) as connection:
        owned = """
            SELECT DISTINCT split_part(relnamespace::regnamespace::text, '_', 1)
            FROM pg_class WHERE relkind IN ('r', 'v', 'S') AND pg_get_userbyid(relowner) = current_user
        """
        assert connection.execute(owned).fetchall() == [("views",)]
        assert pending(connection) == []
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM runtime.migrations")


@pytest.fixture(scope="module")
def hosted() -> Iterator[EmbeddedPostgres]:
    """A server whose administrator gave the product a database, and an owner who may make no roles."""
    with tempfile.TemporaryDirectory(prefix="anjie-test-") as directory:
        server = EmbeddedPostgres(Path(directory), durable=False)
        server.start()
        try:
            with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
                connection.execute(b"CREATE ROLE hosted_owner LOGIN; CREATE ROLE hosted_login LOGIN")
                connection.execute(b"CREATE DATABASE one OWNER hosted_owner")
                connection.execute(b"CREATE DATABASE two OWNER hosted_owner")
            yield server
        finally:
            server.stop()


def test_without_a_role_of_its_own_triggers_keep_the_ledger_from_change(hosted: EmbeddedPostgres) -> None:
    url = hosted.url("hosted_owner", "one")
    migrate(url, steps=[create_views])
    assert migrate(url, steps=[create_views]) == []
    with psycopg.connect(url, autocommit=True) as connection:
        assert connection.execute(
            "SELECT count(*) FROM pg_roles WHERE rolname = 'anjie_service'"
        ).fetchone() == (0,)
        for statement in (
            "UPDATE ledger.events SET data = ''",
            "DELETE FROM ledger.events",
            "TRUNCATE ledger.events",
        ):
            with pytest.raises(psycopg.errors.RestrictViolation):
                connection.execute(statement.encode())


def test_what_only_an_administrator_may_do_is_asked_for(hosted: EmbeddedPostgres) -> None:
    owner = hosted.url("hosted_owner", "two")
    needed = (
        "CREATE ROLE anjie_service",
        "GRANT anjie_service TO hosted_login",
        "GRANT anjie_service TO hosted_owner",
    )
    with psycopg.connect(hosted.url(SUPERUSER, "postgres"), autocommit=True) as administrator:
        for statement in needed:
            with pytest.raises(MigrationFailed) as refusal:
                migrate(owner, service_login="hosted_login", steps=[create_views])
            assert str(refusal.value).endswith(f": {statement}")
            administrator.execute(statement.encode())
    migrate(owner, service_login="hosted_login", steps=[create_views])
    with psycopg.connect(hosted.url("hosted_login", "two"), autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM ledger.events").fetchone() == (0,)
        connection.execute("DELETE FROM views.parked")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM ledger.events")
