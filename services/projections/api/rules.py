"""The rules that are in force for a unit, as far as people go by them."""

from datetime import date
from uuid import UUID

from services.projections.api.answers.register import Limits, RulesAnswer, TimerShown
from services.projections.api.queries import RulesQuery
from services.projections.reads.access import readable_unit
from services.projections.reads.reads import Reads
from shared.events.units import WHOLE
from shared.policy.bodies import FIRST_YEAR
from shared.policy.moments import day_of
from shared.policy.policy import Policy
from shared.runtime.web import Answer, Operation, Request, json_answer


def operation(reads: Reads) -> Operation:
    async def rules(request: Request) -> Answer:
        query = request.query(RulesQuery)
        moment = await reads.moments.of_ledger(query)
        trees = reads.sources.trees
        tree = trees.at(moment.position, moment.occurred)
        unit = readable_unit(request.actor, query.unit, tree, trees.current)
        on = day_of(moment.occurred or moment.instant)
        found = tree.adoption(unit, on)
        adopted_by, from_on = (None, None) if found is None else _since(found[0], found[1].from_on)
        told = _told(tree.policy(unit, on))
        return json_answer(
            {"unit_id": unit, "adopted_by": adopted_by, "from_on": from_on, **told, **moment.stamp()}
        )

    return Operation(
        method="GET",
        path="/v1/rules",
        name="read-rules",
        summary="The rules in force for a unit: since when, by whom adopted, clocks and limits.",
        tag="rules",
        handler=rules,
        query=RulesQuery,
        answers={200: RulesAnswer},
        problems=(403, 404),
        headers=("?Accept-Language",),
    )


def _since(unit: UUID, from_on: date) -> tuple[UUID | None, date | None]:
    """The default is adopted for all units from the first day that can be named."""
    return None if unit == WHOLE else unit, None if from_on.year == FIRST_YEAR else from_on


def _told(policy: Policy) -> dict[str, object]:
    return {
        "rules": policy.id,
        "timers": [
            TimerShown(
                timer=timer,
                title=rule.title,
                source=rule.source,
                length=None if rule.length == "LADDER" else rule.length,
            )
            for timer, rule in policy.timers.items()
        ],
        "ladder": policy.ladder,
        "limits": Limits(**{name: getattr(policy, name) for name in Limits.__struct_fields__}),
    }
