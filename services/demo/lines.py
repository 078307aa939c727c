"""What a demo set is made of: the lines of a batch, one command each, in the order of their time."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from heapq import merge
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

SHANGHAI: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Has kept this offset, without summer time, for all the years that the sets tell of."""

Body = dict[str, Any]


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who acted: what a line says in its `actor`, and what a token of theirs would say."""

    sub: str
    role: str
    unit: UUID


class Request(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line as it goes over the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: Body
    actor: Person | None = None


class Line(NamedTuple):
    """A request and the moment it was written down; lines of one stream come in order."""

    at: datetime
    request: Request
    waits: bool = False
    """Whether it needs the answers of all lines before it: it names what one of them makes."""

    @property
    def key(self) -> str:
        """Its idempotency key: unique over all sets, the same whenever the set is made."""
        return self.request.headers["Idempotency-Key"]


def moment(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """An instant by the clock in Shanghai."""
    return datetime(year, month, day, hour, minute, tzinfo=SHANGHAI)


def midnight(day: date) -> datetime:
    """The beginning of a day in Shanghai."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


def made_id(at: datetime, name: str) -> UUID:
    """A UUIDv7 of that moment, the same whenever it is asked for; other names give other ids."""
    random = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=10).digest(), "big")
    milliseconds = int(at.timestamp() * 1000)
    high = (random >> 68) << 64
    low = random & 0x3FFF_FFFF_FFFF_FFFF
    return UUID(int=milliseconds << 80 | 0x7 << 76 | high | 0x2 << 62 | low)


def in_time(sources: Iterable[Iterator[Line]]) -> Iterator[Line]:
    """The lines of all sources, each in order already, as one sequence by time."""
    return merge(*sources, key=lambda line: line.at)


def staged(lines: Iterator[Line]) -> Iterator[Line]:
    """The same lines, the first of them waiting for all that came before."""
    for first in lines:
        yield first._replace(waits=True)
        yield from lines


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Writes the lines of one import: who, when, under which key."""

    name: str
    """Begins each of its keys."""
    import_id: UUID | None

    def line(
        self,
        at: datetime,
        key: str,
        path: str,
        body: Body,
        *,
        actor: Person | None = None,
        moves: bool = False,
        waits: bool = False,
    ) -> Line:
        """A line; `moves` where the command needs the version that it goes by."""
        headers = {"Idempotency-Key": f"{self.name}/{key}"}
        if self.import_id is not None:
            headers["Anjie-Import"] = str(self.import_id)
        if moves:
            headers["If-Match"] = "*"
        request = Request(method="POST", path=path, headers=headers, body=body, actor=actor)
        return Line(at, request, waits)
