"""What every command has in common: settings, and data shown as text or as JSON."""

import os
from typing import Annotated, Any

import msgspec
import typer

from shared.runtime.logs import configure_logs
from shared.runtime.settings import Settings, read_settings

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


class CommandFailed(Exception):
    """A command came to no good end; the message says why in one line."""


def command_settings() -> Settings:
    """The settings of the environment, with logs going where they say. Raises: SettingsInvalid."""
    settings = read_settings(os.environ)
    configure_logs(settings.log)
    return settings


def show(data: Any, text: str, as_json: bool) -> None:
    """Prints one or the other on standard output."""
    print(msgspec.json.encode(data).decode() if as_json else text, flush=True)
