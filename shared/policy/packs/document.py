"""What a rule pack says, section by section: the shape of its YAML and of its stored content."""

from collections.abc import Mapping
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta

from shared.events.vocabulary import DocumentKind, Level, Procedure, SuspensionGround, Timer, WarningLevel
from shared.policy.policy import (
    CalendarYear,
    Category,
    Code,
    ExtensionRule,
    Meeting,
    Occasion,
    QuorumRule,
    Ruling,
    SafetyRule,
    SeatedBody,
    SeatsRule,
    Span,
    SuspensionRule,
    TimerRule,
    TimersRule,
    Title,
)

T = TypeVar("T")


class Rule(Ruling, Generic[T], frozen=True, kw_only=True):
    """A rule that is one value."""

    value: T


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A whole pack, after inheritance; beyond the first three, the sections are those of `Policy`."""

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
    version: Annotated[int, Meta(ge=1, le=1_000_000)]
    title: Title

    timers: Mapping[Timer, TimerRule]
    ladder: Rule[Mapping[Level, Span]]
    procedures: Mapping[Procedure, TimersRule]
    occasions: Mapping[Occasion, TimersRule]
    extensions: Mapping[Timer, ExtensionRule]
    suspensions: Mapping[SuspensionGround, SuspensionRule]
    return_limit: Rule[Annotated[int, Meta(ge=0, le=100)]]
    late_days: Rule[Annotated[int, Meta(ge=0, le=3_660)]]
    future_s: Rule[Annotated[int, Meta(ge=0, le=3_600)]]
    contact_hours: Rule[Annotated[int, Meta(ge=1, le=8_784)]] | None = None
    follow_up_attempts: Rule[Annotated[int, Meta(ge=1, le=100)]]
    partial_counts: Rule[bool]
    small_cell_min: Rule[Annotated[int, Meta(ge=1, le=1_000)]]
    warning_scale: Rule[Annotated[tuple[WarningLevel, ...], Meta(min_length=1)]]
    categories: Rule[Annotated[Mapping[Code, Category], Meta(min_length=1)]]
    service_items: Rule[Annotated[Mapping[Code, Title], Meta(min_length=1)]]
    dossier: Rule[tuple[Annotated[tuple[DocumentKind, ...], Meta(min_length=1)], ...]]
    safety: SafetyRule
    quorums: Mapping[Meeting, QuorumRule]
    seats: Mapping[SeatedBody, SeatsRule]
    calendar_years: Mapping[Annotated[int, Meta(ge=1900, le=2200)], CalendarYear]
