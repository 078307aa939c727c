"""`/desk`: the screen of village and township officers."""

from collections.abc import Sequence
from typing import Final

from services.pages.desk.case_list import CaseList
from services.pages.desk.finding import found_page, search_page
from services.pages.desk.inbox import inbox_page
from services.pages.desk.merging import found_to_merge_page, merge_page
from services.pages.desk.rules import rules_page
from services.pages.desk.waiting import waiting_page
from services.pages.room import Room
from services.pages.screens import DESK
from shared.runtime.problems import Text
from shared.runtime.web import Operation

_FOR_OFFICERS: Final = Text("For village and township officers", "仅供村级或镇级工作人员使用")


def operations(room: Room) -> Sequence[Operation]:
    officers = room.of(DESK, _FOR_OFFICERS)
    cases = CaseList(officers)
    return (
        officers.page("/desk", "desk", waiting_page(officers)),
        officers.page("/desk/inbox", "desk-inbox", inbox_page(officers)),
        officers.page("/desk/cases", "desk-cases", cases.show),
        officers.page("/desk/views", "desk-save-view", cases.save, method="POST"),
        officers.page("/desk/views/{view_id}", "desk-forget-view", cases.forget, method="POST"),
        officers.page("/desk/search", "desk-search", search_page(officers)),
        officers.page("/desk/search", "desk-found", found_page(officers), method="POST"),
        # Whoever hears an accusation may merge it as an officer may.
        room.page("/desk/cases/{case_id}/merge", "desk-merge", merge_page(room)),
        room.page(
            "/desk/cases/{case_id}/merge", "desk-found-to-merge", found_to_merge_page(room), method="POST"
        ),
        officers.page("/desk/rules", "desk-rules", rules_page(officers)),
    )
