"""Sealing: private values of events become ciphertext before anything is stored.

A person's structured fields are sealed under one key per person, each free text under a
key of its own. The associated data binds a value to its event, its field and its key, so
that no ciphertext can be moved. Keys are wrapped by a key derived from the master key.
"""

import functools
import hmac
import os
import typing
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec.structs import replace

from shared.events.base import Event, Person, Private
from shared.events.recorded import IdempotencyKey, WrappedKey
from shared.runtime.identifiers import new_id

_KEY_BYTES = 32
_NONCE_BYTES = 12
_HASH_BYTES = 32

StructT = TypeVar("StructT", bound=msgspec.Struct)
EventT = TypeVar("EventT", bound=Event)


class SealBroken(Exception):
    """A sealed value or a wrapped key doesn't open: the wrong key, or it was tampered with."""


class MasterKey:
    """What the master key is used for, each through a subkey of its own (HKDF-SHA-256)."""

    def __init__(self, master: bytes) -> None:
        self._master = master
        self._wrapping = AESGCM(self._subkey("key wrapping"))
        self._idempotency = self._subkey("idempotency keys")
        self._bodies = self._subkey("request bodies")
        self._digests = self._subkey("file digests")
        self._sign_in_subjects = self._subkey("sign-in subjects")
        self._search = self._subkey("search index")

    def _subkey(self, purpose: str) -> bytes:
        return HKDF(SHA256(), _KEY_BYTES, salt=None, info=f"anjie {purpose}".encode()).derive(self._master)

    def wrap(self, key_id: UUID, key: bytes, nonce: bytes) -> bytes:
        """The key, sealed; the nonce is random and never used again."""
        return nonce + self._wrapping.encrypt(nonce, key, key_id.bytes)

    def unwrap(self, key_id: UUID, wrapped: bytes) -> bytes:
        """Raises SealBroken."""
        try:
            return self._wrapping.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], key_id.bytes)
        except InvalidTag:
            raise SealBroken(f"key {key_id}") from None

    def device_key(self, sub: str) -> bytes:
        """The key under which a device of an account seals what it keeps; it gets it by signing in."""
        subkey = self._subkey("device keys")
        return blake2b(sub.encode("utf-8", "surrogatepass"), digest_size=_KEY_BYTES, key=subkey).digest()

    def idempotency(self, sub: str, key: str, route: str, canonical_body: bytes) -> IdempotencyKey:
        """Keyed hashes of a client's key and of what was sent under it; `route` is method and path."""
        owner = f"{len(sub)}|{sub}|{key}".encode()
        content = b"%b\n%b" % (route.encode(), canonical_body)
        # Keyed BLAKE2b is a third of an HMAC's work, and each command needs two.
        return IdempotencyKey(
            blake2b(owner, digest_size=_HASH_BYTES, key=self._idempotency).digest(),
            blake2b(content, digest_size=_HASH_BYTES, key=self._bodies).digest(),
        )

    def file_digest(self, content: bytes) -> str:
        """HMAC-SHA-256 of a file's clear bytes, hexadecimal."""
        return hmac.digest(self._digests, content, "sha256").hex()

    def sign_in_subject(self, subject: str) -> bytes:
        """A keyed hash of whose attempts to sign in are counted, which says nothing without the key."""
        content = subject.encode("utf-8", "surrogatepass")
        return blake2b(content, digest_size=_HASH_BYTES, key=self._sign_in_subjects).digest()

    def search_key(self, township: UUID) -> bytes:
        """The key under which the texts of a township are indexed."""
        return blake2b(township.bytes, digest_size=_HASH_BYTES, key=self._search).digest()


