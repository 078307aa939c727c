"""What somebody may send to the cases of a list now."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from services.projections.figures.queries import Connection
from services.projections.reads.moments import Moment
from services.projections.reads.sources import Sources
from shared.events.evolve import fold
from shared.events.ledger.reader import fetch_streams
from shared.policy.actor import Actor
from shared.policy.deciding import allowed_commands
from shared.policy.moments import day_of
from shared.policy.transitions import TRANSITIONS


def unknown_command(commands: Iterable[str]) -> str | None:
    """The first that is no command to a case."""
    return next((name for name in commands if name not in TRANSITIONS or TRANSITIONS[name].creates), None)


async def allowed_now(
    sources: Sources,
    connection: Connection,
    items: Sequence[dict[str, Any]],
    commands: Collection[str],
    actor: Actor,
    moment: Moment,
) -> list[dict[str, Any]]:
    """The items of a list, each that is no sealed one with what of the commands the actor may send to it.

    A list row doesn't know all that decides about it, so it is read from the streams of those cases whose
    state takes any of the commands, up to the position of the list.
    """
    states = {state for name in commands for state in TRANSITIONS[name].states}
    ids = [item["case_id"] for item in items if "case_id" in item and item["state"] in states]
    streams = await fetch_streams(connection, ids, moment.position) if moment.live else {}
    tree, today = sources.trees.current, day_of(moment.instant)

    def allowed(item: dict[str, Any]) -> list[str]:
        case = fold(streams.get(item["case_id"], ()))
        if case is None:
            return []
        policy = tree.policy(case.holder_unit, today)
        return allowed_commands(case, actor, tree, policy, commands)

    return [item | {"allowed_commands": allowed(item)} if "case_id" in item else item for item in items]
