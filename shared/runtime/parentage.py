"""Ending with one's parent, however that one dies: a child must not outlive the product."""

import ctypes
import os
import signal
import threading
import time
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_LOOK_S: Final = 1.0

_prctl: Final = getattr(ctypes.CDLL(None), "prctl", None)


def signal_at_parents_death(number: signal.Signals) -> None:
    """Has the kernel send a signal to this process when its parent dies; on Linux, elsewhere nothing.

    Outlives `execve`. Takes no lock, so it may be called between fork and exec.
    """
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, number)


def end_with_parent(parent: int) -> None:
    """Has this process end by SIGTERM when its parent, the process of that number, is gone.

    The number comes from the parent, which may have died before this process asked for its own.
    """
    signal_at_parents_death(signal.SIGTERM)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_S)
        os.kill(os.getpid(), signal.SIGTERM)

    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)
    elif _prctl is None:
        threading.Thread(target=watch, daemon=True, name="parent watch").start()
