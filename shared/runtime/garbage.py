"""Garbage collection for a process that remembers much and works for long."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_YOUNG_MAX: Final = 20_000
"""With Python's own, going through all that is remembered took a sixth of the time of commands and an
eighth of that of a rebuild, and made lists wait for it 0.1 s at a time."""
_GENERATION: Final = 20

BATCH_YOUNG_MAX: Final = 2_000_000
"""For whoever makes batches of many objects, which all live on until the batch is done. With half a million
nearly every batch was gone through, which took up to a sixth of the time of telling and found nothing."""


@contextmanager
def rarely_collected(*, young_max: int = _YOUNG_MAX) -> Iterator[None]:
    """Leaves out what is there already, and looks through all the rest rarely.

    `young_max`: objects made since the last look, and still there, that bring about the next.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(young_max, _GENERATION, _GENERATION)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
