"""`anjie pack …`: rule packs are checked, and adopted for a unit."""

from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from services.terminal import Json, command_settings, show
from shared.policy.packs import Fault, Pack, PackBroken, read_pack

PackFile = Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True)]

app = typer.Typer(help="Rule packs: what a place sets otherwise.", no_args_is_help=True)


@app.command()
def check(
    path: PackFile,
    as_json: Json = False,
) -> None:
    """Tell what a pack is and its hash, or everything that is wrong with it."""
    pack = checked(path, as_json)
    data = {"name": pack.name, "version": pack.version, "hash": pack.hash}
    show(data, f"{pack.name} version {pack.version}, hash {pack.hash}", as_json)


@app.command()
def adopt(
    path: PackFile,
    unit: Annotated[str, typer.Option(help="Id or unique name of the unit that it is for.")],
    from_on: Annotated[
        datetime,
        typer.Option("--from", formats=["%Y-%m-%d"], metavar="DATE", help="The first day on which it holds."),
    ],
    as_json: Json = False,
) -> None:
    """Let a pack's rules hold for a unit and those beneath it; sent to the product that serves."""
    # What the client is made of, no other command should wait for.
    from services.batch_client import NoAnswer
    from services.operator_client import command, operator_client, unit_meant, unreachable

    checked(path, as_json)
    settings = command_settings()
    client = operator_client(settings, "operator")
    text = _text(path)
    try:
        unit_id, day = unit_meant(client, unit), from_on.date().isoformat()
        key = f"adopt {unit_id} {day} {sha256(text.encode()).hexdigest()}"
        answer = command(client, "/v1/rule-packs", key, {"unit": unit_id, "from": day, "content": text})
    except NoAnswer as error:
        raise unreachable(settings, error) from error
    told = msgspec.json.decode(answer)
    show(
        told, f"{told['pack']} version {told['pack_version']} holds from {day}, hash {told['hash']}", as_json
    )


def checked(path: Path, as_json: bool) -> Pack:
    """The pack; a broken one ends the command with its faults told."""
    try:
        return read_pack(_text(path), file=str(path))
    except PackBroken as broken:
        faults = [fault._asdict() for fault in broken.faults]
        show({"faults": faults}, str(broken), as_json)
        raise typer.Exit(1) from broken


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = 1 + error.object.count(b"\n", 0, error.start)
        raise PackBroken([Fault(str(path), line, "pack", "isn't UTF-8")]) from error
