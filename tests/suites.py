"""Runs the suites, two at a time, and tells the time and the outcome of each.

`python -m tests.suites [NAME…]`; without names, all of them. A suite that needs what can't be
had here is named as not run in the last line, which is a failure where CI is set.
"""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

from infra.browser import chromium
from infra.kafka.broker import BrokerUnavailable, installation
from infra.programs import ProgramUnavailable
from infra.proxy.proxy import haproxy

_CHECKOUT: Final = Path(__file__).parents[1]
_BIN: Final = Path(sys.executable).parent
_SECONDS_MAX: Final = 900
"""No suite may take longer."""
_AT_ONCE: Final = 2
"""Suites wait for processes, timers and disks more than they reckon."""
_PROGRESS: Final = re.compile(r"^[.sxXFE]+ +\[ *(\d+%)\]$")
_KAFKA: Final = "kafka"
_PROXY: Final = "proxy"
_BROWSER: Final = "browser"


def _pytest(name: str) -> list[str]:
    return [sys.executable, "-m", "pytest", "-q", f"tests/{name}"]


SUITES: Final[dict[str, list[str]]] = {
    "ruff": [str(_BIN / "ruff"), "check", "--quiet", "."],
    "format": [str(_BIN / "ruff"), "format", "--check", "--quiet", "."],
    "mypy": [str(_BIN / "mypy")],
    "import-linter": [str(_BIN / "lint-imports"), "--no-logo"],
    "hadolint": [str(_BIN / "hadolint"), "infra/image/Dockerfile"],
    "compose": [
        str(_BIN / "check-jsonschema"),
        "--builtin-schema",
        "vendor.compose-spec",
        "infra/compose.yaml",
    ],
    # The longest first, so that none of them is left to the end.
    _KAFKA: _pytest("kafka"),
    "integration": _pytest("integration"),
    "e2e": _pytest("e2e"),
    _BROWSER: _pytest("browser"),
    "unit": _pytest("unit"),
    "contract": _pytest("contract"),
    "infra": _pytest("infra"),
    _PROXY: _pytest("proxy"),
}


class Outcome(NamedTuple):
    passed: bool
    seconds: float
    last_line: str


def run(name: str) -> Outcome:
    """Runs a suite, shows how far it is, and its output as a whole at its end."""
    started = time.monotonic()
    output: list[str] = []
    with subprocess.Popen(
        SUITES[name], cwd=_CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        end = threading.Timer(_SECONDS_MAX, process.kill)
        end.start()
        for line in process.stdout:
            if progress := _PROGRESS.search(line):
                print(f"{name}: {progress[1]}", flush=True)
            else:
                output.append(line)
        passed = process.wait() == 0
        end.cancel()
    print("".join((f"\n== {name}\n", *output)), flush=True)
    last = next((line.strip() for line in reversed(output) if line.strip()), "")
    return Outcome(passed, time.monotonic() - started, last)


def broker_found() -> str:
    """What broker the tests will use. Raises: BrokerUnavailable."""
    given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "").strip()
    return f"Kafka at {given}" if given else str(installation())


def proxy_found() -> str:
    """What proxy the tests will use. Raises: ProgramUnavailable."""
    return f"HAProxy ({haproxy()})"


def browser_found() -> str:
    """What browser the tests will use. Raises: ProgramUnavailable."""
    return f"Chromium ({chromium()})"


_NEEDED: Final[dict[str, Callable[[], str]]] = {
    _KAFKA: broker_found,
    _PROXY: proxy_found,
    _BROWSER: browser_found,
}
"""What a suite can't do without: says what was found, or raises with the reason."""


def main() -> int:
    started = time.monotonic()
    names = sys.argv[1:] or list(SUITES)
    missing = []
    for name in [name for name in names if name in _NEEDED]:
        try:
            print(_NEEDED[name](), flush=True)
        except (BrokerUnavailable, ProgramUnavailable) as error:
            names.remove(name)
            missing.append(f"{name} ({error})")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        outcomes = dict(zip(names, pool.map(run, names), strict=True))
    print(f"\n== {'suite':<14}{'seconds':>9}")
    for name, outcome in outcomes.items():
        passed = "passed" if outcome.passed else "FAILED"
        print(f"{passed}   {name:<14}{outcome.seconds:>5.1f}   {outcome.last_line}")
    print(f"{'':9}{'all':<14}{time.monotonic() - started:>5.1f}")
    if missing:
        print(f"not run: {', '.join(missing)}")
    failed = not all(outcome.passed for outcome in outcomes.values()) or (missing and os.environ.get("CI"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
