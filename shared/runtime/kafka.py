"""What every client of Kafka is given, and the names of the product's topics."""

from typing import Any, Final

from shared.runtime.settings import KafkaSettings

BOOTSTRAP_TIMEOUT_MS: Final = 10_000
_RECONNECT_MAX_MS: Final = 1_000
"""A broker that comes back is found soon, however long it was away."""


def client_options(kafka: KafkaSettings) -> dict[str, Any]:
    """Options that producers, consumers and the admin client of the library all take."""
    options: dict[str, Any] = {
        "bootstrap_servers": [server.strip() for server in kafka.servers.split(",")],
        "bootstrap_timeout_ms": BOOTSTRAP_TIMEOUT_MS,
        "reconnect_backoff_max_ms": _RECONNECT_MAX_MS,
        **kafka.security,
    }
    check = kafka.security.get("ssl_check_hostname")
    if check is not None:
        options["ssl_check_hostname"] = check.lower() == "true"
    return options


def events_topic(kafka: KafkaSettings) -> str:
    """Every event of the ledger, in its stream's partition."""
    return f"{kafka.prefix}.events"


def view_topic(kafka: KafkaSettings, view: str) -> str:
    """The rows of a view, the last of each key kept."""
    return f"{kafka.prefix}.views.{view}"


def relay_topic(kafka: KafkaSettings) -> str:
    """Up to where the ledger is published; written in the transaction that publishes."""
    return f"{kafka.prefix}.relay"


def relayed_views_topic(kafka: KafkaSettings) -> str:
    """Up to where each view is published; likewise."""
    return f"{kafka.prefix}.relay.views"
