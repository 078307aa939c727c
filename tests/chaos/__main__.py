"""`make chaos`: two of each part under load, and faults drawn from a seed, until there were enough of them.

CHAOS_FAULTS says how many (200), CHAOS_SEED which (drawn anew each time). Whatever is wrong after a fault
ends it with exit code 1 and the seed.
"""

import logging
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from random import Random, SystemRandom, choice
from typing import Final

import structlog

from infra.cluster.cluster import Cluster
from tests.chaos.faults import Stage, strike
from tests.chaos.judging import judge_all, judge_clocks, judge_lately, settle
from tests.chaos.plan import Fault, plan
from tests.load import Load

_FAULTS: Final = 200
_JUDGED_WHOLE: Final = 50
"""After so many faults everything is judged, which is dear."""
_PAUSE_S: Final = 0.3
"""Of each client between two commands."""


def main() -> int:
    count = int(os.environ.get("CHAOS_FAULTS") or _FAULTS)
    seed = int(os.environ.get("CHAOS_SEED") or SystemRandom().randrange(2**32))
    print(f"CHAOS_SEED={seed} CHAOS_FAULTS={count}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    # A short name, since a socket lies in it.
    directory = Path(tempfile.mkdtemp(prefix="anjie-chaos-"))
    try:
        with Cluster(directory) as cluster:
            cluster.start()
            _play(cluster, seed, count)
    except Exception as error:
        traceback.print_exception(error, file=sys.stdout)
        print(f"FAILED; CHAOS_SEED={seed} does it again, and the logs are in {directory}", flush=True)
        return 1
    except BaseException:
        shutil.rmtree(directory)
        raise
    shutil.rmtree(directory)
    return 0


def _play(cluster: Cluster, seed: int, count: int) -> None:
    began, draw = time.monotonic(), Random(seed)
    secret = Path(cluster.environment["ANJIE_DATA_DIR"], "jwt.secret").read_bytes().strip()
    load = Load(lambda: choice(cluster.addresses), secret, draw, pause_s=_PAUSE_S)
    stage = Stage(cluster, load)
    load.start()
    settle(stage)
    done: Counter[str] = Counter()
    judged = 0
    for faults in plan(seed, count):
        if done.total() - judged >= _JUDGED_WHOLE:
            _judge_whole(stage, draw)
            judged = done.total()
            load.start()
        known = len(load.acknowledged)
        settled_s = _round(stage, faults)
        judge_lately(stage, load.acknowledged[known:], draw)
        for fault in faults:
            done[fault.kind] += 1
            print(f"{done.total():4}  {fault!s:<50} settled after {settled_s:5.1f} s", flush=True)
    _judge_whole(stage, draw)
    told = judge_clocks(stage)
    kinds = ", ".join(f"{kind} {times}" for kind, times in sorted(done.items()))
    print(
        f"{done.total()} faults in {time.monotonic() - began:.0f} s: {kinds}\n"
        f"{len(load.acknowledged)} commands acknowledged; {load.repeated['unanswered']} attempts without an"
        f" answer and {load.repeated['refused']} refused for the time being were sent again\n"
        f"{len(stage.ended)} processes ended by themselves; {told.total()} events told by the clocks\n"
        f"lost 0, doubled 0; CHAOS_SEED={seed}",
        flush=True,
    )


def _round(stage: Stage, faults: list[Fault]) -> float:
    """How long it took until all was well after the last of the faults was taken back, in seconds."""
    ended = len(stage.ended)
    strike(stage, faults)
    over = time.monotonic()
    settle(stage)
    # Who starts while the database is away says so and ends; nobody else may.
    if "postgres" not in {fault.target for fault in faults}:
        assert len(stage.ended) == ended, stage.ended[ended:]
    return time.monotonic() - over


def _judge_whole(stage: Stage, draw: Random) -> None:
    """With nobody sending anything meanwhile."""
    began = time.monotonic()
    stage.load.stop()
    settle(stage)
    judge_all(stage, draw)
    number = len(stage.load.acknowledged)
    print(
        f"      all {number} commands kept once, all views equal ({time.monotonic() - began:.0f} s)",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
