"""The words of the pages in Chinese and English, from `words.yaml` beside the templates that say them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

LANGUAGES: Final = ("zh", "en")


class Words:
    """Sentences by their dotted names, `area.name`."""

    def __init__(self, files: Iterable[Path]) -> None:
        """Raises: ValueError where a sentence lacks a language or is said twice."""
        self._said: dict[str, Mapping[str, str]] = {}
        for file in files:
            for area, sentences in yaml.safe_load(file.read_text(encoding="utf-8")).items():
                for name, languages in sentences.items():
                    self._add(f"{area}.{name}", languages)

    def _add(self, name: str, languages: Mapping[str, str]) -> None:
        if name in self._said:
            raise ValueError(f"{name} is said twice")
        if set(languages) != set(LANGUAGES):
            raise ValueError(f"{name} is to be said in {' and '.join(LANGUAGES)}")
        self._said[name] = languages

    def names(self) -> frozenset[str]:
        return frozenset(self._said)

    def say(self, language: str, name: str, **values: Any) -> str:
        """The sentence with its `{values}` filled in. Raises: KeyError."""
        return self._said[name][language].format(**values)
