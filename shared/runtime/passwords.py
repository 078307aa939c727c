"""Passwords: what one must be, and hashing that keeps neither the event loop nor the memory busy."""

import asyncio
import functools
import secrets
import unicodedata
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

PASSWORD_LENGTH_MIN: Final = 10
PASSWORD_LENGTH_MAX: Final = 1_024

_hasher = PasswordHasher()
"""Argon2id with the parameters of RFC 9106 for little memory, which the library keeps up to date."""


_SIGNS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""That nobody takes for one another, read out or written by hand."""
_GROUPS: Final = 4
_GROUP_LENGTH: Final = 4


class PasswordUnfit(Exception):
    """A password can't be taken; the message says why in one line."""


class Passwords:
    """One hash at a time, in a thread: each takes 64 MiB and some 50 ms of every core."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def hashed(self, password: str) -> str:
        """What to keep of a new password. Raises: PasswordUnfit."""
        if not PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX:
            raise PasswordUnfit(f"a password has {PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters")
        async with self._turn:
            return await asyncio.to_thread(_hasher.hash, _encoded(password))

    async def is_right(self, kept: str | None, password: str) -> bool:
        """Whether it is the password whose hash was kept; no faster where none was."""
        async with self._turn:
            right = await asyncio.to_thread(_verify, kept or _nobodys_hash(), password)
        return right and kept is not None


def new_password() -> str:
    """A password that nobody has thought of: 16 random signs in groups of four, some 79 bits."""
    return "-".join(random_signs(_GROUP_LENGTH) for _ in range(_GROUPS))


def is_same(one: str, other: str) -> bool:
    """Whether two texts are one password."""
    return _encoded(one) == _encoded(other)


def random_signs(length: int) -> str:
    return "".join(secrets.choice(_SIGNS) for _ in range(length))


def _verify(kept: str, password: str) -> bool:
    if len(password) > PASSWORD_LENGTH_MAX:
        password = ""
    try:
        return _hasher.verify(kept, _encoded(password))
    except (VerificationError, InvalidHashError):
        return False


@functools.cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_bytes(32))


def _encoded(password: str) -> bytes:
    """The same bytes from every keyboard."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
