"""Processes of a cluster end with whoever started them, however that one dies."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

PARENT = """
import sys, time
from pathlib import Path
from infra.processes import Process

work = "import time; print('up', flush=True); time.sleep(60)"
child = Process([sys.executable, "-c", work], Path(sys.argv[1]))
child.start()
while child.last_words() != "up":
    time.sleep(0.01)
if sys.argv[2] == "paused":
    child.pause()
print("started", flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
@pytest.mark.parametrize("state", ["going", "paused"])
def test_a_child_ends_with_a_parent_that_is_killed(tmp_path: Path, state: str) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "output"), state]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "started\n"
        children = psutil.Process(parent.pid).children()
        parent.kill()

    assert len(children) == 1
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
