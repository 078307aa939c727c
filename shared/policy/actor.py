"""Who acts: what a token says of its bearer."""

from uuid import UUID

import msgspec

from shared.events.vocabulary import Role


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    ref: str
    role: Role
    unit: UUID | None
    """Absent: the whole, for operator and auditor only."""
    clearances: frozenset[str] = frozenset()
