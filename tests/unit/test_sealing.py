"""Private values leave a command as ciphertext only, and can't be moved."""

import itertools
import os
import types
import typing
from collections.abc import Iterator
from datetime import UTC, date, datetime
from uuid import UUID

import msgspec
import pytest
from msgspec.structs import replace

from shared.events.base import Clear, Event, Person, Private
from shared.events.registry import EVENT_CLASSES, decode, encode
from shared.runtime.identifiers import new_id
from shared.runtime.sealing import (
    MasterKey,
    SealBroken,
    Sealing,
    open_file,
    open_value,
    private_values,
    seal_file,
)

MASTER = MasterKey(os.urandom(32))


def _filled(hint: typing.Any, canaries: Iterator[str]) -> typing.Any:
    """A value of the type with every optional field given and a canary in every private one."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return arguments[0]
    if origin in (typing.Union, types.UnionType):
        return _filled(next(argument for argument in arguments if argument is not type(None)), canaries)
    if origin is tuple:
        return tuple(_filled(arguments[0], canaries) for _ in range(2))
    if hint is Private:
        return Private.of(next(canaries))
    if issubclass(hint, msgspec.Struct):
        hints = typing.get_type_hints(hint)
        return hint(**{name: _filled(hints[name], canaries) for name in hint.__struct_fields__})
    if hint is UUID:
        return new_id()
    simple = {
        str: "text",
        int: 1,
        bool: True,
        date: date(2024, 5, 1),
        datetime: datetime(2024, 5, 1, tzinfo=UTC),
    }
    return simple[hint]


@pytest.mark.parametrize("cls", EVENT_CLASSES.values(), ids=EVENT_CLASSES)
def test_every_private_value_of_every_event_is_sealed_and_opens_again(cls: type[Event]) -> None:
    canaries = (f"金丝雀{number}号" for number in itertools.count())
    event, event_id, about = _filled(cls, canaries), new_id(), (new_id(),)
    clear = [value.clear.text for value in private_values(event) if isinstance(value.clear, Clear)]
    sealing = Sealing(MASTER, about)

    stored = encode(sealing.seal(event, event_id))

    assert clear, "the note at least is private"
    assert "金丝雀".encode() not in stored
    keys = {key.key_id: MASTER.unwrap(key.key_id, key.wrapped) for key in sealing.keys}
    assert len(keys) == len(sealing.keys), "no key travels twice"
    read = decode(cls.topic, cls.class_version, stored)
    values = list(private_values(read))
    assert [open_value(value, keys[value.key]) for value in values if value.key] == clear
    assert len({value.field for value in values}) == len(values)
    concerns = {key.key_id: key.persons for key in sealing.keys if not key.claims}
    assert set(concerns.values()) == {about}


def test_a_person_has_one_key_in_one_append_and_claims_it() -> None:
    person = Person(person_ref=new_id(), role="PARTY", name=Private.of("黄某"), phone=Private.of("138"))
    sealing = Sealing(MASTER, ())
    first = sealing.seal(EVENT_CLASSES["case.person_added"](person=person), new_id())  # type: ignore[call-arg]
    second = sealing.seal(EVENT_CLASSES["case.person_added"](person=person), new_id())  # type: ignore[call-arg]
    assert [(key.key_id, key.claims, key.persons) for key in sealing.keys] == [
        (person.person_ref, True, (person.person_ref,))
    ]
    assert {value.key for event in (first, second) for value in private_values(event)} == {person.person_ref}


def test_a_known_person_keeps_their_key_and_claims_nothing() -> None:
    person_ref, key = new_id(), os.urandom(32)
    person = Person(person_ref=person_ref, role="PARTY", name=Private.of("黄某"))
    sealing = Sealing(MASTER, (), known={person_ref: key})
    event = sealing.seal(EVENT_CLASSES["case.person_added"](person=person), new_id())  # type: ignore[call-arg]
    assert sealing.keys == []
    assert [open_value(value, key) for value in private_values(event)] == ["黄某"]


@pytest.mark.parametrize("moved", ["event", "field", "key", "sealed"])
def test_a_sealed_value_opens_nowhere_else(moved: str) -> None:
    sealing = Sealing(MASTER, ())
    event = sealing.seal(EVENT_CLASSES["case.audit_noted"](text=Private.of("机密")), new_id())  # type: ignore[call-arg]
    (value,) = private_values(event)
    key = MASTER.unwrap(sealing.keys[0].key_id, sealing.keys[0].wrapped)
    elsewhere = {"event": new_id(), "field": "note", "key": new_id(), "sealed": value.sealed[:-1] + b"\x00"}
    with pytest.raises(SealBroken):
        open_value(replace(value, **{moved: elsewhere[moved]}), key)


def test_another_master_key_opens_nothing() -> None:
    key_id = new_id()
    wrapped = MASTER.wrap(key_id, os.urandom(32), os.urandom(12))
    with pytest.raises(SealBroken):
        MasterKey(os.urandom(32)).unwrap(key_id, wrapped)
    with pytest.raises(SealBroken):
        MASTER.unwrap(new_id(), wrapped)


def test_a_sealed_file_is_bound_to_its_id() -> None:
    file_id, content = new_id(), os.urandom(1000)
    sealed, wrapped = seal_file(file_id, content, MASTER)
    key = MASTER.unwrap(file_id, wrapped.wrapped)
    assert open_file(file_id, sealed, key) == content
    assert content[:16] not in sealed
    with pytest.raises(SealBroken):
        open_file(new_id(), sealed, key)


def test_idempotency_hashes_depend_on_every_part() -> None:
    parts = [("a", "k", "POST /x", b"{}"), ("ak", "", "POST /x", b"{}"), ("a", "k", "POST /y", b"{}"),
             ("a", "k", "POST /x", b"[]")]  # fmt: skip
    hashes = [MASTER.idempotency(*part) for part in parts]
    assert len(set(hashes)) == len(parts)
    assert hashes[0].key_hash == hashes[2].key_hash == hashes[3].key_hash != hashes[1].key_hash
    assert hashes[0] == MASTER.idempotency(*parts[0])
