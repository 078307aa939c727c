"""`anjie account …`: who may sign in on a page, and as whom."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import typer

from services.installation import unit_called
from services.terminal import CommandFailed, Json, command_settings, show
from shared.runtime.accounts import Account, Accounts, LoginTaken, LoginUnfit, LoginUnknown
from shared.runtime.bodies import read_id
from shared.runtime.data_directory import database_at_hand
from shared.runtime.database import service_pool
from shared.runtime.identity import checked_actor
from shared.runtime.passwords import Passwords, PasswordUnfit
from shared.runtime.settings import Settings

T = TypeVar("T")

Login = Annotated[str, typer.Argument(metavar="LOGIN", help="What they sign in with; capitals don't matter.")]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input instead of asking.")
]
ByOwner = Annotated[
    bool,
    typer.Option(
        "--chosen-by-owner",
        help="They typed it themselves; else they choose another when they first sign in.",
    ),
]

app = typer.Typer(help="Accounts: who may sign in on a page, and as whom.", no_args_is_help=True)


@app.command()
def add(
    login: Login,
    role: Annotated[str, typer.Option(help="What they are, such as mediator or township_officer.")],
    unit: Annotated[
        str | None,
        typer.Option(help="Id or unique name; may be left out for operator and auditor: the whole."),
    ] = None,
    person: Annotated[
        str | None, typer.Option(help="Who they are in what they do; by default the login.")
    ] = None,
    clearance: Annotated[
        list[str] | None, typer.Option(help="SAFETY_LEAD or ACCUSATION; repeatable.")
    ] = None,
    password_stdin: FromStdin = False,
    chosen_by_owner: ByOwner = False,
) -> None:
    """Let somebody sign in with a password of at least 10 characters, which is asked for."""

    async def work(accounts: Accounts, settings: Settings) -> Account:
        unit_id = None if unit is None else str(read_id(unit) or await unit_called(settings, unit))
        actor = checked_actor(ref=person or login, role=role, unit=unit_id, clearances=clearance or [])
        hashed = await Passwords().hashed(_password(password_stdin))
        return await accounts.add(login, actor, hashed, given=not chosen_by_owner)

    print(f"{_working(work).login} may sign in")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Every account with what it stands for."""

    async def work(accounts: Accounts, settings: Settings) -> list[Account]:
        return await accounts.all()

    accounts = _working(work)
    lines = [_line(account) for account in accounts]
    show([_shown(account) for account in accounts], "\n".join(lines) or "no accounts", as_json)


@app.command()
def password(login: Login, password_stdin: FromStdin = False, chosen_by_owner: ByOwner = False) -> None:
    """Give an account another password, which is asked for; whoever is signed in to it is signed out."""

    async def work(accounts: Accounts, settings: Settings) -> None:
        account = await accounts.called(login)
        hashed = await Passwords().hashed(_password(password_stdin))
        await accounts.set_password(account, hashed, given=not chosen_by_owner)

    _working(work)
    print(f"{login} has another password")


@app.command()
def disable(login: Login) -> None:
    """Let nobody sign in to an account any more; whoever is signed in to it is signed out."""

    async def work(accounts: Accounts, settings: Settings) -> None:
        await accounts.disable(await accounts.called(login))

    _working(work)
    print(f"{login} may no longer sign in")


@app.command()
def enable(login: Login) -> None:
    """Let somebody sign in again with the password that they had."""

    async def work(accounts: Accounts, settings: Settings) -> None:
        await accounts.enable(await accounts.called(login))

    _working(work)
    print(f"{login} may sign in")


def _working(work: Callable[[Accounts, Settings], Awaitable[T]]) -> T:
    """What work on the accounts comes to. Raises: CommandFailed with the reason in one line."""

    async def run(settings: Settings) -> T:
        async with service_pool(settings.service_url, name="accounts", connections_max=1) as pool:
            return await work(Accounts(pool), settings)

    try:
        with database_at_hand(command_settings()) as settings:
            return asyncio.run(run(settings))
    except LoginTaken as error:
        raise CommandFailed(f"there is an account called {error} already") from error
    except LoginUnknown as error:
        raise CommandFailed(f"no account is called {error}") from error
    except (LoginUnfit, PasswordUnfit) as error:
        raise CommandFailed(str(error)) from error


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    asked: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return asked


def _line(account: Account) -> str:
    actor = account.actor
    words = [account.login, actor.role, str(actor.unit or "the whole"), actor.ref, *sorted(actor.clearances)]
    if account.hash is None:
        words.append("(no password)")
    if account.has_given_password:
        words.append("(password given)")
    if account.disabled_at is not None:
        words.append("(disabled)")
    return "  ".join(words)


def _shown(account: Account) -> dict[str, Any]:
    return {
        "account_id": account.account_id,
        "login": account.login,
        "role": account.actor.role,
        "unit": account.actor.unit,
        "person": account.actor.ref,
        "clearances": sorted(account.actor.clearances),
        "password": account.hash is not None,
        "password_given_at": account.password_given_at,
        "created_at": account.created_at,
        "disabled_at": account.disabled_at,
    }
