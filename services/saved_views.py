"""`/v1/me/views`: the caller's own named filters of the list of cases."""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from shared.runtime.problems import Problem, Text, invalid
from shared.runtime.saved_views import VIEWS_MAX, CaseFilters, SavedView, SavedViews, TooManyViews
from shared.runtime.web import Answer, Operation, Request, json_answer

_TOO_MANY: Final = Text(f"would be more than {VIEWS_MAX}", f"最多 {VIEWS_MAX} 个")


class SaveView(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The name of one that there is gives it these filters."""

    name: Annotated[str, Meta(min_length=1, max_length=40)]
    filters: CaseFilters


class ViewsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    items: list[SavedView]
    """In order of names."""


def operations(views: SavedViews) -> Sequence[Operation]:
    async def show(request: Request) -> Answer:
        return json_answer(ViewsAnswer(items=await views.all(request.actor.ref)))

    async def save(request: Request) -> Answer:
        body = request.body(SaveView)
        try:
            view = await views.save(request.actor.ref, body.name, body.filters)
        except TooManyViews:
            raise invalid("/name", "too-many", _TOO_MANY) from None
        return json_answer(view)

    async def forget(request: Request) -> Answer:
        if not await views.forget(request.actor.ref, request.id("view_id")):
            raise Problem("not-found")
        return await show(request)

    return (
        Operation(
            method="GET",
            path="/v1/me/views",
            name="list-views",
            summary="Your saved views of the list of cases.",
            tag="register",
            handler=show,
            answers={200: ViewsAnswer},
            headers=("?Accept-Language",),
        ),
        Operation(
            method="POST",
            path="/v1/me/views",
            name="save-view",
            summary="Save filters of the list of cases under a name.",
            tag="register",
            handler=save,
            body=SaveView,
            example={"name": "逾期的邻里纠纷", "filters": {"category": "NEIGHBOUR", "overdue": True}},
            answers={200: SavedView},
            headers=("?Accept-Language",),
        ),
        Operation(
            method="DELETE",
            path="/v1/me/views/{view_id}",
            name="forget-view",
            summary="Forget a saved view.",
            tag="register",
            handler=forget,
            answers={200: ViewsAnswer},
            problems=(404,),
            headers=("?Accept-Language",),
        ),
    )
