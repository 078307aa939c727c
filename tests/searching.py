"""Histories in which something is said: their texts sealed as a command would, and what was sealed."""

import dataclasses
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace

from shared.events import cases
from shared.events.base import Event, Person, Private
from shared.events.case import Case
from shared.events.ledger.appender import Appender
from shared.runtime.identifiers import new_id
from shared.runtime.sealing import MasterKey, Sealing, private_values
from tests.histories import SEALED, County, Occurrence, append_of, recorded_of

MASTER: Final = MasterKey(bytes(32))
"""That of `tests.asking`."""
WORDS: Final = (
    "宅基地",
    "滴水",
    "王五",
    "下水道 堵塞",
    "ＸＹ１２",
    "xy12",
    "138-0013",
    "水",
    "界址不清",
    "3号楼",
)
SOUGHT: Final = (
    "宅基",
    "滴水",
    "水",
    "王五 水",
    "xy1",
    "ＸＹ",
    "0013",
    "号楼",
    "３号",
    "界清",
    "滴宅",
    "堵塞 xy12",
    "塞",
)
"""Of which some stand in no text, though each of their characters does."""

Said = dict[tuple[UUID, str], tuple[UUID, str]]
"""By event and field: the case and the text."""


def speak(value: Any, chance: Random) -> Any:
    """The same event, every private value in it some words in the clear."""
    if value is SEALED or isinstance(value, Private):
        return Private.of("，".join(chance.choices(WORDS, k=chance.randrange(1, 4))))
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple(speak(each, chance) for each in value)
    if isinstance(value, Person | Event | cases.ExternalBody | cases.Term):
        return replace(
            value, **{name: speak(getattr(value, name), chance) for name in value.__struct_fields__}
        )
    return value


def enliven(county: County, chance: Random) -> None:
    """People who can sign in, corrections, and cases that another township takes."""
    for case in list(county.cases):
        if chance.random() < 0.5:
            person = Person(
                person_ref=new_id(), role="PARTY", actor_ref=f"resident-{chance.randrange(2)}",
                name=SEALED, phone=SEALED,
            )  # fmt: skip
            county.add((case.case_id, cases.PersonAdded(person=person)), unit=case.holder_unit)
        if chance.random() < 0.3:
            event_id = UUID(int=(case.case_id.int + 1) % 2**128)
            corrected = cases.RecordCorrected(event_id=event_id, field="description", correction=SEALED)
            county.add((case.case_id, corrected), unit=case.holder_unit)
        if chance.random() < 0.3:
            move_away(county, case)


def move_away(county: County, case: Case) -> None:
    """The township beside takes the case."""
    assert county.neighbour is not None
    moved = cases.CaseTransferred(reason=SEALED, to_unit=county.neighbour, to_level="TOWNSHIP")
    county.add((case.case_id, moved), unit=case.holder_unit)


async def record_sealed(appender: Appender, appends: Sequence[Sequence[Occurrence]], chance: Random) -> Said:
    """Appends what was said in these events, sealed, and answers what that is."""
    said: Said = {}
    for occurrences in appends:
        sealing, sealed = Sealing(MASTER, []), []
        for occurrence in occurrences:
            event_id, clear = recorded_of(occurrence).event_id, speak(occurrence.event, chance)
            event = sealing.seal(clear, event_id)
            sealed.append(dataclasses.replace(occurrence, event=event))
            for value, open_ in zip(private_values(event), private_values(clear), strict=True):
                assert open_.clear is not None
                said[event_id, value.field] = (occurrence.stream_id, open_.clear.text)
        await appender.append(replace(append_of(sealed), keys=sealing.keys))
    return said


def corrected_fields(county: County) -> Iterator[tuple[UUID, str]]:
    """The texts, by event and field, that a correction took the place of."""
    for append in county.appends:
        for occurrence in append:
            if isinstance(occurrence.event, cases.RecordCorrected):
                yield occurrence.event.event_id, occurrence.event.field
