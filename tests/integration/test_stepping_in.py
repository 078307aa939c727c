"""Somebody of the demo is stepped into where nobody else can: a demo, our own database, this machine."""

from pathlib import Path

import httpx
import pytest

from tests.conftest import Database
from tests.product import anjie, serving

STEP_IN = {"person": "mediator"}


def stepping_in(url: str) -> httpx.Response:
    with httpx.Client(base_url=url) as browser:
        assert ('name="person"' in browser.get("/sign-in").text) is (
            browser.post("/sign-in", data=STEP_IN).status_code == 303
        )
        return browser.get("/v1/me")


@pytest.fixture
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("d")


def test_in_the_demo_of_this_machine(data_dir: Path) -> None:
    with serving(data_dir, ANJIE_DEMO="haimen") as product:
        assert stepping_in(product.url).json()["role"] == "mediator"
        listed = anjie("account", "list", data_dir=data_dir)
        assert "yudong-xinhe-37-mediator-1  (no password)" in listed.stdout
        refused = httpx.post(f"{product.url}/sign-in", data={"login": "Zhang.San", "password": "x"})
        assert refused.status_code == 401
        counted = httpx.get(f"{product.url}/metrics").text.splitlines()
        told = (
            'anjie_sign_ins_total{outcome="signed_in"} 1.0',
            'anjie_sign_ins_total{outcome="refused"} 1.0',
        )
        assert set(counted) >= set(told)
        logged = product.log()
        assert b'"event":"signed_in"' in logged
        assert b'"event":"sign_in_refused"' in logged
        assert not any(clear in logged for clear in (b"Zhang.San", b"yudong-xinhe-37-mediator-1"))


@pytest.mark.parametrize(
    "changes", [{"ANJIE_DEMO": "off"}, {"ANJIE_DEMO": "huinan"}, {"ANJIE_HOST": "0.0.0.0"}]
)
def test_not_without_it_nor_where_others_can_reach(data_dir: Path, changes: dict[str, str]) -> None:
    with serving(data_dir, **{"ANJIE_DEMO": "haimen"} | changes) as product:
        assert stepping_in(product.url.replace("0.0.0.0", "127.0.0.1")).status_code == 401


def test_not_in_a_database_of_the_operators_own(database: Database, data_dir: Path) -> None:
    with serving(data_dir, ANJIE_DEMO="haimen", DATABASE_URL=database.url) as product:
        assert stepping_in(product.url).status_code == 401
