"""A browser to test pages with: Debian's Chromium, and a font that has Chinese."""

import subprocess
from pathlib import Path
from typing import Final

from infra.programs import ProgramUnavailable, install, obtain

OPTIONS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""For root in a container, and without the calls that a browser makes on its own account."""

_FONT: Final = "fonts-noto-cjk"


def chromium() -> Path:
    """Where it is, once a Chinese font is there as well. Raises: infra.programs.ProgramUnavailable."""
    found = obtain("chromium", "chromium")
    if not _chinese_font():
        install(_FONT)
    if not _chinese_font():
        raise ProgramUnavailable(
            f"no font that has Chinese on this machine; on Debian: apt-get install {_FONT}"
        )
    return found


def _chinese_font() -> bool:
    listed = subprocess.run(["fc-list", ":lang=zh"], capture_output=True, text=True, check=False)
    return bool(listed.stdout.strip())
