"""What the operator is told when the product answers: where, and how to sign in."""

from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Final, cast

from services.demo import people
from shared.events.vocabulary import Role
from shared.runtime.identity import issue_token
from shared.runtime.secrets import Secrets
from shared.runtime.settings import Settings

_LIFETIME: Final = timedelta(hours=12)
STORIES: Final = "haimen"
"""The set in whose town the people live who may sign in."""


def welcome(settings: Settings, secrets: Secrets, demo: Collection[str]) -> Iterator[str]:
    """Lines for the terminal; with the demo set of the stories, tokens that are good for 12 hours."""
    address = settings.address
    yield f"Anjie answers at {address} in a browser; for programs it is described at {address}/docs"
    if secrets.jwt_secret is None:
        return
    if STORIES not in demo:
        yield "To sign in: anjie token --role ROLE --unit UNIT (operator and auditor need no unit)"
        return
    yield "Sign in with Authorization: Bearer and, for the next 12 hours, one of these tokens:"
    for role, known in people().items():
        person = known.person
        token = issue_token(
            secrets.jwt_secret, sub=person.sub, role=cast(Role, role), unit=person.unit, lifetime=_LIFETIME
        )
        yield f"{role} ({person.sub}, {known.unit_name})\n  {token}"
