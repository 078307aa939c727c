"""`anjie what-if`: a period as it was, and as it would have been under other rules."""

import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

import typer
import uvloop

from services.cli_packs import checked
from services.installation import unit_called
from services.projections.figures.queries import Period
from services.projections.reads.moments import Moment
from services.projections.reads.progress import Progress
from services.projections.what_if.answer import Asked, read_what_if
from services.projections.what_if.packs import find_pack
from services.projections.what_if.run import WorkerEnded
from services.terminal import CommandFailed, Json, command_settings, show
from shared.policy.actor import Actor
from shared.policy.packs import Pack
from shared.policy.spans import last_day_of
from shared.runtime.data_directory import database_at_hand
from shared.runtime.database import service_pool
from shared.runtime.settings import Settings
from shared.runtime.trees import Trees

_LISTED_MAX: Final = 100_000
_QUIET_S: Final = 2.0
"""How long nothing is said of how far it has come, and how often afterwards."""
_OPERATOR: Final = Actor(ref="operator", role="operator", unit=None)
"""In whose name cases are told of: the confidential ones stay sealed."""

app = typer.Typer()


@app.command("what-if")
def what_if(
    pack: Annotated[
        str, typer.Option(help="A YAML file, or the hash or name of rules that were adopted or are shipped.")
    ],
    first: Annotated[
        datetime, typer.Option("--from", formats=["%Y-%m-%d"], metavar="DATE", help="The first day.")
    ],
    last: Annotated[
        datetime, typer.Option("--to", formats=["%Y-%m-%d"], metavar="DATE", help="The last day.")
    ],
    unit: Annotated[
        str | None,
        typer.Option(help="Id or unique name of the unit that would have the rules; by default the whole."),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=0, max=_LISTED_MAX, help="How many breaches are listed, soonest due first.")
    ] = 20,
    as_json: Json = False,
) -> None:
    """Replay a period under other rules: which breaches would appear or vanish, and the figures beside."""
    if last < first:
        raise typer.BadParameter("lies before --from", param_hint="--to")
    written = checked(Path(pack), as_json) if Path(pack).is_file() else None
    period = Period(first=first.date(), last=last.date())
    with database_at_hand(command_settings()) as settings:
        try:
            answer, names = uvloop.run(_replayed(settings, pack, written, unit, period, limit))
        except WorkerEnded as error:
            raise CommandFailed(str(error)) from error
    show(answer, "\n".join(_told(answer, names)), as_json)


async def _replayed(
    settings: Settings, named: str, written: Pack | None, unit: str | None, period: Period, limit: int
) -> tuple[dict[str, Any], dict[UUID, str]]:
    """The answer, and the names of units."""
    unit_id = None if unit is None else await _unit(settings, unit)
    async with service_pool(settings.service_url, name="what-if", connections_max=2) as pool:
        trees = Trees(pool)
        stand = await Progress(pool, trees).stand()
        moment = Moment(
            position=stand.position,
            instant=datetime.now(UTC),
            occurred=None,
            live=True,
            head=stand.position,
        )
        if unit_id is not None and trees.current.get(unit_id) is None:
            raise typer.BadParameter("there is no such unit", param_hint="--unit")
        pack = written
        if pack is None:
            async with pool.connection() as connection:
                pack = await find_pack(connection, named, moment.position)
        if pack is None:
            raise typer.BadParameter(
                "is no file, nor the hash or name of rules that were adopted or are shipped",
                param_hint="--pack",
            )
        found = await read_what_if(
            pool,
            trees,
            Asked(pack, unit_id, period, moment, limit),
            _OPERATOR,
            processes=os.cpu_count() or 1,
            on_progress=_Teller().tell,
        )
    asked = {"unit": unit_id, "from": period.first, "to": period.last}
    names = {known.unit_id: known.name for known in trees.current}
    return {**asked, **found.members, **moment.stamp()}, names


async def _unit(settings: Settings, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return await unit_called(settings, text)


class _Teller:
    """Says on standard error how far it has come, unless it is soon over."""

    def __init__(self) -> None:
        self._said_at = time.monotonic()

    def tell(self, done: int, count: int) -> None:
        now = time.monotonic()
        if now - self._said_at >= _QUIET_S:
            self._said_at = now
            print(f"{done:,} of {count:,} cases", file=sys.stderr, flush=True)


def _told(answer: dict[str, Any], names: dict[UUID, str]) -> Iterator[str]:
    pack, breaches = answer["pack"], answer["breaches"]
    where = names.get(answer["unit"], "the whole")
    yield (
        f"{where}, {answer['from']} to {answer['to']}, under {pack['name']} version {pack['version']}:"
        f" {answer['cases']:,} cases replayed as of position {answer['as_of_position']}"
    )
    yield ""
    counted = ("recorded", "replayed", "appear", "vanish")
    yield _line("breaches", *counted)
    for timer, counts in breaches["by_timer"].items():
        yield _line(timer, *(counts[name] for name in counted))
    yield _line("all", *(breaches[f"{name}_count"] for name in counted))
    yield ""
    yield _line("figures", "recorded", "replayed")
    yield _line("overdue now", *answer["overdue"].values())
    for name, sides in answer["measures"].items():
        yield from _figure(name, *sides.values())
    for timer, sides in answer["on_time_rate"].items():
        for due in ("original", "extended"):
            yield from _figure(f"on_time_rate {timer} {due}", *(side[due] for side in sides.values()))
    for way in ("appear", "vanish"):
        yield from _listed(way, breaches[way], breaches[f"{way}_count"], names)


def _figure(name: str, recorded: Any, replayed: Any) -> Iterator[str]:
    """A line of a figure, or of each of its levels; none where there is nothing to count."""
    if isinstance(recorded, dict) and "GROUP" in recorded:
        for level in recorded:
            yield from _figure(f"{name} {level}", recorded[level], replayed[level])
    elif not (_empty(recorded) and _empty(replayed)):
        yield _line(name, _value(recorded), _value(replayed))


def _empty(value: Any) -> bool:
    return isinstance(value, dict) and value.get("denominator") == 0


def _value(value: Any) -> str:
    match value:
        case {"numerator": numerator, "denominator": denominator, "percent": percent}:
            return f"{percent or '–'} % ({numerator:,}/{denominator:,})"
        case {"value": None, "at_least": least}:
            return f"≥ {least:,}"
        case {"value": count}:
            return f"{count:,}"
    return f"{value:,}"


def _listed(way: str, items: list[dict[str, Any]], count: int, names: dict[UUID, str]) -> Iterator[str]:
    if not items:
        return
    yield ""
    yield f"would {way}" + (f", the first {len(items):,} of {count:,}" if len(items) < count else "")
    for item in items:
        if "sealed" in item:
            yield f"  sealed, known by position {item['position']}"
        else:
            day, holder = last_day_of(item["due_at"]), names.get(item["holder_unit"], item["holder_unit"])
            yield f"  {day}  {item['timer']:<4} {item['case_id']}  {holder}"


def _line(name: str, *cells: object) -> str:
    width = 12 if len(cells) > 2 else 26
    shown = (f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in cells)
    return f"{name:<32}" + "".join(f"{cell:>{width}}" for cell in shown)
