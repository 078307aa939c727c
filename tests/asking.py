"""Asking the reads as a client would, without a socket: whole requests, routed, refused and answered."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from services.projections.api.routes import operations
from services.projections.reads.reads import Reads
from shared.events.vocabulary import Role
from shared.policy.actor import Actor
from shared.runtime.database import service_pool
from shared.runtime.identity import TokenVerifier
from shared.runtime.sealing import MasterKey
from shared.runtime.secrets import Secrets
from shared.runtime.sessions import Sessions
from shared.runtime.sign_in import SignIn
from shared.runtime.trees import Trees
from shared.runtime.vault import Vault
from shared.runtime.web import Answer, Operations, Request

Json = dict[str, Any]


def reader(ref: str, role: Role, unit: UUID | None, *clearances: str) -> Actor:
    return Actor(ref=ref, role=role, unit=unit, clearances=frozenset(clearances))


class Desk:
    """Where questions are put; whoever is named in the Authorization header asks."""

    def __init__(self, reads: Reads, trees: Trees) -> None:
        self.reads = reads
        self.trees = trees
        self._readers: dict[bytes, Actor] = {}
        verifier = TokenVerifier(Secrets(master_key=b"m" * 32, jwt_secret=b"s" * 32))
        # Only streams ask it, which are never asked for here.
        sign_in = SignIn(verifier, Sessions(reads.sources.pool))
        self._routes = Operations(operations(reads, sign_in), self._find_sender)

    async def ask(self, actor: Actor, path: str, **query: Any) -> tuple[int, Json]:
        """The status and the JSON of an answer; a parameter that is a list is repeated."""
        return await self._answer("GET", actor, path, query)

    async def send(self, actor: Actor, path: str, body: Json, **query: Any) -> tuple[int, Json]:
        """The same of a question that stands in a body."""
        return await self._answer("POST", actor, path, query, json.dumps(body).encode())

    async def read(self, actor: Actor, path: str, **query: Any) -> Json:
        """The answer to a question that must be answered."""
        status, answer = await self.ask(actor, path, **query)
        assert status == 200, (path, query, answer)
        return answer

    async def _answer(
        self, method: str, actor: Actor, path: str, query: Json, content: bytes = b""
    ) -> tuple[int, Json]:
        key = repr(actor).encode()
        self._readers[key] = actor
        given = {name.rstrip("_"): value for name, value in query.items() if value is not None}
        request = Request(
            method,
            path,
            {b"authorization": key},
            query_string=urlencode(given, doseq=True).encode(),
            content=content,
        )
        answer = await self._routes.answer(request)
        assert isinstance(answer, Answer)
        return answer.status, json.loads(answer.content)

    async def _find_sender(self, request: Request) -> None:
        request.actor = self._readers[request.headers[b"authorization"]]


@asynccontextmanager
async def asking(url: str) -> AsyncIterator[Desk]:
    async with service_pool(url, name="test", connections_max=6) as pool:
        trees = Trees(pool)
        await trees.refresh()
        reads = Reads(pool, trees, Vault(pool, MasterKey(bytes(32))))
        async with reads.running():
            yield Desk(reads, trees)
