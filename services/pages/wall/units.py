"""The names of units, as pages need them."""

from collections.abc import Iterable
from typing import Any

from services.pages.api import Api
from shared.runtime.web import Request

_PAGE = 1_000


async def all_units(api: Api, request: Request) -> list[dict[str, Any]]:
    """Every unit there is, parents before children."""
    page = await api.get(request, "/v1/units", limit=_PAGE)
    units: list[dict[str, Any]] = page["items"]
    while page["next"] is not None:
        page = await api.get(request, "/v1/units", limit=_PAGE, cursor=page["next"])
        units += page["items"]
    return units


def called(units: Iterable[dict[str, Any]]) -> dict[str, str]:
    """By id what each is called; a group with its village, since there are many of a number."""
    names: dict[str, str] = {}
    for unit in units:
        above = names.get(unit["parent_id"]) if unit["kind"] == "GROUP" else None
        names[unit["unit_id"]] = f"{above} {unit['name']}" if above else unit["name"]
    return names
