"""What the operator sets through the environment, read once at start."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Literal, cast
from urllib.parse import urlsplit

CHECKOUT: Final = Path(__file__).parents[2]
DEMO_SETS: Final = ("haimen", "huinan")

LogForm = Literal["console", "json"]


_KAFKA_SECURITY: Final = (
    "security_protocol",
    "sasl_mechanism",
    "sasl_plain_username",
    "sasl_plain_password",
    "sasl_kerberos_name",
    "sasl_kerberos_service_name",
    "sasl_kerberos_domain_name",
    "ssl_cafile",
    "ssl_certfile",
    "ssl_keyfile",
    "ssl_password",
    "ssl_crlfile",
    "ssl_ciphers",
    "ssl_check_hostname",
)
"""Options of Kafka's clients that are passed through from KAFKA_ and their name in capitals."""
_KAFKA_PREFIX: Final = re.compile(r"[a-zA-Z0-9._-]{1,100}")


class SettingsInvalid(Exception):
    """A variable has a value that can't be used; the message names it."""


@dataclass(frozen=True, kw_only=True)
class KafkaSettings:
    servers: str
    """Where a client first asks for the cluster: `host:port`, several with commas."""
    prefix: str = "anjie"
    """Begins the names of topics, groups and transactional ids."""
    security: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Options of the client library by their names, as they were given."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    host: str = "127.0.0.1"
    port: int = 8000
    data_dir: Path = CHECKOUT / ".anjie"
    """Holds the embedded database, generated secrets and files."""
    database_url: str | None = field(default=None, repr=False)
    """The database that services log in to; absent until the embedded one runs."""
    database_owner_url: str | None = field(default=None, repr=False)
    """The same database for migrations; absent: as `database_url`."""
    master_key: str | None = field(default=None, repr=False)
    jwt_secret: str | None = field(default=None, repr=False)
    jwks_url: str | None = None
    demo: tuple[str, ...] = ()
    """Demo sets to load into an empty ledger, in this order."""
    demo_chosen: bool = False
    """Whether the operator named them (or none of them), rather than nobody."""
    log: LogForm | None = None
    """Absent: console on a terminal, else json."""
    kafka: KafkaSettings | None = None
    """Absent: projectors read the ledger, and nothing is published."""

    @property
    def address(self) -> str:
        """Where the product answers, as a URL without a path."""
        return _url(self.host, self.port)

    @property
    def local_address(self) -> str:
        """Where this machine itself reaches it, also when it listens on every address."""
        return _url({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host), self.port)

    @property
    def service_url(self) -> str:
        """The database's URL, once one is known: the operator's, or that of the running embedded one."""
        assert self.database_url is not None
        return self.database_url


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Settings of an environment; an empty variable counts as unset.

    Raises: SettingsInvalid.
    """
    given = {name: value for name, value in environment.items() if value.strip()}
    host = given.get("ANJIE_HOST", Settings.host)
    database_url = _database_url(given, "DATABASE_URL")
    jwks_url = given.get("ANJIE_JWKS_URL")
    if jwks_url is not None and not _is_url(jwks_url, "http", "https"):
        raise SettingsInvalid("ANJIE_JWKS_URL: expected an http or https address")
    if jwks_url is not None and "ANJIE_JWT_SECRET" in given:
        raise SettingsInvalid("ANJIE_JWT_SECRET and ANJIE_JWKS_URL: set one of them, not both")
    return Settings(
        host=host,
        port=_port(given.get("ANJIE_PORT", str(Settings.port))),
        data_dir=Path(given.get("ANJIE_DATA_DIR", str(Settings.data_dir))).expanduser().absolute(),
        database_url=database_url,
        database_owner_url=_database_url(given, "DATABASE_OWNER_URL"),
        master_key=given.get("ANJIE_MASTER_KEY"),
        jwt_secret=given.get("ANJIE_JWT_SECRET"),
        jwks_url=jwks_url,
        demo=_demo(given.get("ANJIE_DEMO"), by_default=database_url is None and is_loopback(host)),
        demo_chosen="ANJIE_DEMO" in given,
        log=_log(given.get("ANJIE_LOG")),
        kafka=_kafka(given),
    )


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _port(value: str) -> int:
    if not value.isascii() or not value.isdigit() or not 0 <= int(value) <= 65535:
        raise SettingsInvalid(f"ANJIE_PORT: expected a port number, not {value!r}")
    return int(value)


def _database_url(given: Mapping[str, str], name: str) -> str | None:
    url = given.get(name)
    if url is not None and not _is_url(url, "postgresql", "postgres"):
        raise SettingsInvalid(f"{name}: expected postgresql://…")
    return url


def _is_url(text: str, *schemes: str) -> bool:
    try:
        return urlsplit(text).scheme in schemes
    except ValueError:
        return False


def _demo(value: str | None, *, by_default: bool) -> tuple[str, ...]:
    if value is None:
        return DEMO_SETS if by_default else ()
    if value == "off":
        return ()
    names = tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
    for name in names:
        if name not in DEMO_SETS:
            raise SettingsInvalid(
                f"ANJIE_DEMO: no demo set {name!r}; there are {', '.join(DEMO_SETS)}, or off"
            )
    return names


def _log(value: str | None) -> LogForm | None:
    if value not in (None, "console", "json"):
        raise SettingsInvalid(f"ANJIE_LOG: expected console or json, not {value!r}")
    return cast(LogForm | None, value)


def is_loopback(host: str) -> bool:
    """Whether only this machine itself can be meant: a loopback address, or `localhost`."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _kafka(given: Mapping[str, str]) -> KafkaSettings | None:
    prefix = given.get("ANJIE_KAFKA_PREFIX", KafkaSettings.prefix)
    if not _KAFKA_PREFIX.fullmatch(prefix):
        raise SettingsInvalid("ANJIE_KAFKA_PREFIX: expected letters, digits, dots, dashes and underscores")
    known = {f"KAFKA_{option.upper()}": option for option in _KAFKA_SECURITY}
    for name in given:
        if name.startswith(("KAFKA_SASL_", "KAFKA_SSL_")) and name not in known:
            raise SettingsInvalid(f"{name}: not known; there are {', '.join(known)}")
    security = {option: given[name] for name, option in known.items() if name in given}
    if security.get("ssl_check_hostname", "true").lower() not in ("true", "false"):
        raise SettingsInvalid("KAFKA_SSL_CHECK_HOSTNAME: expected true or false")
    servers = given.get("KAFKA_BOOTSTRAP_SERVERS")
    return None if servers is None else KafkaSettings(servers=servers, prefix=prefix, security=security)
