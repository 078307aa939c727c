"""What every event is made of: a frozen struct with a topic, and private values that are sealed."""

import re
from typing import Any, ClassVar, Self
from uuid import UUID

import msgspec

from shared.events.vocabulary import PersonRole


class Clear:
    """Text in the clear on its way to being sealed; deliberately not encodable."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return "Clear(…)"


class Private(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A personal value: in the clear inside a running command only, sealed everywhere else.

    `sealed` is nonce and ciphertext of AES-256-GCM under `key`; `event` and `field`
    (with the key's id) are its associated data, so a value can't be moved elsewhere.
    """

    key: UUID | None = None
    event: UUID | None = None
    field: str = ""
    sealed: bytes = b""
    clear: Clear | None = None

    @classmethod
    def of(cls, text: str) -> Self:
        return cls(clear=Clear(text))

    @classmethod
    def maybe(cls, text: str | None) -> Self | None:
        return None if text is None else cls.of(text)


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The root of all event classes.

    A class states the kind of its stream once for its module's events; the topic follows
    from its name (`CaseEscalated` on a case is `case.escalated`, `VisitRecorded` on a case
    is `case.visit_recorded`). A published class never changes its fields: raise
    `class_version` and give `upcast_vN_vN+1(data)` for each step.
    """

    stream_kind: ClassVar[str]
    topic: ClassVar[str]
    class_version: ClassVar[int] = 1

    note: Private | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        kind = getattr(cls, "stream_kind", None)
        if kind is not None:
            cls.topic = topic_of(kind, cls.__name__)


def topic_of(stream_kind: str, class_name: str) -> str:
    """The topic of an event class: its name in snake case less the kind of its stream."""
    words = re.findall(r"[A-Z][a-z]*", class_name)
    if words[0].lower() == stream_kind:
        words = words[1:]
    return f"{stream_kind}.{'_'.join(words).lower()}"


class Person(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Somebody a case is about; what identifies them is sealed under a key of their own."""

    person_ref: UUID
    role: PersonRole
    actor_ref: str | None = None
    name: Private | None = None
    phone: Private | None = None
    address: Private | None = None
    id_number: Private | None = None
