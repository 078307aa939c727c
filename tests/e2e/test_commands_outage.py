"""When the database goes away nothing is acknowledged that was not stored; work goes on when it is back."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.projections.schema import create_views
from shared.runtime.migrations import SERVICE_ROLE, migrate
from shared.runtime.postgres import OWNER, EmbeddedPostgres
from tests.conftest import Database
from tests.e2e.conftest import build_town, serving

BACK_WITHIN_S = 15


@pytest.fixture
def own_postgres() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL that the test may stop."""
    directory = Path(tempfile.mkdtemp(prefix="anjie-outage-"))
    server = EmbeddedPostgres(directory, durable=False)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory)


def test_commands_wait_out_a_short_outage_and_are_told_of_a_long_one(
    own_postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    migrate(own_postgres.url(OWNER), steps=[create_views])
    database = Database(owner_url=own_postgres.url(OWNER), url=own_postgres.url(SERVICE_ROLE))
    with serving(database, tmp_path) as anjie:
        town = build_town(anjie)
        before = town.leader.post("/v1/cases", town.opening(), key="before")
        assert before.status_code == 201
        own_postgres.stop()

        refused = town.leader.post("/v1/cases", town.opening(), key="while it is away")
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.json()["type"] == "/problems/unavailable"
        assert anjie.http.get("/healthz").status_code == 200
        assert anjie.http.get("/readyz").status_code == 503
        path = f"/v1/cases/{before.json()['case_id']}"
        assert town.leader.post(f"{path}/accept-case", version=1).status_code == 503

        own_postgres.start()
        deadline = time.monotonic() + BACK_WITHIN_S
        while (
            again := town.leader.post("/v1/cases", town.opening(), key="while it is away")
        ).status_code == 503:
            assert time.monotonic() < deadline, "it does not come back"
            time.sleep(0.1)
        assert again.status_code == 201
        assert again.json()["position"] == before.json()["position"] + 2, "the refused one left nothing"
        assert town.leader.post("/v1/cases", town.opening(), key="before").json() == before.json()
        assert anjie.http.get("/readyz").status_code == 200
