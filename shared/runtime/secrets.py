"""The master key that seals personal data, and what tokens are checked with."""

import base64
import binascii
import os
import secrets
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from shared.runtime.settings import Settings

MASTER_KEY_BYTES: Final = 32

_MASTER_KEY_FILE: Final = "master.key"
_JWT_SECRET_FILE: Final = "jwt.secret"


class SecretsInvalid(Exception):
    """A secret can't be read or isn't of its form; the message says which, never its value."""


@dataclass(frozen=True, kw_only=True)
class Secrets:
    master_key: bytes = field(repr=False)
    jwt_secret: bytes | None = field(repr=False)
    """Absent when tokens are checked with the keys at `jwks_url`."""
    jwks_url: str | None = None


def read_secrets(settings: Settings) -> Secrets:
    """The secrets of the environment, else those of the data directory, made there at first.

    Raises: SecretsInvalid; OSError when the data directory can't be written.
    """
    if settings.master_key is not None:
        master_key = _master_key(settings.master_key, "ANJIE_MASTER_KEY")
    else:
        path = settings.data_dir / _MASTER_KEY_FILE
        made = _kept(path, lambda: base64.b64encode(secrets.token_bytes(MASTER_KEY_BYTES)).decode())
        master_key = _master_key(made, str(path))
    jwt_secret: bytes | None = None
    if settings.jwt_secret is not None:
        jwt_secret = settings.jwt_secret.encode()
    elif settings.jwks_url is None:
        jwt_secret = _kept(settings.data_dir / _JWT_SECRET_FILE, lambda: secrets.token_urlsafe(48)).encode()
    return Secrets(master_key=master_key, jwt_secret=jwt_secret, jwks_url=settings.jwks_url)


def _master_key(text: str, source: str) -> bytes:
    text = text.strip()
    # 32 bytes are 64 digits in hexadecimal, 43 or 44 signs in base64: neither is mistaken for the other.
    with suppress(ValueError, binascii.Error):
        key = bytes.fromhex(text) if len(text) == 2 * MASTER_KEY_BYTES else _base64(text)
        if len(key) == MASTER_KEY_BYTES:
            return key
    raise SecretsInvalid(f"{source}: expected {MASTER_KEY_BYTES} bytes in base64 or hexadecimal")


def _base64(text: str) -> bytes:
    standard = text.rstrip("=").translate(str.maketrans("-_", "+/"))
    return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)


def _kept(path: Path, make: Callable[[], str]) -> str:
    """The content of a file of mode 0600; where there is none, what `make` gives is put there whole."""
    try:
        return _content(path)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # mkstemp gives mode 0600; a link, unlike a rename, never replaces what another start has just put there.
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(make() + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        Path(draft).unlink()
    _sync_directory(path.parent)
    return _content(path)


def _content(path: Path) -> str:
    text = path.read_text(encoding="utf-8").strip()
    if not text:
        raise SecretsInvalid(f"{path}: is empty")
    return text


def _sync_directory(directory: Path) -> None:
    """Makes a new name as lasting as the file: a lost master key is lost data."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
