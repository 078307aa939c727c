"""The compose file against what the product, the broker, the database and the proxy take."""

import os
import re
import shutil
import subprocess
import tempfile
import tomllib
import xml.etree.ElementTree as Xml
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from typer.testing import CliRunner

from infra.proxy.proxy import CONFIGURATION
from services.cli import app
from services.installation import prepare_database
from services.supervisor import PARTS
from shared.runtime import postgres
from shared.runtime.migrations import SERVICE_ROLE
from shared.runtime.postgres import SUPERUSER, EmbeddedPostgres
from shared.runtime.settings import SettingsInvalid, read_settings
from tests.infra import compose, dockerfile
from tests.infra.dockerfile import CHECKOUT

SECRETS = {
    "ANJIE_MASTER_KEY": "a" * 64,
    "ANJIE_JWT_SECRET": "b" * 64,
    "ANJIE_OWNER_PASSWORD": "c" * 64,
    "ANJIE_SERVICE_PASSWORD": "d" * 64,
}
HOSTS = compose.services().keys()


def settings(name: str) -> dict[str, str]:
    """What a service of the product is started with, secrets in place."""
    given = compose.services()[name]["environment"]
    return {variable: compose.filled(value, SECRETS) for variable, value in given.items()}


def known(variable: str, others: dict[str, str]) -> bool:
    """Whether the product takes it, so that another value makes a difference or is refused."""
    try:
        return read_settings(others | {variable: "1"}) != read_settings(others)
    except SettingsInvalid:
        return True


@pytest.mark.parametrize("name", compose.products())
def test_whatever_is_set_is_a_setting_of_the_product(name: str) -> None:
    given = settings(name)
    read = read_settings(dockerfile.environment() | given)
    assert read.host == "0.0.0.0"
    for variable in chain(given, (name for name in dockerfile.environment() if name.startswith("ANJIE_"))):
        assert known(variable, given), variable
    for url in (read.database_url, read.database_owner_url or read.database_url):
        assert urlsplit(url).hostname in HOSTS
    assert read.kafka is not None
    assert {server.split(":")[0] for server in read.kafka.servers.split(",")} <= HOSTS


@pytest.mark.parametrize("name", compose.products())
def test_every_command_is_one_that_anjie_takes(name: str) -> None:
    asked = CliRunner().invoke(app, [*compose.services()[name]["command"], "--help"])
    assert asked.exit_code == 0, asked.output


def test_there_are_two_of_every_part() -> None:
    served = compose.served()
    assert set(served.values()) == {2}
    assert sorted(part for only in served for part in only.split(",")) == sorted(PARTS)


def test_migration_and_topics_come_first() -> None:
    before = {"condition": "service_completed_successfully"}
    for service in compose.products().values():
        if service["command"][0] == "serve":
            assert service["depends_on"] == {"migrate": before, "topics": before}
    for service in compose.services().values():
        assert service.get("depends_on", {}).keys() <= HOSTS


def test_images_are_pinned_and_the_products_own_is_of_this_version() -> None:
    for service in compose.services().values():
        assert re.fullmatch(r"[a-z/]+:\d[\d.]*", service["image"])
    version = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"]
    assert f"anjie:{version}" == compose.PRODUCT
    pom = Xml.parse(CHECKOUT / "infra/kafka/pom.xml").getroot()
    assert compose.services()["kafka"]["image"] == f"apache/kafka:{pom.findtext('.//{*}kafka.version')}"


def test_nothing_runs_as_root_or_may_become_it() -> None:
    for name, service in compose.services().items():
        assert service["user"].split(":")[0] not in ("root", "0")
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert not service.keys() & {"privileged", "cap_add", "pid", "network_mode"}
        assert service["read_only"] is (name != "kafka")
    assert {service["user"] for service in compose.products().values()} == {dockerfile.last("USER")}


