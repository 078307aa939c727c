"""The subscriber of the documentation, run with the AsyncAPI document alone, gets the service's numbers."""

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
import pytest

from tests.conftest import Database
from tests.histories import County, any_moves, play
from tests.integration.test_serve import eventually, token
from tests.kafka.test_views import write
from tests.product import Product, anjie, serving

SUBSCRIBER: Final = Path(__file__).parents[2] / "docs" / "subscriber.py"


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="anjie-test-") as directory:
        yield Path(directory)


def served(product: Product, units: tuple[UUID, ...], position: int) -> dict[str, int]:
    """What the service says that each unit itself holds."""
    held = {}
    for unit in units:
        answer = httpx.get(
            f"{product.url}/v1/backlog",
            params={"by": "holder", "unit": str(unit), "at_position": position},
            headers={"Authorization": f"Bearer {token(product.data_dir, 'auditor')}"},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        [held[str(unit)]] = [row["open"] for row in answer.json()["rows"] if row["unit_id"] == str(unit)]
    return {unit: held_open for unit, held_open in held.items() if held_open}


def test_the_subscriber_gets_the_services_numbers(kafka: str, database: Database, data_dir: Path) -> None:
    county = County()
    county.settle()
    play(county, [*any_moves(Random(10), 300), *[("open", which, which, 0) for which in range(6)]])
    asyncio.run(write(database.url, county.appends))
    prefix = f"test-{uuid4().hex}"
    settings = {
        "DATABASE_URL": database.url,
        "DATABASE_OWNER_URL": database.owner_url,
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "ANJIE_KAFKA_PREFIX": prefix,
    }
    # Without the clock, which would go on recording what has fallen due.
    with serving(data_dir, "--only", "intake,resolution,projections,projector,relay", **settings) as product:
        document = data_dir / "asyncapi.json"
        document.write_bytes(httpx.get(f"{product.url}/asyncapi.json").content)

        def subscribed(*options: str) -> dict[str, int]:
            done = subprocess.run(
                [sys.executable, "-I", str(SUBSCRIBER), kafka, str(document), "--prefix", prefix, *options],
                cwd=data_dir,
                check=True,
                capture_output=True,
                timeout=60,
            )
            held: dict[str, int] = json.loads(done.stdout)
            return held

        def standing() -> dict[str, Any]:
            status: dict[str, Any] = json.loads(
                anjie("status", "--json", data_dir=data_dir, **settings).stdout
            )
            return {"head": status["head"], **(status["relay"] or {})}

        # The product has recorded its own rules at its start.
        assert eventually(lambda: (now := standing()).get("views_position") == now["head"] > county.position)
        head = standing()["head"]
        for position in (head // 3, head):
            expected = served(product, county.units, position)
            assert sum(expected.values()) > 0
            assert subscribed("--until", str(position)) == expected
        assert subscribed("--view") == expected
        assert f"anjie_relay_views_position {float(head)}" in httpx.get(f"{product.url}/metrics").text
