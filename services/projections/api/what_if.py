"""The read that replays a period under other rules."""

import os
from typing import Final

from services.projections.api.answers.what_if import WhatIfAnswer
from services.projections.api.figures import period_of
from services.projections.api.queries import WhatIfQuery
from services.projections.reads.access import readable_unit, refuse_dashboard
from services.projections.reads.reads import Reads
from services.projections.what_if.answer import Asked, TooManyCases, read_what_if
from services.projections.what_if.packs import find_pack
from services.projections.what_if.run import WorkerEnded
from shared.runtime.asgi import unless_left
from shared.runtime.problems import Problem, Text, invalid
from shared.runtime.web import RETRY_AFTER_S, Answer, Operation, Request, json_answer

CASES_MAX: Final = 200_000
"""More would keep a client waiting for minutes; the command has no such limit."""
_AT_ONCE_MAX: Final = 1
"""How many are replayed at a time: each may take all that the machine has to spare."""
_PROCESSES: Final = max(1, (os.cpu_count() or 2) // 2)
"""The other half is for whoever works meanwhile."""

_UNKNOWN = Text(
    "is neither the hash of rules that were ever adopted nor the name of a pack that is known here",
    "既不是曾采用规则包的散列值，也不是本系统已知的规则包名称",
)
_TOO_MANY = Text(
    "leaves {cases} cases to replay, more than {most}; narrow the period or the unit, or use anjie what-if",
    "涉及 {cases} 个案件，超过 {most} 个；请缩小期间或单位，或使用 anjie what-if 命令",
)


def operations(reads: Reads) -> tuple[Operation, ...]:
    sources = reads.sources
    running = 0

    def go_on(done: int, count: int) -> None:
        """Raises: Problem 503 when the process is about to end."""
        if sources.progress.ending:
            raise Problem("unavailable", headers={"Retry-After": str(RETRY_AFTER_S)})

    async def what_if(request: Request) -> Answer:
        nonlocal running
        query = request.query(WhatIfQuery)
        refuse_dashboard(request.actor)
        period = period_of(query)
        moment = await reads.moments.of_views(query)
        tree = sources.trees.at(moment.position, moment.occurred)
        unit = readable_unit(request.actor, query.unit, tree, sources.trees.current)
        async with sources.pool.connection() as connection:
            pack = await find_pack(connection, query.pack, moment.position)
        if pack is None:
            raise invalid("pack", "unknown", _UNKNOWN)
        if running >= _AT_ONCE_MAX:
            raise Problem("too-many", headers={"Retry-After": str(RETRY_AFTER_S)})
        running += 1
        try:
            asked = Asked(pack, unit, period, moment, query.limit)
            replayed = read_what_if(
                sources.pool,
                sources.trees,
                asked,
                request.actor,
                processes=_PROCESSES,
                on_progress=go_on,
                cases_max=CASES_MAX,
            )
            found = await unless_left(request.receive, replayed)
        except WorkerEnded:
            raise Problem("unavailable", headers={"Retry-After": str(RETRY_AFTER_S)}) from None
        except TooManyCases as error:
            raise invalid("from", "range", _TOO_MANY.filled(cases=error.cases, most=CASES_MAX)) from None
        finally:
            running -= 1
        await reads.register.note(request.actor, found.cases, "what-if", moment.as_of)
        return json_answer({**found.members, **moment.stamp()})

    return (
        Operation(
            method="GET",
            path="/v1/what-if",
            name="what-if",
            summary="A period as it was, and as it would have been under other rules.",
            tag="figures",
            handler=what_if,
            query=WhatIfQuery,
            answers={200: WhatIfAnswer},
            problems=(403, 404, 429),
            headers=("?Accept-Language",),
        ),
    )
