"""Loading demo sets into the product that is serving, with progress where the operator looks."""

import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import structlog

from services.demo import SETS, LoadFailed, Progress
from services.demo import load as load_sets
from services.installation import InstallationUnfit, signing_secret
from services.terminal import CommandFailed
from shared.runtime.identity import issue_token
from shared.runtime.secrets import read_secrets
from shared.runtime.settings import Settings

_TOKEN_LIFETIME: Final = timedelta(hours=12)
_LOG_EVERY_S: Final = 10.0

log = structlog.stdlib.get_logger("anjie.demo")


def load(settings: Settings, names: Sequence[str]) -> None:
    """Loads the sets. Raises: InstallationUnfit for a set that doesn't exist, CommandFailed."""
    for name in names:
        if name not in SETS:
            raise InstallationUnfit(f"no demo set is called {name}; there are {', '.join(SETS)}")
    secret = signing_secret(read_secrets(settings))
    token = issue_token(secret, sub="demo", role="operator", unit=None, lifetime=_TOKEN_LIFETIME)
    report = _line_on_terminal if sys.stderr.isatty() else _Logged()
    try:
        load_sets(settings.local_address, token, names, settings.data_dir, report)
    except LoadFailed as error:
        raise CommandFailed(str(error)) from error


def _line_on_terminal(progress: Progress) -> None:
    """One line that is written over until the set is loaded."""
    end = "\n" if progress.finished_at is not None else ""
    print(f"\r\x1b[K{progress}", end=end, file=sys.stderr, flush=True)


class _Logged:
    """One log line in ten seconds, and one when a set is loaded."""

    def __init__(self) -> None:
        self._logged_at = 0.0

    def __call__(self, progress: Progress) -> None:
        finished = progress.finished_at is not None
        if not finished and time.monotonic() - self._logged_at < _LOG_EVERY_S:
            return
        self._logged_at = time.monotonic()
        name = "demo_loaded" if finished else "demo_loading"
        log.info(
            name,
            set=progress.name,
            lines=progress.lines,
            total=progress.total,
            lines_per_s=progress.lines_per_s,
        )
