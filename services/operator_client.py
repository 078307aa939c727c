"""What commands of `anjie` send to the product that serves, in its operator's name."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

import msgspec

from services.batch_client import Answer, BatchClient, NoAnswer
from services.installation import InstallationUnfit, signing_secret
from services.terminal import CommandFailed
from shared.runtime.identity import issue_token
from shared.runtime.secrets import read_secrets
from shared.runtime.settings import Settings

_TOKEN_LIFETIME: Final = timedelta(hours=12)


def operator_client(settings: Settings, sub: str, headers: Mapping[str, str] | None = None) -> BatchClient:
    """A client with a token of its own. Raises: InstallationUnfit when somebody else signs tokens."""
    secret = signing_secret(read_secrets(settings))
    token = issue_token(secret, sub=sub, role="operator", unit=None, lifetime=_TOKEN_LIFETIME)
    return BatchClient(settings.local_address, token, headers)


def unit_meant(client: BatchClient, unit: str | None) -> str:
    """The id of a unit given by its id or its unique name; None means the only township.

    Raises: InstallationUnfit unless exactly one unit is meant; NoAnswer.
    """
    try:
        return str(UUID(unit))
    except (ValueError, TypeError, AttributeError):
        path = "/v1/units?kind=TOWNSHIP" if unit is None else f"/v1/units?name={quote(unit)}"
    found = client.items(path)
    if len(found) == 1:
        return str(found[0]["unit_id"])
    if unit is None:
        raise InstallationUnfit(f"{len(found) or 'no'} townships are registered; name one: --unit")
    raise InstallationUnfit(f"{len(found) or 'no'} units are called {unit}; give an id")


def command(client: BatchClient, path: str, key: str, body: dict[str, Any]) -> msgspec.Raw:
    """Sends one command and gives its answer. Raises: CommandFailed when it is refused; NoAnswer."""
    accepted: list[msgspec.Raw] = []

    def answered(_: int, answer: Answer) -> None:
        if not answer.accepted:
            raise CommandFailed(f"POST {path} was refused: {answer}")
        accepted.append(answer.body)

    line = {"method": "POST", "path": path, "headers": {"Idempotency-Key": key}, "body": body}
    client.send([msgspec.json.encode(line)], answered)
    return accepted[0]


def unreachable(settings: Settings, error: NoAnswer) -> CommandFailed:
    return CommandFailed(f"{error}; is anjie serving at {settings.local_address}?")
