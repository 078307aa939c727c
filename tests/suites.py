"""Runs the suites one after the other and tells the time and the outcome of each.

`python -m tests.suites [NAME…]`; without names, all of them. A suite that needs what can't be
had here is named as not run in the last line, which is a failure where CI is set.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from infra.kafka.broker import BrokerUnavailable, installation
from infra.programs import ProgramUnavailable
from infra.proxy.proxy import haproxy

_CHECKOUT: Final = Path(__file__).parents[1]
_BIN: Final = Path(sys.executable).parent
_SECONDS_MAX: Final = 600
"""No suite may take longer; all together should take less."""
_KAFKA: Final = "kafka"
_PROXY: Final = "proxy"


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
    "unit": _pytest("unit"),
    "contract": _pytest("contract"),
    "integration": _pytest("integration"),
    "e2e": _pytest("e2e"),
    "infra": _pytest("infra"),
    _PROXY: _pytest("proxy"),
    _KAFKA: _pytest("kafka"),
}


def run(name: str) -> tuple[bool, float, str]:
    """Whether a suite passed, its seconds, and its last line; its output is shown as it comes."""
    print(f"\n== {name}", flush=True)
    started = time.monotonic()
    last = ""
    with subprocess.Popen(
        SUITES[name], cwd=_CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        end = threading.Timer(_SECONDS_MAX, process.kill)
        end.start()
        for line in process.stdout:
            print(line, end="", flush=True)
            last = line.strip() or last
        passed = process.wait() == 0
        end.cancel()
    return passed, time.monotonic() - started, last


def broker_found() -> str:
    """What broker the tests will use. Raises: BrokerUnavailable."""
    given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "").strip()
    return f"Kafka at {given}" if given else str(installation())


def proxy_found() -> str:
    """What proxy the tests will use. Raises: ProgramUnavailable."""
    return f"HAProxy ({haproxy()})"


_NEEDED: Final[dict[str, Callable[[], str]]] = {_KAFKA: broker_found, _PROXY: proxy_found}
"""What a suite can't do without: says what was found, or raises with the reason."""


def main() -> int:
    names = sys.argv[1:] or list(SUITES)
    missing = []
    for name in set(names) & _NEEDED.keys():
        try:
            print(_NEEDED[name](), flush=True)
        except (BrokerUnavailable, ProgramUnavailable) as error:
            names.remove(name)
            missing.append(f"{name} ({error})")
    outcomes = {name: run(name) for name in names}
    print(f"\n== {'suite':<14}{'seconds':>9}")
    for name, (passed, seconds, last) in outcomes.items():
        print(f"{'passed' if passed else 'FAILED'}   {name:<14}{seconds:>5.1f}   {last}")
    print(f"{'':9}{'all':<14}{sum(seconds for _, seconds, _ in outcomes.values()):>5.1f}")
    if missing:
        print(f"not run: {', '.join(missing)}")
    failed = not all(passed for passed, _, _ in outcomes.values()) or (missing and os.environ.get("CI"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
