"""Who sends a request: the bearer of a token, or else whoever is signed in on a page."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final, Protocol

import psycopg
from psycopg_pool import PoolTimeout

from shared.runtime.identity import Caller, TokenVerifier, Unauthenticated
from shared.runtime.problems import Problem, Text
from shared.runtime.sessions import Sessions, session_token
from shared.runtime.web import RETRY_AFTER_S, Request

_FAILURES_ZH: Final[dict[str, str]] = {
    "token_missing": "需要携带令牌（Bearer）",
    "token_invalid": "此服务不接受该令牌",
    "token_expired": "令牌已过期",
    "claims_invalid": "令牌中的身份信息不符合要求",
}
_SESSION_ENDED: Final = Text("the session has ended; sign in again", "登录已失效，请重新登录")


class Stream(Protocol):
    """What is sent as it is made, and let go of when nobody takes it any more."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...
    async def __anext__(self) -> bytes: ...
    async def aclose(self) -> None: ...


class TokenSignIn:
    """Sign-in by `Authorization: Bearer <token>` alone."""

    def __init__(self, verifier: TokenVerifier) -> None:
        self._verifier = verifier

    async def __call__(self, request: Request) -> None:
        """Sets the request's actor. Raises: Problem, 401 or 503."""
        request.actor = (await self._caller(request)).actor

    async def _caller(self, request: Request) -> Caller:
        authorization = request.headers.get(b"authorization", b"")
        scheme, _, token = authorization.decode("latin-1").partition(" ")
        try:
            if scheme.lower() != "bearer" or not token.strip():
                raise Unauthenticated("token_missing", "a bearer token is needed")
            return await self._verifier.verify(token.strip())
        except Unauthenticated as failure:
            if failure.code == "keys_unreachable":
                raise Problem("keys-unreachable", headers={"Retry-After": str(RETRY_AFTER_S)}) from None
            raise _unauthenticated(Text(failure.detail, _FAILURES_ZH[failure.code])) from None


class SignIn(TokenSignIn):
    """Sign-in by a token, or by the cookie of a session where there is no Authorization header."""

    def __init__(self, verifier: TokenVerifier, sessions: Sessions) -> None:
        super().__init__(verifier)
        self._sessions = sessions

    async def __call__(self, request: Request) -> None:
        """Sets the request's actor, and its session where it has one. Raises: Problem, 401 or 503."""
        token = None if b"authorization" in request.headers else session_token(request.headers)
        if token is None:
            request.actor = (await self._caller(request)).actor
            return
        session = await self._sessions.find(token)
        if session is None:
            raise _unauthenticated(_SESSION_ENDED)
        request.session = session
        request.actor = session.actor

    async def ends_at(self, request: Request) -> datetime:
        """When what a request was signed in with runs out, at the latest."""
        if request.session is not None:
            return request.session.ends_at
        return (await self._caller(request)).expires_at

    def while_signed_in(self, request: Request, chunks: Stream) -> Stream:
        """The stream up to the end of the request's session, if it has one; listening is a use of it."""
        if request.session is None:
            return chunks
        return _WhileSignedIn(self._sessions, request.session.token, chunks)


class _WhileSignedIn:
    """What a stream sends, each piece after a look whether the session still stands."""

    def __init__(self, sessions: Sessions, token: str, chunks: Stream) -> None:
        self._sessions = sessions
        self._token = token
        self._chunks = chunks

    def __aiter__(self) -> "_WhileSignedIn":
        return self

    async def __anext__(self) -> bytes:
        chunk = await anext(self._chunks)
        if not await self._stands():
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        await self._chunks.aclose()

    async def _stands(self) -> bool:
        try:
            return await self._sessions.find(self._token) is not None
        except (psycopg.Error, PoolTimeout):
            # Without the database there is no news either, only heartbeats, which a client counts on.
            return True


def _unauthenticated(detail: Text) -> Problem:
    return Problem("unauthenticated", detail, headers={"WWW-Authenticate": "Bearer"})
