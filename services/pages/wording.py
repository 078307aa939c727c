"""What the interface answers in codes, said in the words of whoever reads."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final

from services.pages.room import Room
from shared.runtime.web import Request
from shared.web.dates import day_in_words, local, moment_in_words
from shared.web.look import Language, look_of
from shared.web.words import Words

_UNITS_A_READ: Final = 90
"""As many ids as a query string may hold."""


class Wording:
    """Codes by the labels of the lists in force, units by their names, instants by the clock in China."""

    def __init__(
        self,
        language: Language,
        words: Words,
        lists: Mapping[str, Mapping[str, str]],
        units: Mapping[str, str],
    ) -> None:
        self.language = language
        self._words = words
        self._lists = lists
        self._units = units

    def say(self, name: str, **values: Any) -> str:
        return self._words.say(self.language, name, **values)

    def code(self, name: str, code: str) -> str:
        """The label of a code of a list; itself where the list doesn't know it."""
        return self._lists.get(name, {}).get(code, code)

    def codes(self, name: str) -> list[tuple[str, str]]:
        """A whole list, each code with its label."""
        return list(self._lists.get(name, {}).items())

    def unit(self, unit_id: str | None) -> str:
        return self.say("audit_value.whole") if unit_id is None else self._units.get(unit_id, unit_id)

    def text(self, shown: Any) -> str:
        """A private value: its text, or that the reader may not see it."""
        return self.say("audit_value.masked") if isinstance(shown, dict) else str(shown)

    def moment(self, instant: str | datetime) -> str:
        return moment_in_words(self.language, instant)

    def day(self, instant: str) -> str:
        return day_in_words(self.language, local(instant).date())

    def date(self, day: str) -> str:
        """A day of the calendar, as in `2026-01-31`."""
        return day_in_words(self.language, date.fromisoformat(day))

    def yes_or_no(self, value: bool) -> str:
        return self.say("audit_value.is_so") if value else self.say("audit_value.is_not")

    def joined(self, words: Iterable[str]) -> str:
        return self.say("audit_value.and").join(words)


async def wording_of(
    room: Room, request: Request, units: Collection[str | None] = (), **moment: Any
) -> Wording:
    """The words for an answer that names these units, which are called as they were at the moment."""
    return await wording_in(look_of(request).language, room, request, units, **moment)


async def wording_in(
    language: Language, room: Room, request: Request, units: Collection[str | None] = (), **moment: Any
) -> Wording:
    """The same in a language that whoever asks didn't choose, for others to read."""
    asked = sorted({unit for unit in units if unit is not None})
    reference, *pages = await asyncio.gather(
        room.api.get(request, "/v1/reference"),
        *(
            room.api.get(request, "/v1/units", unit_id=asked[start : start + _UNITS_A_READ], **moment)
            for start in range(0, len(asked), _UNITS_A_READ)
        ),
    )
    lists = {
        name: {item["code"]: item[language] for item in answer["items"]}
        for name, answer in reference["lists"].items()
    }
    names = {unit["unit_id"]: unit["name"] for page in pages for unit in page["items"]}
    return Wording(language, room.pages.words, lists, names)
