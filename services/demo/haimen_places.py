"""Three towns: the villages and groups that the stories name, and others around them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from services.demo.lines import moment
from services.demo.places import Place, place

_SINCE: Final = moment(2024, 10, 28, 8)

# Town, its code, and its villages and neighbourhoods with their code and number of groups.
_TOWNS: Final = (
    ("余东镇", "yudong", (
        ("新河村", "xinhe", 40), ("长圩村", "changwei", 12), ("富余村", "fuyu", 11),
        ("双桥村", "shuangqiao", 10), ("木桩港村", "muzhuanggang", 9), ("凤城居委", "fengcheng", 6),
    )),
    ("三星镇", "sanxing", (
        ("召良村", "zhaoliang", 16), ("叠石村", "dieshi", 14), ("新洋村", "xinyang", 12),
        ("永新村", "yongxin", 12), ("海晏村", "haiyan", 11), ("绣城居委", "xiucheng", 8),
    )),
    ("四甲镇", "sijia", (
        ("合兴村", "hexing", 14), ("富强村", "fuqiang", 13), ("八甲村", "bajia", 12),
        ("头桥村", "touqiao", 12), ("二匡村", "erkuang", 11), ("货隆居委", "huolong", 7),
    )),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Town:
    place: Place
    villages: tuple[Place, ...]
    """Neighbourhoods among them."""
    groups: tuple[Place, ...]

    def named(self, name: str) -> Place:
        """Its unit of that name. Raises: LookupError."""
        for unit in (self.place, *self.villages, *self.groups):
            if unit.name == name:
                return unit
        raise LookupError(name)


def _towns() -> Iterator[Town]:
    for town_name, town_code, villages_of_it in _TOWNS:
        town = place(_SINCE, "TOWNSHIP", town_name, town_code)
        villages, groups = [], []
        for name, code, count in villages_of_it:
            kind = "NEIGHBOURHOOD" if name.endswith("居委") else "VILLAGE"
            village = place(_SINCE, kind, name, f"{town_code}-{code}", town)
            villages.append(village)
            for number in range(1, count + 1):
                group_name = f"{name}{number}组" if kind == "VILLAGE" else f"{name}{number}号楼道小组"
                groups.append(place(_SINCE, "GROUP", group_name, f"{village.code}-{number}", village))
        yield Town(place=town, villages=tuple(villages), groups=tuple(groups))


YUDONG, SANXING, SIJIA = TOWNS = tuple(_towns())
