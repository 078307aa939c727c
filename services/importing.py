"""`anjie import`: a file of lines goes in through the batch route, under one import."""

import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec

from services.batch_client import BATCH_LINES, Answer, NoAnswer
from services.operator_client import command, operator_client, unit_meant, unreachable
from shared.runtime.settings import Settings

_BATCH_BYTES: Final = 16 << 20
_BOM: Final = "\ufeff".encode()
"""What some programs put in front of a file."""


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    line: int
    """Of the file, from 1."""
    reason: str


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    import_id: UUID
    stored: int
    refused: list[Refused]


def import_file(settings: Settings, path: Path, unit: str | None, note: str) -> ImportReport:
    """Sends every line of the file to the product that serves, as its operator, and tells what came of it.

    `unit` is the id or the unique name of the unit that it is about; by default the only township.
    The same file again goes on with the same import, so one that was cut off, or of which lines were
    refused for what could be mended, is simply repeated; once all is stored the import is closed.
    Raises: InstallationUnfit, CommandFailed; OSError when the file can't be read.
    """
    import_id = _id_of(path)
    operator = operator_client(settings, "import")
    importing = operator_client(settings, "import", {"Anjie-Import": str(import_id)})
    stored = 0
    refused: list[Refused] = []
    try:
        opening = {"import_id": str(import_id), "unit": unit_meant(operator, unit), "note": note}
        command(operator, "/v1/imports", f"import {import_id}", opening)
        for numbers, lines in _batches(path):
            before = len(refused)

            def answered(index: int, answer: Answer, numbers: list[int] = numbers) -> None:
                if not answer.accepted:
                    refused.append(Refused(line=numbers[index], reason=str(answer)))

            importing.send(lines, answered)
            stored += len(lines) - (len(refused) - before)
            if sys.stderr.isatty():
                print(f"\r{stored} stored, {len(refused)} refused", end="", file=sys.stderr, flush=True)
        if not refused:
            command(operator, f"/v1/imports/{import_id}/close", f"close {import_id}", {})
    except NoAnswer as error:
        raise unreachable(settings, error) from error
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return ImportReport(import_id=import_id, stored=stored, refused=refused)


def _id_of(path: Path) -> UUID:
    """A UUIDv7 made of the file's content, so that the same file is the same import."""
    with path.open("rb") as file:
        digest = sha256()
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    bits = int.from_bytes(digest.digest()[:16], "big")
    return UUID(int=bits & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62)


def _batches(path: Path) -> Iterator[tuple[list[int], list[bytes]]]:
    """The lines that aren't empty in groups to be sent together, each with its number."""
    numbers: list[int] = []
    lines: list[bytes] = []
    size = 0
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            line = raw.removeprefix(_BOM).strip()
            if not line:
                continue
            if lines and (len(lines) == BATCH_LINES or size + len(line) > _BATCH_BYTES):
                yield numbers, lines
                numbers, lines, size = [], [], 0
            numbers.append(number)
            lines.append(line)
            size += len(line) + 1
    if lines:
        yield numbers, lines
