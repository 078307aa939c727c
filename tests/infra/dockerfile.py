"""What the Dockerfile says, read without a container engine."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

CHECKOUT: Final = Path(__file__).parents[2]
_PATH: Final = CHECKOUT / "infra" / "image" / "Dockerfile"


class Instruction(NamedTuple):
    name: str
    rest: str


class Copy(NamedTuple):
    """From the checkout into a stage; `source` is relative, `to` absolute."""

    source: str
    to: str


def instructions() -> list[Instruction]:
    """In order, each on one line, without comments."""
    lines = [line for line in _PATH.read_text().splitlines() if not line.lstrip().startswith("#")]
    text = re.sub(r"\\\n", " ", "\n".join(lines))
    return [Instruction(*line.split(maxsplit=1)) for line in text.splitlines() if line]


def last(name: str) -> str:
    """What the last instruction of this name says, which is what counts for the image."""
    return [instruction.rest for instruction in instructions() if instruction.name == name][-1]


def arguments(name: str) -> list[str]:
    """Those of an instruction in exec form."""
    text = last(name)
    found: list[str] = json.loads(text[text.index("[") :])
    return found


def copies() -> list[Copy]:
    """What is copied from the checkout, of all stages."""
    return [copy for options, copy in _copies() if not options]


def front_end() -> list[Copy]:
    """What the image has of that stage; its sources as they lie in a checkout that is set up."""
    return [
        Copy(copy.source.replace("/web/", "shared/web/", 1), copy.to)
        for options, copy in _copies()
        if options == ["--from=front-end"]
    ]


def _copies() -> Iterator[tuple[list[str], Copy]]:
    for instruction in instructions():
        if instruction.name == "COPY":
            words = instruction.rest.split()
            options = [word for word in words if word.startswith("--")]
            *sources, to = words[len(options) :]
            for source in sources:
                yield options, Copy(source, to)


def environment() -> dict[str, str]:
    """What the image sets; `$PATH` in it stands for what was there before."""
    return dict(word.split("=", 1) for word in shlex.split(last("ENV")))
