"""What the compose file says, read without a container engine."""

import re
from pathlib import Path
from typing import Any, Final

import yaml

PATH: Final = Path(__file__).parents[2] / "infra" / "compose.yaml"
PRODUCT: Final = "anjie:0.1.0"

_INTERPOLATED: Final = re.compile(r"\$\{(\w+):\?[^}]+\}")

Service = dict[str, Any]


def services() -> dict[str, Service]:
    """By their names, in order, as they are written."""
    found: dict[str, Service] = yaml.safe_load(PATH.read_text())["services"]
    return found


def products() -> dict[str, Service]:
    """Those that are the product."""
    return {name: service for name, service in services().items() if service["image"] == PRODUCT}


def served() -> dict[str, int]:
    """What is run with `serve --only`, and how many times."""
    counts: dict[str, int] = {}
    for service in products().values():
        command = service["command"]
        if command[0] == "serve":
            assert command[1:-1] == ["--only"]
            counts[command[-1]] = counts.get(command[-1], 0) + service["deploy"].get("replicas", 1)
    return counts


def needed() -> set[str]:
    """The variables without which compose says what is missing and does nothing."""
    return set(_INTERPOLATED.findall(PATH.read_text()))


def filled(value: str, values: dict[str, str]) -> str:
    """A value with its variables in place; one of them that may be left out isn't taken for such."""
    return _INTERPOLATED.sub(lambda match: values[match[1]], value)
