"""`anjie …`, with the smallest pages that a phone can work with: a list, a form for a new case, a case."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import services.application
from services import cli
from services.pages import pages as product_pages
from services.pages.api import Api, Ask
from services.pages.room import Me, Room
from services.pages.sign_in.sign_in import SignInPages
from shared.runtime.web import Answer, Operation, Request
from shared.web.assets import Assets
from shared.web.pages import Pages

_TEMPLATES = Path(__file__).parent
_PRODUCT = Path(product_pages.__file__).parent


def made_pages() -> Pages:
    return Pages(Assets(), [_PRODUCT, _TEMPLATES])


def operations(pages: Pages, ask: Ask, sign_in: SignInPages) -> Sequence[Operation]:
    api = Api(ask)
    room = Room(pages, api)

    async def cases(request: Request, me: Me) -> Answer:
        items = (await api.get(request, "/v1/cases", unit=me.unit))["items"]
        return pages.render(request, "list.html", me=me, items=items)

    async def record(request: Request, me: Me) -> Answer:
        return pages.render(request, "record.html", me=me)

    async def case(request: Request, me: Me) -> Answer:
        case_id = UUID(request.parameters["case_id"])
        told = await api.get(request, f"/v1/cases/{case_id}")
        return pages.render(request, "case.html", me=me, case=told)

    small = (
        room.page("/m", "my-cases", cases),
        room.page("/m/record", "record-case", record),
        room.page("/m/cases/{case_id}", "phone-case", case),
    )
    instead_of = {page.path for page in small}
    others = [page for page in product_pages.operations(pages, ask, sign_in) if page.path not in instead_of]
    return (*others, *small)


if __name__ == "__main__":
    for name, ours in (("made_pages", made_pages), ("page_operations", operations)):
        setattr(services.application, name, ours)
    cli.main()