class Sealing:
    """Seals the events of one append and gathers the keys that have to travel with it.

    `about` are the people whom the free texts concern; `known` the stored keys of people
    who already have one. Every other person met in an event gets a new key, whose id the
    append claims.
    """

    def __init__(
        self, master: MasterKey, about: Sequence[UUID], known: Mapping[UUID, bytes] | None = None
    ) -> None:
        self._master = master
        self._about = tuple(about)
        self._persons: dict[UUID, bytes] = dict(known or {})
        self.keys: list[WrappedKey] = []

    def seal(self, event: EventT, event_id: UUID) -> EventT:
        """The same event with every private value sealed."""
        return self._sealed(event, event_id, "", None)

    def seal_text(self, text: str, event_id: UUID, field: str) -> Private:
        """A free text that stands elsewhere than in an event, sealed as one of an event would be."""
        return self._value(Private.of(text), event_id, field, None)

    def _sealed(self, struct: StructT, event_id: UUID, path: str, owner: UUID | None) -> StructT:
        if isinstance(struct, Person):
            owner = struct.person_ref
            self._person_key(owner)
        changes: dict[str, Any] = {}
        for name in _private_fields(type(struct)):
            value = getattr(struct, name)
            if isinstance(value, Private):
                changes[name] = self._value(value, event_id, path + name, owner)
            elif isinstance(value, tuple):
                changes[name] = tuple(
                    self._sealed(item, event_id, f"{path}{name}/{index}/", owner)
                    for index, item in enumerate(value)
                )
            elif value is not None:
                changes[name] = self._sealed(value, event_id, f"{path}{name}/", owner)
        return replace(struct, **changes) if changes else struct

    def _value(self, value: Private, event_id: UUID, field: str, owner: UUID | None) -> Private:
        if value.clear is None:
            raise ValueError(f"{field} is sealed already")
        if owner is None:
            key_id, key, nonce = self._text_key()
        else:
            key_id, key, nonce = owner, self._person_key(owner), os.urandom(_NONCE_BYTES)
        clear = value.clear.text.encode()
        sealed = nonce + AESGCM(key).encrypt(nonce, clear, _associated(event_id, field, key_id))
        return Private(key=key_id, event=event_id, field=field, sealed=sealed)

    def _text_key(self) -> tuple[UUID, bytes, bytes]:
        """A new key for one text, with a nonce to use it with."""
        key_id, random = new_id(), os.urandom(_KEY_BYTES + 2 * _NONCE_BYTES)
        key, nonce = random[:_KEY_BYTES], random[_KEY_BYTES + _NONCE_BYTES :]
        wrapped = self._master.wrap(key_id, key, random[_KEY_BYTES : _KEY_BYTES + _NONCE_BYTES])
        self.keys.append(WrappedKey(key_id, wrapped, self._about))
        return key_id, key, nonce

    def _person_key(self, person_ref: UUID) -> bytes:
        key = self._persons.get(person_ref)
        if key is None:
            key = self._persons[person_ref] = os.urandom(_KEY_BYTES)
            wrapped = self._master.wrap(person_ref, key, os.urandom(_NONCE_BYTES))
            self.keys.append(WrappedKey(person_ref, wrapped, (person_ref,), claims=True))
        return key


def open_value(value: Private, key: bytes) -> str:
    """The clear text of a sealed value. Raises SealBroken."""
    assert value.event is not None
    assert value.key is not None
    associated = _associated(value.event, value.field, value.key)
    try:
        clear = AESGCM(key).decrypt(value.sealed[:_NONCE_BYTES], value.sealed[_NONCE_BYTES:], associated)
    except InvalidTag:
        raise SealBroken(f"{value.field} of event {value.event}") from None
    return clear.decode()


def seal_file(file_id: UUID, content: bytes, master: MasterKey) -> tuple[bytes, WrappedKey]:
    """A file's bytes sealed under a key of its own, bound to its id."""
    key, nonce = os.urandom(_KEY_BYTES), os.urandom(_NONCE_BYTES)
    sealed = nonce + AESGCM(key).encrypt(nonce, content, file_id.bytes)
    return sealed, WrappedKey(file_id, master.wrap(file_id, key, os.urandom(_NONCE_BYTES)), ())


def open_file(file_id: UUID, sealed: bytes, key: bytes) -> bytes:
    """The bytes of a sealed file. Raises SealBroken."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], file_id.bytes)
    except InvalidTag:
        raise SealBroken(f"file {file_id}") from None


def private_values(struct: msgspec.Struct) -> Iterator[Private]:
    """Every private value in an event, a state or a part of one, in order of declaration."""
    for name in _private_fields(type(struct)):
        value = getattr(struct, name)
        if isinstance(value, Private):
            yield value
        elif isinstance(value, tuple):
            for item in value:
                yield from private_values(item)
        elif value is not None:
            yield from private_values(value)


def people_in(event: Event) -> Iterator[UUID]:
    """The people whom an event brings with it."""
    for name in _private_fields(type(event)):
        value = getattr(event, name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Person):
                yield part.person_ref


def _associated(event_id: UUID, field: str, key_id: UUID) -> bytes:
    return b"%b|%b|%b" % (event_id.bytes, field.encode(), key_id.bytes)


@functools.cache
def _private_fields(cls: type[msgspec.Struct]) -> tuple[str, ...]:
    """The fields of a struct that are private values or hold structs with some in them."""
    hints = typing.get_type_hints(cls)
    return tuple(name for name in cls.__struct_fields__ if _may_be_private(hints[name]))


def _may_be_private(hint: Any) -> bool:
    arguments = typing.get_args(hint)
    if arguments:
        return any(_may_be_private(argument) for argument in arguments)
    if not (isinstance(hint, type) and issubclass(hint, msgspec.Struct)):
        return False
    return issubclass(hint, Private) or bool(_private_fields(hint))
