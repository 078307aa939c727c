"""Identity: what a token must say, and every way in which one is refused."""

import asyncio
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from shared.runtime.identity import (
    ROLES,
    ROLES_OF_THE_WHOLE,
    Caller,
    TokenVerifier,
    Unauthenticated,
    issue_token,
)
from shared.runtime.secrets import Secrets

SECRET = "案结的钥匙，不短于三十二个字节".encode()
UNIT = uuid4()
HOUR = timedelta(hours=1)


def verifier(secret: bytes = SECRET) -> TokenVerifier:
    return TokenVerifier(Secrets(master_key=bytes(32), jwt_secret=secret))


def verify(token: str) -> Caller:
    return asyncio.run(verifier().verify(token))


def claims(**changes: object) -> dict[str, Any]:
    base: dict[str, object] = {
        "sub": "张三",
        "role": "mediator",
        "unit": str(UNIT),
        "exp": datetime.now(UTC) + HOUR,
    }
    return {name: value for name, value in (base | changes).items() if value is not None}


def signed(**changes: object) -> str:
    return jwt.encode(claims(**changes), SECRET, algorithm="HS256")


@pytest.mark.parametrize("role", ROLES)
def test_what_is_issued_is_accepted(role: Any) -> None:
    token = issue_token(
        SECRET, sub="王五", role=role, unit=UNIT, clearances=frozenset({"ACCUSATION"}), lifetime=HOUR
    )
    caller = verify(token)
    assert (caller.actor.ref, caller.actor.role, caller.actor.unit) == ("王五", role, UNIT)
    assert caller.actor.clearances == {"ACCUSATION"}
    assert timedelta(minutes=59) < caller.expires_at - datetime.now(UTC) <= HOUR


@pytest.mark.parametrize("role", ROLES)
def test_only_the_roles_of_the_whole_go_without_a_unit(role: str) -> None:
    token = signed(role=role, unit=None)
    if role in ROLES_OF_THE_WHOLE:
        assert verify(token).actor.unit is None
    else:
        with pytest.raises(Unauthenticated, match="unit: needed"):
            verify(token)


def test_other_claims_do_no_harm() -> None:
    token = signed(aud="somebody", iss="somewhere", iat=datetime.now(UTC) + HOUR, name="张三")
    assert verify(token).actor.ref == "张三"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sub": ""}, "claims_invalid"),
        ({"sub": "x" * 129}, "claims_invalid"),
        ({"sub": "a\x00b"}, "claims_invalid"),
        ({"sub": "\ud800"}, "claims_invalid"),
        ({"sub": None}, "token_invalid"),
        ({"role": "MEDIATOR"}, "claims_invalid"),
        ({"role": "mayor"}, "claims_invalid"),
        ({"role": ["mediator"]}, "claims_invalid"),
        ({"role": None}, "claims_invalid"),
        ({"unit": "城东村"}, "claims_invalid"),
        ({"unit": 7}, "claims_invalid"),
        ({"clearances": "ACCUSATION"}, "claims_invalid"),
        ({"clearances": ["EVERYTHING"]}, "claims_invalid"),
        ({"clearances": [["ACCUSATION"]]}, "claims_invalid"),
        ({"exp": None}, "token_invalid"),
        ({"exp": 10**30}, "claims_invalid"),
        ({"exp": "soon"}, "token_invalid"),
        ({"exp": datetime.now(UTC) - HOUR}, "token_expired"),
        ({"nbf": datetime.now(UTC) + HOUR}, "token_invalid"),
    ],
)
def test_what_a_token_must_say(changes: dict[str, object], code: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        verify(signed(**changes))
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        "ö.ö.ö",
        "x" * 10_000,
        jwt.encode(claims(), "another secret of at least thirty-two bytes", algorithm="HS256"),
        jwt.encode(claims(), "", algorithm="none"),
        jwt.encode(claims(), SECRET * 2, algorithm="HS512"),
        signed()[:-2],
    ],
)
def test_a_token_that_nobody_here_signed_is_refused(token: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        verify(token)
    assert refusal.value.code == "token_invalid"


def test_a_remembered_token_expires_all_the_same() -> None:
    async def twice() -> None:
        checked = verifier()
        token = issue_token(SECRET, sub="a", role="operator", unit=None, lifetime=timedelta(seconds=2))
        await checked.verify(token)
        await asyncio.sleep(2.1)
        with pytest.raises(Unauthenticated, match="expired"):
            await checked.verify(token)

    asyncio.run(twice())


def test_a_token_that_would_not_be_accepted_is_not_issued() -> None:
    with pytest.raises(Unauthenticated, match="unit: needed"):
        issue_token(SECRET, sub="a", role="mediator", unit=None)


@pytest.fixture
def key_server() -> Iterator[tuple[str, ec.EllipticCurvePrivateKey]]:
    """The address of a key set, and the private half of its only key."""
    private = ec.generate_private_key(ec.SECP256R1())
    public = json.loads(ECAlgorithm.to_jwk(private.public_key())) | {
        "kid": "k1",
        "alg": "ES256",
        "use": "sig",
    }
    content = json.dumps({"keys": [public]}).encode()

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Keys) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/keys", private
        server.shutdown()
        thread.join()


def test_tokens_under_a_key_set(key_server: tuple[str, ec.EllipticCurvePrivateKey]) -> None:
    address, private = key_server
    checked = TokenVerifier(Secrets(master_key=bytes(32), jwt_secret=None, jwks_url=address))
    token = jwt.encode(claims(), private, algorithm="ES256", headers={"kid": "k1"})
    assert asyncio.run(checked.verify(token)).actor.unit == UUID(str(UNIT))
    for other in (
        jwt.encode(claims(), private, algorithm="ES256", headers={"kid": "k2"}),
        jwt.encode(
            claims(), ec.generate_private_key(ec.SECP256R1()), algorithm="ES256", headers={"kid": "k1"}
        ),
        jwt.encode(claims(), SECRET, algorithm="HS256", headers={"kid": "k1"}),
    ):
        with pytest.raises(Unauthenticated) as refusal:
            asyncio.run(checked.verify(other))
        assert refusal.value.code == "token_invalid"


def test_unreachable_keys_are_said_to_be_so() -> None:
    checked = TokenVerifier(
        Secrets(master_key=bytes(32), jwt_secret=None, jwks_url="http://127.0.0.1:9/keys")
    )
    with pytest.raises(Unauthenticated) as refusal:
        asyncio.run(checked.verify(signed()))
    assert refusal.value.code == "keys_unreachable"