def test_what_stays_is_started_anew_and_bounded_and_what_is_told_to_end_has_time_for_it() -> None:
    for name, service in compose.services().items():
        once = name in ("migrate", "topics")
        assert service["restart"] == ("no" if once else "unless-stopped")
        assert once or service["deploy"]["resources"]["limits"]["memory"]
        assert "stop_grace_period" in service


def test_no_secret_stands_in_it() -> None:
    assert compose.needed() == SECRETS.keys()
    for service in compose.services().values():
        for variable, value in service.get("environment", {}).items():
            if re.search("KEY|SECRET|PASSWORD", variable):
                assert re.fullmatch(r"\$\{\w+:\?[^}]+\}", value), variable
            assert not re.search(r"//\w+:(?!\$)[^@/]+@", value), variable


def test_the_files_that_it_mounts_are_there() -> None:
    volumes = chain.from_iterable(service.get("volumes", ()) for service in compose.services().values())
    paths = [compose.PATH.parent / volume.split(":")[0] for volume in volumes if volume.startswith(".")]
    assert paths
    assert all(path.is_file() for path in paths)


def test_the_broker_is_set_like_that_of_the_tests_save_for_where_it_is() -> None:
    where = {"log.dirs", "listeners", "advertised.listeners", "controller.quorum.bootstrap.servers"}
    lines = (CHECKOUT / "infra/kafka/server.properties").read_text().splitlines()
    properties = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    given = compose.services()["kafka"]["environment"]
    for name in properties.keys() - where:
        assert given[f"KAFKA_{name.replace('.', '_').upper()}"] == properties[name]


def test_postgresql_is_set_like_the_embedded_one_save_for_where_it_is() -> None:
    [program, *options] = compose.services()["postgres"]["command"]
    assert program == "postgres"
    where = {"listen_addresses": "", "unix_socket_permissions": "0700"}
    assert dict(option.removeprefix("--").split("=", 1) for option in options) | where == postgres.SETTINGS


def test_the_proxy_finds_the_apis() -> None:
    given = compose.services()["proxy"]["environment"]
    assert set(re.findall(r'"\$\{(\w+)\}"', CONFIGURATION.read_text())) == given.keys()
    apis = [name for name, service in compose.products().items() if "intake" in service["command"][-1]]
    port = dockerfile.environment()["ANJIE_PORT"]
    assert [given["API_1"], given["API_2"]] == [f"{name}:{port}" for name in apis]
    assert [mapped.split(":")[-1] for mapped in compose.services()["proxy"]["ports"]] == [
        given["PROXY_BIND"].split(":")[-1]
    ]


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    """One without any of the product's roles."""
    directory = Path(tempfile.mkdtemp(prefix="anjie-test-"))
    server = EmbeddedPostgres(directory, durable=False)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(directory)


def test_the_services_log_in_as_what_the_database_is_made_with(server: EmbeddedPostgres) -> None:
    url = urlsplit(server.url(SUPERUSER))
    psql = postgres.INSTALLATION / "bin" / "psql"
    subprocess.run(
        [CHECKOUT / "infra/postgres/service-login.sh"],
        env={
            "PATH": f"{psql.parent}:{os.defpath}",
            "PGHOST": re.sub("^host=", "", url.query).replace("%2F", "/"),
            "POSTGRES_USER": SUPERUSER,
            "POSTGRES_DB": "anjie",
            "SERVICE_PASSWORD": "it's secret",
        },
        check=True,
    )
    migrate = settings("migrate")
    assert urlsplit(migrate["DATABASE_URL"]).username == SERVICE_ROLE
    prepare_database(
        read_settings({"DATABASE_URL": server.url(SERVICE_ROLE), "DATABASE_OWNER_URL": server.url(SUPERUSER)})
    )
    with psycopg.connect(server.url(SERVICE_ROLE)) as connection:
        assert connection.execute("SELECT count(*) FROM ledger.events").fetchone() == (0,)
