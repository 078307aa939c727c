"""`anjie serve` with a load over HTTP, and its processes killed at random: what was acknowledged is kept.

The product runs on a directory of its own and listens on 127.0.0.1.
"""

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final

import psutil

from shared.runtime.postgres import EmbeddedPostgres
from tests.kept import (
    all_told,
    every_acknowledged_event_is_kept,
    nothing_was_done_twice,
    the_first_answer_is_given_again,
)
from tests.load import Load
from tests.product import Product, anjie, serving
from tests.soak.judgement import judge_outcomes, streams_of

_KILLED: Final = {"clock": "--only clock", "projector": "--only projector", "database": "postgres -D"}
"""What is killed beside the product itself, which serves the API, and words in its command."""
_PAUSE_S: Final = (1.0, 6.0)
_ENDED_S: Final = 30
_REPEATED: Final = 50


class Restarted:
    """A product that is started anew when it was killed."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._stack = ExitStack()
        self.product = self._stack.enter_context(serving(data_dir))

    def kill(self, name: str) -> bool:
        """Kills -9 a process of the product, or the product itself; whether there was such a process."""
        if name not in _KILLED:
            self._kill_product()
            return True
        for child in self.product.descendants():
            with suppress(psutil.Error):
                if _KILLED[name] in " ".join(child.cmdline()):
                    child.kill()
                    return True
        return False

    def _kill_product(self) -> None:
        """Its processes end by themselves before it is started anew."""
        children = self.product.descendants()
        self.product.process.kill()
        self.product.process.wait()
        _, alive = psutil.wait_procs(children, timeout=_ENDED_S)
        assert not alive, f"outlived the product: {alive}"
        self._stack.close()
        self.product = self._stack.enter_context(serving(self._data_dir))

    def close(self) -> None:
        self._stack.close()


@contextmanager
def _directory() -> Iterator[Path]:
    """A short name, since a socket lies in it."""
    directory = Path(tempfile.mkdtemp(prefix="anjie-soak-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


def round_of_kills(seed: int, seconds: float) -> str:
    """Loads and kills for so long, and tells what came of it; fails where anything was lost or told twice."""
    draw = Random(seed)
    killed: Counter[str] = Counter()
    with _directory() as directory:
        restarted = Restarted(directory / "data")
        try:
            secret = (restarted.product.data_dir / "jwt.secret").read_bytes().strip()
            load = Load(lambda: restarted.product.url, secret, draw)
            load.start()
            ends = time.monotonic() + seconds
            while time.monotonic() < ends and not load.failed:
                time.sleep(draw.uniform(*_PAUSE_S))
                name = draw.choice((*_KILLED, "product"))
                killed[name] += restarted.kill(name)
            load.stop()
            assert not load.failed, load.failed
            told = _check(restarted.product, load, draw)
        finally:
            restarted.close()
    kills = ", ".join(f"{name} {times}" for name, times in sorted(killed.items()))
    return (
        f"{len(load.acknowledged)} commands acknowledged and kept, {load.repeated.total()} sent again;"
        f" killed: {kills};"
        f" breaches {told['case.deadline_breached']}, voided {told['case.deadline_breach_voided']}"
    )


def _check(product: Product, load: Load, draw: Random) -> Counter[str]:
    end = datetime.now(UTC)
    events, tree = all_told(EmbeddedPostgres(product.data_dir).url(), load.cases, end)
    every_acknowledged_event_is_kept(events, load.acknowledged)
    nothing_was_done_twice(events, load.acknowledged)
    assert [event.position for event in events] == list(range(1, len(events) + 1))
    the_first_answer_is_given_again(load, draw, _REPEATED)
    verified = anjie("verify", data_dir=product.data_dir)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    return judge_outcomes(streams_of(events, load.cases).values(), end, tree)
