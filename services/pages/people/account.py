"""`/desk/people/{account_id}`: an account, what was done to it, and what may be done with it."""

from typing import Final

from services.pages.room import Me, Room, see_other
from services.pages.wording import wording_of
from shared.runtime.problems import Problem
from shared.runtime.web import Answer, Operation, Request

_ACTS: Final = ("disable", "enable")


def operations(room: Room) -> tuple[Operation, ...]:
    async def page(request: Request, me: Me) -> Answer:
        account = await room.api.get(request, _account(request))
        changes = account["changes"]
        units = [account["unit"], *(change[name] for change in changes for name in ("unit", "by_unit"))]
        wording = await wording_of(room, request, units)
        return room.pages.render(
            request, "people/account.html", me=me, account=account, changes=changes, wording=wording
        )

    async def act(request: Request, me: Me) -> Answer:
        done = request.parameters["act"]
        if done not in _ACTS:
            raise Problem("not-found")
        await room.api.post(request, f"{_account(request)}/{done}", {})
        return see_other(f"/desk/people/{request.id('account_id')}")

    async def reset(request: Request, me: Me) -> Answer:
        account = await room.api.post(request, f"{_account(request)}/reset-password", {})
        wording = await wording_of(room, request, [account["unit"]])
        return room.pages.render(request, "people/password.html", me=me, account=account, wording=wording)

    return (
        room.page("/desk/people/{account_id}", "person", page),
        room.page("/desk/people/{account_id}/reset-password", "person-reset", reset, method="POST"),
        room.page("/desk/people/{account_id}/{act}", "person-act", act, method="POST"),
    )


def _account(request: Request) -> str:
    """Where the interface tells of the account. Raises: Problem 404 for what can't be one."""
    return f"/v1/accounts/{request.id('account_id')}"
