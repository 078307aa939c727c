"""An installation on a database of the operator's own, and when demo sets go into a ledger."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import psycopg
import pytest

from services.installation import InstallationUnfit, demo_sets, signing_secret
from shared.runtime.postgres import OWNER, SUPERUSER, EmbeddedPostgres
from shared.runtime.secrets import Secrets
from shared.runtime.settings import Settings, read_settings
from tests.conftest import Database
from tests.product import anjie, serving


@pytest.fixture
def unmigrated(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """An empty database, and a login of the operator's own choice for services."""
    with psycopg.connect(postgres.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE own OWNER {OWNER}".encode())
        connection.execute(b"CREATE ROLE own_login LOGIN")
        try:
            yield Database(owner_url=postgres.url(OWNER, "own"), url=postgres.url("own_login", "own"))
        finally:
            connection.execute(b"DROP DATABASE own WITH (FORCE)")
            connection.execute(b"DROP ROLE own_login")


def test_a_part_of_the_product_on_a_database_of_the_operators_own(
    unmigrated: Database, tmp_path: Path
) -> None:
    refused = anjie("serve", data_dir=tmp_path, DATABASE_URL=unmigrated.url)
    assert (refused.returncode, refused.stderr) == (
        2,
        "anjie: the database isn't migrated; run anjie migrate\n",
    )
    migrated = anjie(
        "migrate", data_dir=tmp_path, DATABASE_URL=unmigrated.url, DATABASE_OWNER_URL=unmigrated.owner_url
    )
    assert migrated.returncode == 0, migrated.stderr
    with serving(tmp_path, "--only", "intake,projector", DATABASE_URL=unmigrated.url) as product:
        assert httpx.get(f"{product.url}/readyz").status_code == 200
        statuses = {path: httpx.get(product.url + path).status_code for path in ("/v1/units", "/v1/kpi")}
        # Intake has the former, though not to be read; nobody here has the latter.
        assert statuses == {"/v1/units": 405, "/v1/kpi": 404}
        assert not (tmp_path / "postgres").exists()


def test_an_unreachable_database_is_named(tmp_path: Path) -> None:
    refused = anjie("status", data_dir=tmp_path, DATABASE_URL=f"postgresql://nobody@/none?host={tmp_path}")
    assert refused.returncode == 2
    assert refused.stderr.startswith("anjie: the database can't be reached: ")
    assert len(refused.stderr.splitlines()) == 1


def test_demo_sets_go_into_an_empty_ledger_and_on_from_where_they_were(
    database: Database, tmp_path: Path
) -> None:
    by_default = replace(read_settings({}), data_dir=tmp_path, database_url=database.url)
    assert demo_sets(by_default) == ("haimen", "huinan")
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        # Any event will do; the append function isn't what is tried here.
        connection.execute(
            """
            INSERT INTO ledger.events (
                position, recorded_at, occurred_at, stream_id, event_id, correlation_id, version,
                schema_version, topic, actor_ref, actor_role, policy, data
            ) SELECT 1, now(), now(), id, id, id, 1, 1, 'unit.registered', 'o', 'operator', 'p', '{}'
              FROM gen_random_uuid() AS id
            """
        )
    # Cut off in the first set: both go on, or what the operator now wants of them.
    assert demo_sets(by_default) == ("haimen", "huinan")
    assert demo_sets(replace(by_default, demo=("huinan",), demo_chosen=True)) == ("huinan",)
    assert demo_sets(replace(by_default, demo=(), demo_chosen=True)) == ()
    (tmp_path / "demo-begun").unlink()
    assert demo_sets(by_default) == ()  # a ledger with somebody's own events in it
    (tmp_path / "no-demo").touch()
    assert demo_sets(by_default) == ()


def test_after_starting_over_only_a_chosen_set_is_loaded(database: Database, tmp_path: Path) -> None:
    (tmp_path / "no-demo").touch()
    by_default = replace(read_settings({}), data_dir=tmp_path, database_url=database.url)
    assert demo_sets(by_default) == ()
    assert demo_sets(replace(by_default, demo=("haimen",), demo_chosen=True)) == ("haimen",)


def test_whoever_signs_tokens_elsewhere_is_not_imitated() -> None:
    with pytest.raises(InstallationUnfit, match="ANJIE_JWKS_URL"):
        signing_secret(Secrets(master_key=bytes(32), jwt_secret=None, jwks_url="https://login.example/keys"))


def test_addresses() -> None:
    assert Settings(host="::", port=80).address == "http://[::]:80"
    assert Settings(host="::", port=80).local_address == "http://[::1]:80"
    assert Settings(host="0.0.0.0", port=80).local_address == "http://127.0.0.1:80"
