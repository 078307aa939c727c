"""`anjie account …` as the operator uses it, against a database of their own."""

import asyncio
import contextlib
import os
import pty
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from uuid import uuid4

import msgspec
import psycopg
import pytest

from infra import processes
from shared.runtime.accounts import Accounts
from shared.runtime.database import service_pool
from shared.runtime.passwords import Passwords
from tests.conftest import Database
from tests.product import anjie, environment

UNIT = str(uuid4())
PASSWORD = "correct horse battery"


@pytest.fixture
def account(database: Database, tmp_path: Path) -> Any:
    """Runs `anjie account …` to its end."""
    return partial(anjie, "account", data_dir=tmp_path, DATABASE_URL=database.url)


def listed(account: Any) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = msgspec.json.decode(account("list", "--json").stdout)
    return told


def is_right(database: Database, login: str, password: str) -> bool:
    async def run() -> bool:
        async with service_pool(database.url, name="test", connections_max=1) as pool:
            found = await Accounts(pool).called(login)
            return await Passwords().is_right(found.hash, password)

    return asyncio.run(run())


def add(account: Any, login: str, *options: str, password: str = PASSWORD) -> "CompletedProcess[str]":
    made: CompletedProcess[str] = account("add", login, *options, "--password-stdin", stdin=f"{password}\n")
    return made


def test_an_account_from_its_making_to_its_end(database: Database, account: Any) -> None:
    options = ("--role", "mediator", "--unit", UNIT, "--person", "徐燕", "--clearance", "ACCUSATION")
    made = add(account, "Xu", *options)
    assert (made.returncode, made.stdout) == (0, "Xu may sign in\n"), made.stderr
    [shown] = listed(account)
    assert (shown["login"], shown["person"], shown["role"], shown["unit"]) == ("Xu", "徐燕", "mediator", UNIT)
    assert (shown["clearances"], shown["password"], shown["disabled_at"]) == (["ACCUSATION"], True, None)
    assert is_right(database, "xu", PASSWORD)
    assert shown["password_given_at"] is not None
    assert account("list").stdout == f"Xu  mediator  {UNIT}  徐燕  ACCUSATION  (password given)\n"

    changed = account("password", "xu", "--password-stdin", stdin="another good phrase\n")
    assert (changed.returncode, changed.stdout) == (0, "xu has another password\n")
    assert not is_right(database, "xu", PASSWORD)
    assert is_right(database, "xu", "another good phrase")
    own = account("password", "xu", "--password-stdin", "--chosen-by-owner", stdin="a phrase of their own\n")
    assert (own.returncode, listed(account)[0]["password_given_at"]) == (0, None)

    assert account("disable", "XU").returncode == 0
    assert listed(account)[0]["disabled_at"] is not None
    assert account("list").stdout.endswith("(disabled)\n")
    assert account("enable", "xu").returncode == 0
    assert listed(account)[0]["disabled_at"] is None


def test_who_can_have_no_account(account: Any) -> None:
    assert add(account, "xu", "--role", "operator", "--chosen-by-owner").returncode == 0
    assert listed(account)[0]["password_given_at"] is None
    operator, mediator = ("--role", "operator"), ("--role", "mediator")
    too_short = "九个字的口令啊啊啊"
    refusals = [
        (add(account, "XU", *operator), 1, "there is an account called XU already"),
        (add(account, " ", *operator), 1, "a login has 1 to 128 printable characters"),
        (add(account, "li", *operator, password=too_short), 1, "a password has 10 to 1024 characters"),
        (add(account, "li", *mediator), 2, "unit: needed for the role mediator"),
        (add(account, "li", *mediator, "--unit", "余东镇"), 2, "no unit is called 余东镇"),
        (account("disable", "li"), 1, "no account is called li"),
        (account("password", "li", "--password-stdin", stdin=f"{PASSWORD}\n"), 1, "no account is called li"),
    ]
    for refused, code, reason in refusals:
        assert (refused.returncode, refused.stderr) == (code, f"anjie: {reason}\n")
    assert [shown["login"] for shown in listed(account)] == ["xu"]


def test_a_password_is_asked_for_twice_and_not_shown(database: Database, tmp_path: Path) -> None:
    with terminal() as (outside, inside):
        asking = subprocess.Popen(
            processes.anjie("account", "add", "xu", "--role", "operator"),
            env=environment(tmp_path, {"DATABASE_URL": database.url}),
            stdin=inside, stdout=inside, stderr=inside, start_new_session=True,
        )  # fmt: skip
        shown = ""
        for asked, typed in (
            ("Password: ", PASSWORD),
            ("Repeat for confirmation: ", "something else"),
            ("Password: ", PASSWORD),
            ("Repeat for confirmation: ", PASSWORD),
            ("xu may sign in", ""),
        ):
            told = ""
            while asked not in told:
                told += os.read(outside, 1024).decode()
            shown += told
            os.write(outside, f"{typed}\n".encode())
        assert asking.wait(30) == 0
    assert PASSWORD not in shown
    assert is_right(database, "xu", PASSWORD)


@contextlib.contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    """What is typed and shown, and the terminal that a program has of it."""
    outside, inside = pty.openpty()
    try:
        yield outside, inside
    finally:
        os.close(inside)
        os.close(outside)


def test_services_may_not_delete_an_account(database: Database) -> None:
    with psycopg.connect(database.url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DELETE FROM runtime.accounts")
