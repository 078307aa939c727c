"""Playing the lines of a demo set by hand, each by the token of whoever acts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID, uuid4

import httpx
import msgspec

from services.demo.lines import Body, Line
from services.demo.lines import Person as Acting
from services.demo.places import Place
from shared.events.vocabulary import Role
from shared.runtime.identity import issue_token
from shared.runtime.secrets import read_secrets
from shared.runtime.settings import Settings
from tests.product import Product

Json = dict[str, Any]
_CASE = re.compile(r"/v1/cases/([^/]+)/")


@dataclass
class Players:
    """Everybody who has a part, and the versions of the cases that they have been told."""

    http: httpx.Client
    secret: bytes
    versions: dict[str, int] = field(default_factory=dict)

    def token(self, who: Acting | None, clearances: frozenset[str] = frozenset()) -> dict[str, str]:
        """The header that says who sends; None is the operator."""
        sub, role, unit = ("operator", "operator", None) if who is None else (who.sub, who.role, who.unit)
        bearer = issue_token(self.secret, sub=sub, role=cast(Role, role), unit=unit, clearances=clearances)
        return {"Authorization": f"Bearer {bearer}"}

    def send(
        self,
        line: Line,
        *,
        who: Acting | None = None,
        version: int | None = None,
        **changes: object,
    ) -> httpx.Response:
        """The line, by its own actor or somebody else, with some of its body otherwise (None: left out)."""
        request = line.request
        body: Body = {name: value for name, value in (request.body | changes).items() if value is not None}
        headers = self.token(who or request.actor) | {"Idempotency-Key": f"player {uuid4()}"}
        found = _CASE.match(request.path)
        if "If-Match" in request.headers and found:
            headers["If-Match"] = f'"{version or self.versions[found[1]]}"'
        answer = self.http.request(
            request.method,
            request.path,
            content=msgspec.json.encode(body),
            headers=headers | {"Content-Type": "application/json"},
        )
        if answer.is_success and "case_id" in answer.json():
            self.versions[answer.json()["case_id"]] = answer.json()["version"]
        return answer

    def play(self, line: Line) -> Json:
        """The answer to the line, which must be accepted."""
        answer = self.send(line)
        assert answer.is_success, f"{line.request.path}: {answer.status_code} {answer.text}"
        told: Json = answer.json()
        return told

    def until(self, story: Iterator[Line], command: str) -> Line:
        """Plays a story up to a command, which is handed back unplayed."""
        for line in story:
            if line.request.path.endswith(f"/{command}"):
                return line
            self.play(line)
        raise AssertionError(f"the story has no {command}")

    def finish(self, story: Iterator[Line]) -> list[Json]:
        """The answers to what is left of a story."""
        return [self.play(line) for line in story]

    def get(
        self,
        path: str,
        who: Acting | None,
        *,
        clearances: frozenset[str] = frozenset(),
        **parameters: object,
    ) -> httpx.Response:
        query = {name: str(value) for name, value in parameters.items()}
        return self.http.get(path, params=query, headers=self.token(who, clearances))

    def read(self, path: str, who: Acting | None, **parameters: Any) -> Json:
        """The answer to a read that must succeed."""
        answer = self.get(path, who, **parameters)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        told: Json = answer.json()
        return told


def players(product: Product, http: httpx.Client) -> Players:
    """People with tokens of a product that runs."""
    secret = read_secrets(Settings(data_dir=product.data_dir)).jwt_secret
    assert secret is not None
    return Players(http, secret)


def elsewhere(unit: Place, tag: str) -> Place:
    """A unit of the same name and ancestry in a township of its own, for a story to have to itself."""
    parent = None if unit.parent is None else elsewhere(unit.parent, tag)
    name = unit.name if parent is not None else f"{unit.name}{tag}"
    code = f"{tag}-{unit.code}"
    unit_id = UUID(bytes=unit.unit_id.bytes[:12] + tag.encode()[:4].rjust(4, b"-"))
    return Place(unit_id=unit_id, kind=unit.kind, name=name, code=code, parent=parent)
