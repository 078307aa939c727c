"""Reads of what there is beside cases: the caller, units, actors, and who read a case."""

from typing import Any

from services.projections.api.answers.register import ActorsAnswer, AuditAnswer, MeAnswer, UnitsAnswer
from services.projections.api.paging import needed, page_answer, turn
from services.projections.api.queries import ActorsQuery, MomentQuery, ReadsQuery, UnitsQuery
from services.projections.reads.access import readable_unit, refuse_roles
from services.projections.reads.reads import Reads
from services.projections.reads.register import list_actors, list_units
from services.projections.reads.shown import cover, leaves, opened
from services.projections.reads.sources import Sources
from shared.events.base import Private
from shared.events.case import Case
from shared.policy.actor import Actor
from shared.policy.unmasking import may_unmask
from shared.runtime.problems import Text
from shared.runtime.web import Answer, Operation, Request, json_answer

_AUDITORS = frozenset(("auditor", "supervisor", "privacy_officer"))
_FOR_AUDITORS = Text(
    "For an auditor, a supervisor or a privacy officer", "仅供审计人员、监督员或隐私专员查阅"
)
_COLLEAGUES = frozenset(
    (
        "group_leader",
        "mediator",
        "grid_worker",
        "village_officer",
        "township_officer",
        "supervisor",
        "auditor",
        "community_police",
        "privacy_officer",
        "operator",
    )
)
_FOR_COLLEAGUES = Text("For those who work for a unit", "仅供单位工作人员查阅")


def operations(reads: Reads) -> tuple[Operation, ...]:
    sources = reads.sources

    async def me(request: Request) -> Answer:
        moment = await reads.moments.of_ledger(request.query(MomentQuery))
        tree = sources.trees.at(moment.position, moment.occurred)
        actor = request.actor
        path = [tree.get(unit_id) for unit_id in reversed(tree.path(actor.unit))]
        known = [unit for unit in path if unit is not None]
        return json_answer(
            {
                "sub": actor.ref,
                "role": actor.role,
                "unit": actor.unit,
                "clearances": sorted(actor.clearances),
                "unit_name": known[-1].name if known else None,
                "unit_path": [
                    {"unit_id": unit.unit_id, "kind": unit.kind, "name": unit.name} for unit in known
                ],
                "password_given": request.session is not None and request.session.account.has_given_password,
                **moment.stamp(),
            }
        )

    async def units(request: Request) -> Answer:
        query, after = turn(request, UnitsQuery, int)
        moment = await reads.moments.of_ledger(query)
        items = list_units(
            sources,
            moment,
            only=query.unit_id and frozenset(query.unit_id),
            name=query.name,
            kind=query.kind,
            parent=query.parent,
        )
        start = after or 0
        page = items[start : start + query.limit]
        following = start + query.limit if len(items) > start + query.limit else None
        return page_answer(request, query, moment, {"items": page}, following)

    async def actors(request: Request) -> Answer:
        query, after = turn(request, ActorsQuery, tuple[str, str, str])
        refuse_roles(request.actor, _COLLEAGUES, _FOR_COLLEAGUES)
        moment = await reads.moments.of_views(query)
        tree = sources.trees.at(moment.position, moment.occurred)
        unit = readable_unit(request.actor, query.unit, tree, sources.trees.current)
        items, following = await list_actors(
            sources, moment, unit=unit, role=query.role, after=after, limit=query.limit
        )
        return page_answer(request, query, moment, {"items": items}, following)

    async def audited(request: Request) -> Answer:
        query, after = turn(request, ReadsQuery, int)
        refuse_roles(request.actor, _AUDITORS, _FOR_AUDITORS)
        case_id = needed("case_id", query.case_id)
        moment = await reads.moments.of_ledger(query)
        case = await reads.cases.readable(case_id, request.actor)
        items, following = await reads.register.page(
            case_id, after=after, limit=query.limit, latest_first=query.order == "latest"
        )
        items = await _with_reasons(sources, items, case, request.actor)
        if any(isinstance(item["reason"], str) and item["actor_ref"] != request.actor.ref for item in items):
            await reads.register.note(request.actor, [case_id], "reasons", moment.as_of)
        return page_answer(request, query, moment, {"items": items}, following)

    def of(
        path: str,
        name: str,
        summary: str,
        handler: Any,
        query: Any,
        answer: Any,
        *problems: int,
        before_choosing: bool = False,
    ) -> Operation:
        return Operation(
            method="GET",
            path=path,
            name=name,
            summary=summary,
            tag="register",
            handler=handler,
            query=query,
            answers={200: answer},
            problems=problems,
            before_choosing=before_choosing,
            headers=("?Accept-Language",),
        )

    return (
        of(
            "/v1/me",
            "read-me",
            "Who the token says you are.",
            me,
            MomentQuery,
            MeAnswer,
            before_choosing=True,
        ),
        of("/v1/units", "list-units", "The tree of units.", units, UnitsQuery, UnitsAnswer),
        of(
            "/v1/actors",
            "list-actors",
            "Who was seen acting within a unit.",
            actors,
            ActorsQuery,
            ActorsAnswer,
            403,
            404,
        ),
        of(
            "/v1/audit/reads",
            "list-reads",
            "Who of those that oversee and run the system read a case.",
            audited,
            ReadsQuery,
            AuditAnswer,
            403,
            404,
        ),
    )


async def _with_reasons(
    sources: Sources, items: list[dict[str, Any]], case: Case, actor: Actor
) -> list[dict[str, Any]]:
    """Reads with the reasons in the clear that the actor gave, or might give: who may unmask the case too."""
    oversees = may_unmask(actor, case, sources.trees.current)
    shown = [item if oversees or item["actor_ref"] == actor.ref else cover(item, _nothing) for item in items]
    told: list[dict[str, Any]] = opened(shown, await sources.vault.open_many(leaves(shown)))
    return told


def _nothing(value: Private) -> bool:
    return False
