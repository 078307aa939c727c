"""The town of the campaign: 29 villages and 23 neighbourhoods, of which ten began as pilots."""

from typing import Final

from services.demo.lines import moment
from services.demo.places import Place, place

_SINCE: Final = moment(2013, 9, 1, 8)

_VILLAGES: Final = (
    "永丰村", "同心村", "城北村", "城南村", "桥北村", "桥南村", "民乐村", "双店村",
    "汤巷村", "塘东村", "塘西村", "荡湾村", "海沈村", "勤丰村", "远见村", "红光村",
    "明光村", "幸福村", "徐庙村", "黄路村", "陆桥村", "六灶湾村", "长渠村", "四墩村",
    "禾丰村", "西渡村", "友谊村", "新联村", "向阳村",
)  # fmt: skip
_NEIGHBOURHOODS: Final = (
    "西门居委", "东门居委", "南门居委", "北门居委", "听潮居委", "靖海居委", "卫星居委", "工农居委",
    "梅花居委", "桃园居委", "荷花居委", "丰海居委", "金海居委", "文师居委", "观海居委", "拱极居委",
    "城西居委", "城东居委", "惠园居委", "沁园居委", "丹桂居委", "绿苑居委", "人民路居委",
)  # fmt: skip

TOWN: Final = place(_SINCE, "TOWNSHIP", "惠南镇", "huinan")
VILLAGES: Final[tuple[Place, ...]] = tuple(
    place(_SINCE, "VILLAGE", name, f"huinan-v{number:02d}", TOWN) for number, name in enumerate(_VILLAGES, 1)
)
NEIGHBOURHOODS: Final[tuple[Place, ...]] = tuple(
    place(_SINCE, "NEIGHBOURHOOD", name, f"huinan-n{number:02d}", TOWN)
    for number, name in enumerate(_NEIGHBOURHOODS, 1)
)
UNITS: Final = VILLAGES + NEIGHBOURHOODS
PILOTS: Final = frozenset(unit.unit_id for unit in VILLAGES[:6] + NEIGHBOURHOODS[:4])
