"""Faults of `make chaos`: the same from the same seed, of every kind, never two that befall the same."""

from collections import Counter
from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.faults import WAYS
from tests.chaos.plan import KINDS, plan

DECK = sum(kind.often for kind in KINDS.values())


@given(seed=st.integers(0, 2**32), count=st.integers(1, 3 * DECK))
def test_a_seed_gives_the_same_faults_again_in_rounds_that_can_be_done(seed: int, count: int) -> None:
    rounds = list(plan(seed, count))

    assert rounds == list(plan(seed, count))
    assert sum(map(len, rounds)) == count
    for together in rounds:
        befallen = Counter(chain.from_iterable(fault.befalls for fault in together))
        assert max(befallen.values()) == 1


@given(seed=st.integers(0, 2**32))
def test_every_kind_comes_as_often_as_it_should_within_a_deck(seed: int) -> None:
    dealt = Counter(fault.kind for together in plan(seed, DECK) for fault in together)

    assert dealt == {name: kind.often for name, kind in KINDS.items()}


def test_every_kind_can_be_done() -> None:
    assert WAYS.keys() == KINDS.keys()
