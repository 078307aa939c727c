"""`anjie pack …`: rule packs, before anyone adopts them."""

from pathlib import Path
from typing import Annotated

import typer

from services.terminal import Json, show
from shared.policy.packs import Fault, Pack, PackBroken, read_pack

app = typer.Typer(help="Rule packs: what a place sets otherwise.", no_args_is_help=True)


@app.command()
def check(
    path: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True)],
    as_json: Json = False,
) -> None:
    """Tell what a pack is and its hash, or everything that is wrong with it."""
    try:
        pack = _pack(path)
    except PackBroken as broken:
        faults = [fault._asdict() for fault in broken.faults]
        show({"faults": faults}, str(broken), as_json)
        raise typer.Exit(1) from broken
    data = {"name": pack.name, "version": pack.version, "hash": pack.hash}
    show(data, f"{pack.name} version {pack.version}, hash {pack.hash}", as_json)


def _pack(path: Path) -> Pack:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = 1 + error.object.count(b"\n", 0, error.start)
        raise PackBroken([Fault(str(path), line, "pack", "isn't UTF-8")]) from error
    return read_pack(text, file=str(path))
