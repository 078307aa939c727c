"""The room of those who look after who may sign in: people and units, within one's unit and beneath it."""

from typing import Final

from services.pages.people import account, finding, letting_in, own, units
from services.pages.room import Room
from services.pages.screens import PEOPLE
from shared.runtime.problems import Text
from shared.runtime.web import Operation

_FOR_OFFICERS: Final = Text(
    "For an officer of a village or a township, or an operator", "仅供村、镇负责人或系统操作员使用"
)


def operations(room: Room) -> tuple[Operation, ...]:
    ours = room.of(PEOPLE, _FOR_OFFICERS)
    return (
        *finding.operations(ours),
        *letting_in.operations(ours),
        *account.operations(ours),
        *units.operations(ours),
        *own.operations(room),
    )
