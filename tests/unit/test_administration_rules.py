"""Who may give out accounts: nobody any with more than they have, in whatever many steps."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import get_args
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from shared.events.vocabulary import LEVELS, Role
from shared.policy.administration import (
    administers,
    fits,
    has_run_out,
    may_administer,
    may_give_password,
    may_look_up,
)
from shared.policy.sight import reads_unit
from shared.policy.standing import is_officer, level_of_unit
from tests.unit.casework import (
    FAR_VILLAGE,
    GROUP,
    OTHER_GROUP,
    OTHER_TOWNSHIP,
    OTHER_VILLAGE,
    TOWNSHIP,
    TREE,
    VILLAGE,
    actor,
)

ROLES: tuple[Role, ...] = get_args(Role)
OVERSEERS = ("supervisor", "auditor", "privacy_officer")
UNITS: tuple[UUID | None, ...] = (
    GROUP, OTHER_GROUP, VILLAGE, OTHER_VILLAGE, FAR_VILLAGE, TOWNSHIP, OTHER_TOWNSHIP, None,
)  # fmt: skip
CLEARANCES = ((), ("SAFETY_LEAD",), ("ACCUSATION",), ("SAFETY_LEAD", "ACCUSATION"))
EVERYBODY = [
    actor(f"{role} {unit} {clearances}", role, unit, *clearances)
    for role, unit, clearances in product(ROLES, UNITS, CLEARANCES)
]
LETS_IN = {by: [each for each in EVERYBODY if may_administer(by, each, TREE)] for by in EVERYBODY}
"""Everybody whom each may let in: all there are of roles, units and clearances."""


def test_nobody_gives_or_takes_more_than_they_have() -> None:
    for by, account in ((by, account) for by, accounts in LETS_IN.items() for account in accounts):
        assert by.ref != account.ref
        assert reads_unit(by, account.unit, TREE) if account.unit else by.role == "operator" and not by.unit
        if by.role == "operator":
            continue
        assert is_officer(by, TREE)
        assert account.clearances <= by.clearances
        assert account.role not in (*OVERSEERS, "operator")
        level, own = level_of_unit(account.unit, TREE), level_of_unit(by.unit, TREE)
        assert level is not None
        assert own is not None
        assert LEVELS.index(level) <= LEVELS.index(own)
        if is_officer(account, TREE) and level == own:
            assert (account.role, account.unit) == (by.role, by.unit)


def test_nobody_lets_in_by_somebody_else_whom_they_may_not_let_in_themselves() -> None:
    for by, accounts in LETS_IN.items():
        through = {account.ref for each in accounts for account in LETS_IN[each]}
        assert through - {by.ref} <= {account.ref for account in accounts}


def test_officers_and_operators_do_let_in_people() -> None:
    busy = {by.role for by, accounts in LETS_IN.items() if accounts}
    assert busy == {"village_officer", "township_officer", "operator"}


def test_what_may_be_changed_may_be_looked_up_by_those_who_look_after_accounts() -> None:
    for by, account in product(EVERYBODY, EVERYBODY):
        if may_administer(by, account, TREE):
            assert may_look_up(by, account, TREE)
        if may_look_up(by, account, TREE):
            assert administers(by, TREE)


def test_a_role_stands_at_its_level() -> None:
    assert [fits("group_leader", level) for level in (*LEVELS, None)] == [True, False, False, False]
    assert [fits("village_officer", level) for level in (*LEVELS, None)] == [False, True, False, False]
    assert all(fits("mediator", level) for level in LEVELS)
    assert fits("auditor", None)


def test_no_officer_gives_another_password_to_who_has_signed_in() -> None:
    for by, accounts in LETS_IN.items():
        for account in accounts:
            assert may_give_password(by, account, TREE, used=False)
            assert may_give_password(by, account, TREE, used=True) is (by.role == "operator")


@given(st.timedeltas(timedelta(0), timedelta(days=30)))
def test_a_given_password_is_good_for_fourteen_days(age: timedelta) -> None:
    given_at = datetime(2026, 11, 27, 12, 10, tzinfo=UTC)
    assert has_run_out(given_at, given_at + age) is (age >= timedelta(days=14))
