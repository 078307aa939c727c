"""`anjie rebuild`, `verify`, `status`, `retry`: what an operator does with the read models."""

from collections.abc import Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar

import msgspec
import typer
import uvloop

from services.demo import Progress, read_progress
from services.projections import operations
from services.projections.operations import SEARCH, RebuildReport, Status, UnknownView
from services.projections.parking import Parked
from services.projections.rebuild import ExchangeBlocked, RebuildBusy
from services.projections.verify import VerifyReport
from services.relay.standing import RelayStatus, relay_status
from services.terminal import CommandFailed, Json, command_settings, show
from shared.policy.moments import day_of
from shared.runtime.data_directory import database_at_hand
from shared.runtime.sealing import MasterKey
from shared.runtime.secrets import read_secrets
from shared.runtime.settings import Settings

CALENDAR_WARNING_DAYS: Final = 60
"""How long before its end the calendar is an alarm."""

app = typer.Typer()

T = TypeVar("T")


@app.command()
def rebuild(
    views: Annotated[list[str] | None, typer.Argument(metavar="[VIEW]…", help="By default all.")] = None,
    as_json: Json = False,
) -> None:
    """Make read models anew beside those that are served, then exchange them."""
    with database_at_hand(command_settings()) as settings:
        report = _run(_rebuild(settings, views or ()))
    show(report, f"made anew as of position {report.position}: {', '.join(report.models)}", as_json)


async def _rebuild(settings: Settings, views: Sequence[str]) -> RebuildReport:
    """What is named, by default all; of two positions the lower one is told."""
    models = [view for view in views if view != SEARCH]
    reports = []
    if models or not views:
        reports.append(await operations.rebuild(settings.service_url, models))
    if SEARCH in views or not views:
        master = MasterKey(read_secrets(settings).master_key)
        reports.append(await operations.rebuild_search(settings.service_url, master))
    return RebuildReport(
        models=[name for report in reports for name in report.models],
        position=min(report.position for report in reports),
    )


@app.command()
def verify(as_json: Json = False) -> None:
    """Check the ledger for gaps, and every row that is served against one made from zero."""
    with database_at_hand(command_settings()) as settings:
        report = _run(operations.verify(settings.service_url))
    show({"holds": report.holds, **msgspec.structs.asdict(report)}, "\n".join(_verdict(report)), as_json)
    if not report.holds:
        raise typer.Exit(1)


@app.command()
def status(as_json: Json = False) -> None:
    """Show the ledger's head, where each projection stands, and which streams stand still."""
    with database_at_hand(command_settings()) as settings:
        found = _run(operations.status(settings.service_url))
        relay = _run(relay_status(settings.service_url))
    demo = read_progress(settings.data_dir)
    parked = [*map(_record, found.parked), *({"source": "kafka"} | left._asdict() for left in found.records)]
    data = msgspec.structs.asdict(found) | {"relay": relay, "parked": parked, "demo": demo}
    del data["records"]
    show(data, "\n".join(_standing(found, relay, demo)), as_json)


@app.command()
def retry(as_json: Json = False) -> None:
    """Try the streams that stand still again, from their beginning."""
    with database_at_hand(command_settings()) as settings:
        report = _run(operations.retry_parked(settings.service_url))
    lines = [f"{report.retried - len(report.parked)} of {report.retried} go on", *_still(report.parked)]
    data = {"retried": report.retried, "parked": [_record(parked) for parked in report.parked]}
    show(data, "\n".join(lines), as_json)
    if report.parked:
        raise typer.Exit(1)


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return uvloop.run(work)
    except (UnknownView, RebuildBusy, ExchangeBlocked) as error:
        raise CommandFailed(str(error)) from error


def _record(parked: Parked) -> dict[str, Any]:
    """A stream that stands still, in the form that is the same whatever it was read from."""
    ledger = {"source": "ledger", "topic": None, "partition": None, "offset": None}
    return ledger | {"stream_id": parked.stream_id, "position": parked.position, "reason": parked.reason}


def _still(parked: Sequence[Parked]) -> Iterable[str]:
    for stream in parked:
        yield f"stands still: stream {stream.stream_id} at position {stream.position}: {stream.reason}"


def _standing(found: Status, relay: RelayStatus | None, demo: Sequence[Progress]) -> Iterable[str]:
    yield f"head {found.head}"
    for shard in found.projections:
        yield f"{shard.projection} shard {shard.shard}: position {shard.position}, {shard.lag} behind"
    yield f"search: position {found.search.position}, {found.search.lag} behind"
    if relay is not None:
        yield f"relay: position {relay.position}, {relay.lag} behind"
        yield f"relay of views: position {relay.views_position}, {relay.views_lag} behind"
    yield from _still(found.parked)
    for left in found.records:
        yield f"left out: {left.topic} partition {left.partition} offset {left.offset}: {left.reason}"
    if found.overdue:
        yield f"{found.overdue} clocks are overdue"
    if found.awaiting:
        yield f"{found.awaiting} clocks await a calendar: adopt rules that bring the year"
    days_left = (found.calendar_until - day_of(datetime.now(UTC))).days
    if days_left <= CALENDAR_WARNING_DAYS:
        yield f"the calendar ends on {found.calendar_until}, in {days_left} days"
    for progress in demo:
        yield str(progress)


def _verdict(report: VerifyReport) -> Iterable[str]:
    verdict = "everything holds" if report.holds else "NOT everything holds"
    yield f"as of position {report.position}: {verdict}"
    if report.first_gap is not None:
        yield f"position {report.first_gap} is missing in the ledger"
    for stream_id in report.broken_streams:
        yield f"the versions of stream {stream_id} have gaps"
    for table in report.tables:
        yield f"{table.table}: {table.rows} rows, {table.differing} differing"
        for example in table.examples:
            yield f"  only {example.side}: {msgspec.json.encode(example.row).decode()}"
    if report.parked:
        yield f"{report.parked} streams stand still and were not compared"
