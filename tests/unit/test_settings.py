"""Settings: defaults as published, and a clear word about what can't be used."""

from pathlib import Path

import pytest

from shared.runtime.kafka import client_options
from shared.runtime.settings import DEMO_SETS, SettingsInvalid, read_settings


def test_defaults() -> None:
    settings = read_settings({"ANJIE_PORT": " "})
    assert (settings.address, settings.data_dir.name) == ("http://127.0.0.1:8000", ".anjie")
    assert settings.demo == DEMO_SETS == ("haimen", "huinan")
    assert (settings.database_url, settings.master_key, settings.jwt_secret, settings.log) == (None,) * 4


@pytest.mark.parametrize(
    ("environment", "demo"),
    [
        ({"ANJIE_HOST": "::1"}, DEMO_SETS),
        ({"ANJIE_HOST": "localhost"}, DEMO_SETS),
        ({"ANJIE_HOST": "0.0.0.0"}, ()),
        ({"DATABASE_URL": "postgresql://db/anjie"}, ()),
        ({"ANJIE_DEMO": "off"}, ()),
        ({"ANJIE_DEMO": "huinan, haimen,huinan", "DATABASE_URL": "postgresql://db/a"}, ("huinan", "haimen")),
    ],
)
def test_demo_sets_load_by_default_only_where_nobody_else_looks(
    environment: dict[str, str], demo: tuple[str, ...]
) -> None:
    assert read_settings(environment).demo == demo


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ANJIE_PORT", "http"),
        ("ANJIE_PORT", "65536"),
        ("ANJIE_PORT", "-1"),
        ("ANJIE_DEMO", "shanghai"),
        ("ANJIE_LOG", "xml"),
        ("DATABASE_URL", "mysql://db/anjie"),
        ("DATABASE_OWNER_URL", "anjie"),
        ("ANJIE_JWKS_URL", "file:///etc/passwd"),
        ("ANJIE_KAFKA_PREFIX", "a b"),
        ("KAFKA_SSL_CHECK_HOSTNAME", "perhaps"),
        ("KAFKA_SASL_USER", "anjie"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsInvalid, match=name):
        read_settings({name: value})


def test_secrets_and_passwords_are_never_shown() -> None:
    settings = read_settings(
        {
            "ANJIE_MASTER_KEY": "canary",
            "ANJIE_JWT_SECRET": "canary",
            "DATABASE_URL": "postgresql://u:canary@db/a",
            "DATABASE_OWNER_URL": "postgresql://o:canary@db/a",
            "KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
            "KAFKA_SASL_PLAIN_PASSWORD": "canary",
        }
    )
    assert "canary" not in repr(settings)


def test_the_data_directory_does_not_move_with_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_settings({"ANJIE_DATA_DIR": "here"}).data_dir == tmp_path / "here"


def test_kafka_is_off_unless_its_servers_are_named() -> None:
    assert read_settings({"ANJIE_KAFKA_PREFIX": "town", "KAFKA_SECURITY_PROTOCOL": "SSL"}).kafka is None


def test_what_a_broker_asks_of_its_clients_reaches_them_as_given() -> None:
    kafka = read_settings(
        {
            "KAFKA_BOOTSTRAP_SERVERS": "a:9092, b:9092",
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "KAFKA_SASL_PLAIN_USERNAME": "anjie",
            "KAFKA_SASL_PLAIN_PASSWORD": "canary",
            "KAFKA_SSL_CAFILE": "/etc/ca.pem",
            "KAFKA_SSL_CHECK_HOSTNAME": "false",
        }
    ).kafka
    assert kafka is not None
    options = client_options(kafka)
    assert {name: value for name, value in options.items() if not name.endswith("_ms")} == {
        "bootstrap_servers": ["a:9092", "b:9092"],
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "anjie",
        "sasl_plain_password": "canary",
        "ssl_cafile": "/etc/ca.pem",
        "ssl_check_hostname": False,
    }
