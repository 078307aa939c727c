"""Sign-in by `Authorization: Bearer <token>`."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from shared.policy.actor import Actor
from shared.runtime.identity import TokenVerifier, Unauthenticated
from shared.runtime.problems import Problem, Text
from shared.runtime.web import RETRY_AFTER_S, SignIn

_FAILURES_ZH: Final[dict[str, str]] = {
    "token_missing": "需要携带令牌（Bearer）",
    "token_invalid": "此服务不接受该令牌",
    "token_expired": "令牌已过期",
    "claims_invalid": "令牌中的身份信息不符合要求",
}


def bearer_sign_in(verifier: TokenVerifier) -> SignIn:
    """From the Authorization header to who sends the request."""

    async def sign_in(authorization: bytes | None) -> Actor:
        scheme, _, token = (authorization or b"").decode("latin-1").partition(" ")
        try:
            if scheme.lower() != "bearer" or not token.strip():
                raise Unauthenticated("token_missing", "a bearer token is needed")
            return (await verifier.verify(token.strip())).actor
        except Unauthenticated as failure:
            if failure.code == "keys_unreachable":
                raise Problem("keys-unreachable", headers={"Retry-After": str(RETRY_AFTER_S)}) from None
            detail = Text(failure.detail, _FAILURES_ZH[failure.code])
            raise Problem("unauthenticated", detail, headers={"WWW-Authenticate": "Bearer"}) from None

    return sign_in


def bearer_expiry(verifier: TokenVerifier) -> Callable[[bytes | None], Awaitable[datetime]]:
    """From the Authorization header of a request that was signed in to when its token expires."""

    async def expires_at(authorization: bytes | None) -> datetime:
        token = (authorization or b"").decode("latin-1").partition(" ")[2]
        return (await verifier.verify(token.strip())).expires_at

    return expires_at
