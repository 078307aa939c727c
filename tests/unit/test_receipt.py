"""Given a case, when its receipt is printed, then nothing is promised for a day that is past."""

import io
from typing import Any, Final

from pypdf import PdfReader

from services.pages.pages import made_pages
from services.pages.phone.receipt import receipt_document
from services.pages.places import in_one
from services.pages.wording import Wording
from shared.paper.printing import printed

OPENED: Final = "2025-10-01T16:48:00+08:00"
WORDING: Final = Wording("zh", made_pages().words, {"timer": {"T13": "本级办理", "T1": "受理告知"}}, {})


def clock(timer: str, state: str, due_on: str) -> dict[str, Any]:
    return {"timer": timer, "state": state, "due_at": f"{due_on}T00:00:00+08:00"}


def text_of(*clocks: dict[str, Any]) -> str:
    case = {
        "case_id": "33333333-3333-7333-8333-333333333333",
        "state": "IN_PROGRESS", "channel": "ONLINE", "category": "FLOODING", "title": "路面积水",
        "people": [],
        "deadlines": clocks, "as_of_instant": "2026-11-27T19:35:00+08:00", "as_of_position": 141_530,
    }  # fmt: skip
    registered = {"actor_role": "resident", "occurred_at": OPENED}
    document = receipt_document(case, registered, "新河村37组", "新河村37组", [WORDING])
    return PdfReader(io.BytesIO(printed(document))).pages[0].extract_text().replace("\n", "")


def test_a_day_that_is_to_come_is_promised_and_one_that_was_missed_is_said_to_be() -> None:
    text = text_of(
        clock("T13", "BREACHED", "2025-10-10"),
        clock("T13", "BREACHED", "2025-10-28"),
        clock("T1", "RUNNING", "2026-12-05"),
    )
    assert "受理告知：至迟2026年12月4日24时。" in text
    assert "本级办理：原定至迟2025年10月27日24时，已经超过，还没有办完。" in text
    assert "10月9日" not in text


def test_a_group_that_is_called_after_its_village_says_the_village_once() -> None:
    assert in_one(["新河村", "新河村37组"]) == "新河村37组"
    assert in_one(["新河村", "37组"]) == "新河村37组"
    assert in_one(["余东镇"]) == "余东镇"
    assert in_one([]) == ""
