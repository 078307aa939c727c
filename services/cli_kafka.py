"""`anjie kafka …`: the topics of several machines."""

from typing import Annotated, Final

import typer
from kafka.errors import KafkaError

from services.installation import InstallationUnfit
from services.kafka_topics import Difference, create_missing, differences
from services.terminal import CommandFailed, Json, command_settings, show
from shared.runtime.settings import KafkaSettings

_DIFFERS: Final = 1

app = typer.Typer(no_args_is_help=True)


@app.callback()
def kafka() -> None:
    """The topics that the ledger is published to."""


@app.command()
def setup(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; say what differs.")] = False,
    as_json: Json = False,
) -> None:
    """Create the topics that are missing; one that exists is never altered."""
    settings = required(command_settings().kafka)
    try:
        if not check:
            created = create_missing(settings)
            lines = [f"created {name}" for name in created] or ["every topic is there"]
            show({"created": created}, "\n".join(lines), as_json)
            return
        found = differences(settings)
    except KafkaError as error:
        raise CommandFailed(f"Kafka at {settings.servers}: {error}") from error
    text = "\n".join(map(_told, found)) or "every topic is as it should be"
    show({"differences": found}, text, as_json)
    if found:
        raise typer.Exit(_DIFFERS)


def required(kafka: KafkaSettings | None) -> KafkaSettings:
    """The settings of Kafka. Raises: InstallationUnfit where there are none."""
    if kafka is None:
        raise InstallationUnfit("KAFKA_BOOTSTRAP_SERVERS is unset; it says where Kafka is")
    return kafka


def _told(difference: Difference) -> str:
    if difference.what == "missing":
        return f"{difference.topic}: missing"
    return f"{difference.topic}: {difference.what} is {difference.found}, not {difference.expected}"
