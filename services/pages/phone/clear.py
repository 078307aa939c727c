"""Who may take a case along on paper: those who see it in the clear."""

from collections.abc import Mapping
from typing import Any, Final

from shared.runtime.problems import Problem, Text

_FOR_THOSE_WHO_SEE_IT: Final = Text("For those who work on the case", "仅供办理这件事的人使用")


def seen_in_the_clear(case: Mapping[str, Any]) -> None:
    """Raises: Problem 403 where its title is sealed to whoever asks."""
    if isinstance(case["title"], dict):
        raise Problem("forbidden", _FOR_THOSE_WHO_SEE_IT)
