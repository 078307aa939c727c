"""Who sent a request: tokens are issued and checked here, and nowhere else."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, cast, get_args
from uuid import UUID

import jwt

from shared.events.vocabulary import Role
from shared.policy.actor import Actor
from shared.runtime.secrets import Secrets

ROLES: Final[tuple[Role, ...]] = get_args(Role)
ROLES_OF_THE_WHOLE: Final[frozenset[Role]] = frozenset({"operator", "auditor"})
"""Whose tokens may go without a unit."""
CLEARANCES: Final = frozenset({"SAFETY_LEAD", "ACCUSATION"})
SUB_LENGTH_MAX: Final = 128

_TOKEN_LENGTH_MAX: Final = 8_192
_REMEMBERED_MAX: Final = 4_096
_JWKS_TIMEOUT_S: Final = 5
_JWKS_ALGORITHMS: Final = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip

Failure = Literal["token_missing", "token_invalid", "token_expired", "claims_invalid", "keys_unreachable"]


class Unauthenticated(Exception):
    """A request doesn't show who sent it; `code` is stable, the message says what is missing."""

    def __init__(self, code: Failure, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The bearer of a token, as of the moment it was checked."""

    actor: Actor
    expires_at: datetime


def issue_token(
    secret: bytes,
    *,
    sub: str,
    role: Role,
    unit: UUID | None,
    clearances: frozenset[str] = frozenset(),
    lifetime: timedelta = timedelta(hours=12),
) -> str:
    """A token signed with HS256 under the secret. Raises: Unauthenticated when it wouldn't be accepted."""
    expires_at = datetime.now(UTC) + lifetime
    claims: dict[str, Any] = {"sub": sub, "role": role, "exp": int(expires_at.timestamp())}
    if unit is not None:
        claims["unit"] = str(unit)
    if clearances:
        claims["clearances"] = sorted(clearances)
    _caller(claims)
    return jwt.encode(claims, secret, algorithm="HS256")


class TokenVerifier:
    """Checks tokens under the secret (HS256) or with the keys that the JWKS address gives."""

    def __init__(self, secrets: Secrets) -> None:
        self._secret = secrets.jwt_secret
        self._keys = None
        if secrets.jwks_url is not None:
            self._keys = jwt.PyJWKClient(secrets.jwks_url, timeout=_JWKS_TIMEOUT_S)
        self._remembered: OrderedDict[str, Caller] = OrderedDict()

    async def verify(self, token: str) -> Caller:
        """Who bears the token. Raises: Unauthenticated."""
        caller = self._remembered.get(token)
        if caller is None:
            caller = await self._check(token)
            self._remembered[token] = caller
            if len(self._remembered) > _REMEMBERED_MAX:
                self._remembered.popitem(last=False)
        elif caller.expires_at <= datetime.now(UTC):
            del self._remembered[token]
            raise Unauthenticated("token_expired", "the token has expired")
        return caller

    async def _check(self, token: str) -> Caller:
        if len(token) > _TOKEN_LENGTH_MAX:
            raise Unauthenticated("token_invalid", "the token is too long")
        try:
            if self._keys is None:
                return _caller(_claims(token, self._secret, ("HS256",)))
            # The client blocks while it fetches keys; it keeps them, so this is rare.
            key = await asyncio.to_thread(self._keys.get_signing_key_from_jwt, token)
            return _caller(_claims(token, key, _JWKS_ALGORITHMS))
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("token_expired", "the token has expired") from None
        except jwt.PyJWKClientConnectionError:
            raise Unauthenticated(
                "keys_unreachable", "the keys that tokens are checked with can't be had"
            ) from None
        # An unusable header or key raises plain ValueError or TypeError on some paths of the library.
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            raise Unauthenticated("token_invalid", "the token isn't one that this server accepts") from None


def _claims(token: str, key: Any, algorithms: tuple[str, ...]) -> dict[str, Any]:
    # `aud` and `iat` are no part of the contract, so a token is not refused for what they say.
    options = {"require": ["exp", "sub"], "verify_aud": False, "verify_iat": False}
    return jwt.decode(token, key, algorithms=list(algorithms), options=cast(Any, options))


def _caller(claims: dict[str, Any]) -> Caller:
    actor = checked_actor(
        ref=claims.get("sub"),
        role=claims.get("role"),
        unit=claims.get("unit"),
        clearances=claims.get("clearances", []),
    )
    try:
        return Caller(actor=actor, expires_at=datetime.fromtimestamp(int(claims["exp"]), UTC))
    except (ValueError, TypeError, OverflowError, OSError):
        raise Unauthenticated("claims_invalid", "exp: expected a time") from None


def checked_actor(*, ref: object, role: object, unit: object, clearances: object) -> Actor:
    """Somebody as a token or an account says who they are. Raises: Unauthenticated."""
    if not isinstance(ref, str) or not 1 <= len(ref) <= SUB_LENGTH_MAX or not storable(ref):
        raise Unauthenticated("claims_invalid", f"sub: expected a text of 1 to {SUB_LENGTH_MAX} characters")
    if role not in ROLES:
        raise Unauthenticated("claims_invalid", f"role: expected one of {', '.join(ROLES)}")
    if unit is None and role not in ROLES_OF_THE_WHOLE:
        raise Unauthenticated("claims_invalid", f"unit: needed for the role {role}")
    if not isinstance(clearances, list) or not all(
        isinstance(name, str) and name in CLEARANCES for name in clearances
    ):
        raise Unauthenticated(
            "claims_invalid", f"clearances: expected some of {', '.join(sorted(CLEARANCES))}"
        )
    try:
        unit_id = None if unit is None else UUID(cast(str, unit))
    except (ValueError, TypeError, AttributeError):
        raise Unauthenticated("claims_invalid", "unit: expected a unit id") from None
    return Actor(ref=ref, role=role, unit=unit_id, clearances=frozenset(clearances))


def storable(text: str) -> bool:
    """Whether a database takes the text: no NUL, no half of a surrogate pair."""
    return "\x00" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)
