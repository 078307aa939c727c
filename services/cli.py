"""`anjie …`: the commands, each a thin edge over what does the work."""

import asyncio
import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, NoReturn, cast
from uuid import UUID

import psycopg
import typer

from services import cli_accounts, cli_kafka, cli_packs, cli_projections, cli_what_if, installation
from services.terminal import CommandFailed, Json, command_settings, show
from shared.events.vocabulary import Role
from shared.runtime.data_directory import DataDirectoryBusy, database_at_hand
from shared.runtime.identity import Unauthenticated, issue_token
from shared.runtime.migrations import MigrationFailed
from shared.runtime.parentage import end_with_parent
from shared.runtime.postgres import PostgresFailed
from shared.runtime.secrets import SecretsInvalid, read_secrets
from shared.runtime.settings import Settings, SettingsInvalid
from shared.runtime.vault import MasterKeyWrong

_FAILED: Final = 1
_UNUSABLE: Final = 2
"""The exit code when something outside the product has to change first."""
_DURATION: Final = re.compile(r"([1-9]\d{0,4})([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}

app = typer.Typer(
    name="anjie",
    help="Anjie: case management whose every step is kept, and can be replayed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Runs the command of this process; what the operator can mend is said in one line."""
    try:
        app(prog_name="anjie")
    except CommandFailed as error:
        _end(_FAILED, str(error))
    except (
        SettingsInvalid,
        SecretsInvalid,
        DataDirectoryBusy,
        PostgresFailed,
        MigrationFailed,
        MasterKeyWrong,
        Unauthenticated,
        installation.InstallationUnfit,
    ) as error:
        _end(_UNUSABLE, str(error))
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        _end(_UNUSABLE, "the database isn't migrated; run anjie migrate")
    except psycopg.OperationalError as error:
        _end(_UNUSABLE, f"the database can't be reached: {str(error).splitlines()[0]}")
    except OSError as error:
        _end(_UNUSABLE, f"{error.strerror}: {error.filename}" if error.filename else str(error))


@app.command()
def serve(
    only: Annotated[
        str | None,
        typer.Option(
            help="Comma list of what to run: intake, resolution, projections, projector, relay, clock.",
            metavar="LIST",
        ),
    ] = None,
    fresh: Annotated[
        bool, typer.Option(help="Start over with an empty embedded ledger and no demo.")
    ] = False,
    yes: Annotated[bool, typer.Option(help="Don't ask before starting over.")] = False,
    parent: Annotated[int | None, typer.Option("--end-with-parent", hidden=True)] = None,
) -> None:
    """Serve: everything in one, or a part of it."""
    if parent is not None:
        end_with_parent(parent)
    from services import supervisor  # the web and all behind it, for which no other command should wait

    settings = command_settings()
    parts = supervisor.whole(settings) if only is None else _parts(only, supervisor.PARTS)
    if fresh:
        _ask_to_start_over(settings, answered=yes)
    supervisor.run(settings, parts, start_over=fresh)


@app.command()
def migrate(as_json: Json = False) -> None:
    """Bring the database to the shape that this version needs; may be repeated, also while serving."""
    with database_at_hand(command_settings()) as settings:
        applied = installation.prepare_database(settings)
    show({"applied": applied}, "\n".join(f"applied {name}" for name in applied) or "up to date", as_json)


@app.command()
def token(
    role: Annotated[str, typer.Option(help="What the bearer is, such as mediator or township_officer.")],
    unit: Annotated[
        str | None,
        typer.Option(help="Id or unique name; may be left out for operator and auditor: the whole."),
    ] = None,
    person: Annotated[str | None, typer.Option(help="Who the bearer is; by default the role.")] = None,
    clearance: Annotated[
        list[str] | None, typer.Option(help="SAFETY_LEAD or ACCUSATION; repeatable.")
    ] = None,
    expires: Annotated[str, typer.Option(help="How long it is good for: 90s, 30m, 12h, 7d.")] = "12h",
) -> None:
    """Print a token to sign in with, and nothing else."""
    settings = command_settings()
    lifetime = _duration(expires)
    print(
        issue_token(
            installation.signing_secret(read_secrets(settings)),
            sub=person or role,
            # A role that doesn't exist is refused like one in a token that somebody sends.
            role=cast(Role, role),
            unit=None if unit is None else _unit(settings, unit),
            clearances=frozenset(clearance or ()),
            lifetime=lifetime,
        )
    )


demo = typer.Typer(help="Made-up data to try things with.", no_args_is_help=True)
app.add_typer(demo, name="demo")
app.add_typer(cli_accounts.app, name="account")
app.add_typer(cli_kafka.app, name="kafka")
app.add_typer(cli_packs.app, name="pack")
app.add_typer(cli_projections.app)
app.add_typer(cli_what_if.app)


@demo.command()
def load(
    names: Annotated[list[str], typer.Argument(metavar="NAME…", help="haimen, huinan.")],
    parent: Annotated[int | None, typer.Option("--end-with-parent", hidden=True)] = None,
) -> None:
    """Load demo sets through the product that is serving, each from where it was cut off."""
    if parent is not None:
        end_with_parent(parent)
    from services import demo_loading

    demo_loading.load(command_settings(), names)


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(metavar="FILE.ndjson", exists=True, dir_okay=False, readable=True)],
    unit: Annotated[
        str | None,
        typer.Option(help="Id or unique name of the unit it is about; by default the only township."),
    ] = None,
    note: Annotated[
        str | None, typer.Option(help="Where the lines come from; by default the file's name.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Send a file of commands, one a line as in a batch, to the product that serves, under one import."""
    from services.importing import import_file

    report = import_file(command_settings(), path, unit, note or path.name)
    lines = [f"line {refused.line}: {refused.reason}" for refused in report.refused]
    show(report, "\n".join([*lines, f"{report.stored} stored, {len(report.refused)} refused"]), as_json)
    if report.refused:
        raise typer.Exit(_FAILED)


def _parts(only: str, known: tuple[str, ...]) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(part.strip() for part in only.split(",") if part.strip()))
    for part in chosen:
        if part not in known:
            raise typer.BadParameter(f"{part!r} is none of {', '.join(known)}", param_hint="--only")
    if not chosen:
        raise typer.BadParameter(f"name some of {', '.join(known)}", param_hint="--only")
    return chosen


def _ask_to_start_over(settings: Settings, *, answered: bool) -> None:
    if settings.database_url is not None:
        raise installation.InstallationUnfit(
            "DATABASE_URL is set; only the embedded ledger can be started over"
        )
    if not answered:
        typer.confirm(
            f"Delete the ledger in {settings.data_dir} and everything that was ever recorded in it?",
            abort=True,
        )


def _unit(settings: Settings, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        with database_at_hand(settings) as reached:
            return asyncio.run(installation.unit_called(reached, text))


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise typer.BadParameter("expected something like 90s, 30m, 12h or 7d", param_hint="--expires")
    return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


def _end(code: int, reason: str) -> NoReturn:
    print(f"anjie: {reason}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
