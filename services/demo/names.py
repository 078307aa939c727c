"""People who never lived: names, telephone numbers and papers drawn by lot."""

from random import Random
from typing import Final

_SURNAMES: Final = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施曹严华金魏陶姜戚谢邹喻柏章苏潘葛"
_FIRST: Final = "建国文志玉秀明德永春桂海金世俊晓雪丽福祥少庆家振兴宏培爱学宝"
_SECOND: Final = "华芳军英平珍林兰生梅根娟良凤荣琴昌云龙霞发燕忠萍强琳义洁山红"


def full_name(dice: Random) -> str:
    """A name of three characters."""
    return dice.choice(_SURNAMES) + dice.choice(_FIRST) + dice.choice(_SECOND)


def telephone(dice: Random) -> str:
    """Eleven digits in a range that no network has given out."""
    return f"10900{dice.randrange(1_000_000):06d}"


def id_number(dice: Random) -> str:
    """Eighteen digits of an area that doesn't exist."""
    year, month, day = dice.randrange(1940, 2004), dice.randrange(1, 13), dice.randrange(1, 29)
    return f"999999{year}{month:02d}{day:02d}{dice.randrange(10_000):04d}"


def address(dice: Random) -> str:
    """A house by the name of its place in the village."""
    return f"{dice.choice(('河东', '河西', '桥南', '桥北'))}沿宅{dice.randrange(1, 90)}号"
