"""The whole product with Kafka in the middle: what was commanded is read, what is false is parked."""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from uuid import uuid4

import httpx
import msgspec
import pytest
from kafka import KafkaProducer

from tests.integration.test_serve import eventually, token
from tests.product import Product, anjie, serving


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="anjie-test-") as directory:
        yield Path(directory)


def register(product: Product, name: str) -> int:
    """Registers a township and answers the position."""
    headers = {**operator(product), "Idempotency-Key": uuid4().hex}
    body = {"kind": "TOWNSHIP", "name": name}
    answer = httpx.post(f"{product.url}/v1/units", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["position"])


def operator(product: Product) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(product.data_dir, 'operator')}"}


def read(product: Product, position: int) -> httpx.Response:
    """What stands at a position, once the read models are there; 503 where they aren't in time."""
    return httpx.get(
        f"{product.url}/v1/events",
        params={"min_position": position, "after": position - 1},
        headers=operator(product),
        timeout=30,
    )


def parked(product: Product) -> list[dict[str, object]]:
    found: list[dict[str, object]] = msgspec.json.decode(
        anjie("status", "--json", data_dir=product.data_dir).stdout
    )["parked"]
    return found


def test_what_was_commanded_is_read_through_kafka_and_what_is_false_is_parked(
    kafka: str, data_dir: Path
) -> None:
    prefix = f"test-{uuid4().hex}"
    with serving(data_dir, KAFKA_BOOTSTRAP_SERVERS=kafka, ANJIE_KAFKA_PREFIX=prefix) as product:
        first = register(product, "余东镇")
        # Meanwhile the relay makes the topics and the projector finds them.
        assert eventually(lambda: read(product, first).is_success)
        for name in ("三星镇", "常乐镇"):
            position = register(product, name)
            told = read(product, position)
            assert told.status_code == 200, told.text
            assert msgspec.json.decode(told.text.splitlines()[0])["position"] == position
        with KafkaProducer(bootstrap_servers=kafka) as producer:
            sent = producer.send(f"{prefix}.events", b"hello", b"nobody", partition=2).get(timeout=10)
        assert eventually(partial(parked, product))
        assert parked(product) == [
            {
                "source": "kafka",
                "topic": f"{prefix}.events",
                "partition": 2,
                "offset": sent.offset,
                "stream_id": None,
                "position": None,
                "reason": "not from this ledger",
            }
        ]
        assert "anjie_parked_records 1.0" in httpx.get(f"{product.url}/metrics").text
        register(product, "德胜镇")
        assert anjie("verify", data_dir=product.data_dir).returncode == 0
        assert anjie("retry", data_dir=product.data_dir).returncode == 0
        assert parked(product) == []
