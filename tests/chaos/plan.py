"""Which faults come when: drawn from a seed alone, so that they come again with it."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Final, NamedTuple

RELAY: Final = "relay"
"""Whichever relay publishes at the time."""
_PROJECTORS: Final = ("projector-1", "projector-2")
_APIS: Final = ("api-1", "api-2")
_CLOCKS: Final = ("clock-1", "clock-2")
_OVERLAPPING_MAX: Final = 3
_BEGINS_S_MAX: Final = 3.0


class Kind(NamedTuple):
    """A way of doing harm."""

    targets: Sequence[str]
    """What it may befall; one is drawn."""
    lasts_s: tuple[float, float]
    often: int
    """In a deck of cards, how many are of this kind."""
    needs: Sequence[str] = ()
    """What nothing else may befall meanwhile."""
    size: tuple[int, int] = (0, 0)
    """Commands or records, where there are any."""


KINDS: Final = {
    "kill-relay": Kind((RELAY,), (0.0, 3.0), 6),
    "pause-relay": Kind((RELAY,), (5.5, 11.0), 6),
    "kill-projector": Kind(_PROJECTORS, (0.0, 3.0), 6),
    "pause-projector": Kind(_PROJECTORS, (6.5, 11.0), 6),
    "kill-api": Kind(_APIS, (0.0, 3.0), 8),
    "kill-clock": Kind(_CLOCKS, (0.0, 3.0), 3),
    "kill-broker": Kind(("broker",), (0.0, 5.0), 5),
    "drop-broker": Kind(("broker",), (5.0, 20.0), 4),
    "drop-broker-for-minutes": Kind(("broker",), (60.0, 120.0), 1),
    "pause-broker": Kind(("broker",), (5.0, 20.0), 3),
    "fill-relay": Kind(("broker",), (4.0, 8.0), 3, size=(1_500, 3_000)),
    "kill-postgres": Kind(("postgres",), (0.0, 3.0), 4),
    "abort-postgres": Kind(("postgres",), (0.0, 3.0), 4),
    "deliver-again": Kind(("broker",), (0.0, 0.0), 4, size=(50, 500)),
    "move-offsets": Kind(("broker",), (0.0, 1.0), 4, needs=(*_PROJECTORS, "projector-3")),
    "false-records": Kind(("broker",), (0.0, 0.0), 4, size=(1, 5)),
    "rebalance": Kind(("projector-3",), (3.0, 8.0), 5, size=(100, 300)),
}


class Fault(NamedTuple):
    kind: str
    target: str
    begins_s: float
    """After the beginning of its round."""
    lasts_s: float
    size: int
    seed: int
    """From which it draws what else it needs."""

    def __str__(self) -> str:
        size = f", {self.size}" if self.size else ""
        return f"{self.kind} ({self.target}, {self.lasts_s:.1f} s{size})"

    @property
    def befalls(self) -> set[str]:
        return {self.target, *KINDS[self.kind].needs}


def plan(seed: int, count: int) -> Iterator[list[Fault]]:
    """So many faults in rounds; those of a round overlap, and none befalls what another does."""
    draw = Random(seed)
    faults = _faults(draw, count)
    together: list[Fault] = []
    taken: set[str] = set()
    room = draw.randint(1, _OVERLAPPING_MAX)
    for fault in faults:
        if together and (len(together) == room or taken & fault.befalls):
            yield together
            together, taken, room = [], set(), draw.randint(1, _OVERLAPPING_MAX)
        together.append(fault)
        taken |= fault.befalls
    if together:
        yield together


def _faults(draw: Random, count: int) -> Iterator[Fault]:
    """Dealt from a deck that is shuffled anew whenever it is used up, so that no kind stays away for long."""
    deck: list[str] = []
    for _ in range(count):
        if not deck:
            deck = [name for name, kind in KINDS.items() for _ in range(kind.often)]
            draw.shuffle(deck)
        yield _fault(draw, deck.pop())


def _fault(draw: Random, name: str) -> Fault:
    kind = KINDS[name]
    return Fault(
        kind=name,
        target=draw.choice(kind.targets),
        begins_s=round(draw.uniform(0, _BEGINS_S_MAX), 2),
        lasts_s=round(draw.uniform(*kind.lasts_s), 2),
        size=draw.randint(*kind.size),
        seed=draw.randrange(2**32),
    )
