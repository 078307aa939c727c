"""The shapes of accounts: what is asked of them and what is answered."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from shared.events.vocabulary import Role
from shared.policy.bodies import Ref
from shared.runtime.accounts import LOGIN_LENGTH_MAX, AccountChange
from shared.runtime.passwords import PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN

Clearances = list[Literal["SAFETY_LEAD", "ACCUSATION"]]
Login = Annotated[str, Meta(min_length=1, max_length=LOGIN_LENGTH_MAX)]


class AccountsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`unit` with all beneath it, by default the caller's."""

    unit: UUID | None = None
    role: Role | None = None
    disabled: bool | None = None
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 100
    cursor: UUID | None = None


class SearchAccounts(AccountsQuery, frozen=True, kw_only=True):
    q: Annotated[str, Meta(min_length=1, max_length=LOGIN_LENGTH_MAX)] | None = None
    """A part of a login or an actor's ref: names, which go into no address."""


class StandsFor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    role: Role
    unit: UUID | None = None
    """May be left out for an operator and an auditor: the whole."""
    clearances: Clearances = []


class AddAccount(StandsFor, frozen=True, kw_only=True):
    login: Login
    actor_ref: Ref | None = None
    """Who they are in what they do, where that is known already; by default a new one, made of the login."""


class ChangePassword(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    password: Annotated[str, Meta(min_length=1, max_length=PASSWORD_LENGTH_MAX)]
    """The present one."""
    new_password: Annotated[str, Meta(min_length=PASSWORD_LENGTH_MIN, max_length=PASSWORD_LENGTH_MAX)]


class Nothing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class AccountShown(msgspec.Struct, frozen=True, kw_only=True):
    account_id: UUID
    login: str
    actor_ref: str
    role: Role
    unit: UUID | None
    clearances: list[str]
    has_password: bool
    password_given_until: datetime | None
    """When the password that somebody gave runs out, unless its owner chooses another; None: they have."""
    password_run_out: bool
    """Whether it has: then somebody has to give another."""
    created_at: datetime
    disabled_at: datetime | None
    last_signed_in_at: datetime | None
    may_change: bool
    """Whether it is the caller's to change."""
    may_reset: bool
    """Whether the caller may give it another password: an officer only until its owner has signed in."""


class AccountAnswer(AccountShown, frozen=True, kw_only=True):
    changes: list[AccountChange]
    """The latest first, at most 100."""


class NewPassword(AccountShown, frozen=True, kw_only=True):
    password: str
    """Told this once."""


class AccountsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    items: list[AccountShown]
    next: UUID | None


class UnitCount(msgspec.Struct, frozen=True, kw_only=True):
    unit_id: UUID
    active: int
    disabled: int


class CountsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    items: list[UnitCount]
    """Of the units that have any accounts, each its own."""
