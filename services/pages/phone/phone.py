"""`/m`: the screen of whoever goes from door to door. Its pages only show; what is done the outbox sends."""

from collections.abc import Sequence

from services.pages.phone.agreement import agreement_page
from services.pages.phone.case import case_page
from services.pages.phone.my_cases import my_cases_page
from services.pages.phone.receipt import receipt_page
from services.pages.phone.record import record_page
from services.pages.room import Room
from services.pages.screens import PHONE
from shared.runtime.web import Operation


def operations(room: Room) -> Sequence[Operation]:
    own = room.of(PHONE)
    return (
        own.page("/m", "phone-cases", my_cases_page(own)),
        own.page("/m/record", "phone-record", record_page(own)),
        room.page("/m/cases/{case_id}", "phone-case", case_page(room)),
        room.page("/m/cases/{case_id}/agreement.pdf", "phone-agreement", agreement_page(room)),
        room.page("/m/cases/{case_id}/receipt.pdf", "phone-receipt", receipt_page(room)),
    )
