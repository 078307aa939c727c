"""More time: for a petition, a level and a mediation, each asked for before it is due."""

from services.demo.life import Life, Lines, once
from services.demo.lines import Line


@once
def extend_handling(life: Life) -> Lines:
    """The township gives a petition thirty days more."""
    life.later(1, 5)
    yield _extended(life, "T4", 30, approved_by=life.holder.officer(2).sub)


@once
def extend_ladder(life: Life) -> Lines:
    """A village that has just received a case is given a day more by its township."""
    life.later(0.05, 0.3)
    yield _extended(life, "T13", 1, approved_by=life.holder.above.officer().sub)


@once
def extend_mediation(life: Life) -> Lines:
    """All who are at the table want to go on."""
    life.later(2, 12)
    parties = [resident.person_ref for resident in life.parties]
    yield _extended(life, "T9", life.dice.choice((10, 15, 20)), consenting=parties)


def _extended(life: Life, timer: str, days: int, **agreed: object) -> Line:
    return life.moves(
        "extend-deadline",
        life.holder.officer(),
        timer=timer,
        days=days,
        reason="情况复杂，需继续核查协调。",
        complainant_informed=True,
        **agreed,
    )
