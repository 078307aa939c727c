"""The demo sets by name, in the order in which they are loaded."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from services.demo import haimen, huinan
from services.demo.lines import Line


class DemoSet(NamedTuple):
    name: str
    lines: Callable[[], Iterator[Line]]
    total: int
    """How many lines it has."""
    landmark: str
    """Name of a unit that it registers first: where that is missing, nothing of it is loaded."""


SETS: Final = {
    "haimen": DemoSet("haimen", haimen.haimen, haimen.LINES, "余东镇"),
    "huinan": DemoSet("huinan", huinan.huinan, huinan.LINES, "惠南镇"),
}
"""First the one whose people are stepped into: whoever does so at once finds their unit."""
