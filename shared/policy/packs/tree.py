"""YAML as a tree whose every part knows its file and line; nothing in it is ever executed.

Packs come from anyone who may adopt one, so what YAML can do beyond plain data is refused: tags,
anchors and aliases, several documents, and more than `MAX_BYTES` or `MAX_DEPTH`.
"""

import re
from typing import Final, NamedTuple

import yaml
from yaml import events

from shared.policy.packs.faults import Fault, PackBroken

MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 16
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNFIT: Final = re.compile("[\0\ud800-\udfff]")

Path = tuple[str, ...]
"""The keys down to a part."""


class Leaf(NamedTuple):
    file: str
    line: int
    text: str
    plain: bool
    """Written without quotes, so that it may be a number or a truth value."""


class Row(NamedTuple):
    file: str
    line: int
    items: tuple["Tree", ...]


class Table(NamedTuple):
    file: str
    line: int
    """That of its key, as for every value in a table."""
    entries: dict[str, "Tree"]


class Hole(NamedTuple):
    """Where something was refused; its fault is told already."""

    file: str
    line: int


Tree = Leaf | Row | Table | Hole


def fault_at(tree: Tree, path: Path, message: str) -> Fault:
    return Fault(tree.file, tree.line, ".".join(path) or "pack", message)


def read_tree(text: str, file: str, faults: list[Fault]) -> Table:
    """The tree of a YAML text; adds what is wrong to `faults`. Raises: PackBroken, if it can't be read on."""
    try:
        if len(text.encode()) > MAX_BYTES:
            raise PackBroken([*faults, Fault(file, 1, "pack", f"is larger than {MAX_BYTES} bytes")])
        return _Reader(text, file, faults).root()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise PackBroken(
            [*faults, Fault(file, mark.line + 1 if mark else 1, "pack", f"isn't YAML: {error.problem}")]
        ) from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise PackBroken([*faults, Fault(file, 1, "pack", f"isn't YAML: {error}")]) from error


def merged(under: Tree, over: Tree) -> Tree:
    """One tree over another: tables join key by key, all else is replaced."""
    if not (isinstance(under, Table) and isinstance(over, Table)):
        return over
    entries = {
        key: merged(under.entries[key], tree) if key in under.entries else tree
        for key, tree in over.entries.items()
    }
    return over._replace(entries={**under.entries, **entries})


class _Reader:
    def __init__(self, text: str, file: str, faults: list[Fault]) -> None:
        self._events = yaml.parse(text, Loader=_LOADER)
        self._file = file
        self._faults = faults

    def root(self) -> Table:
        next(self._events)
        if isinstance(next(self._events), events.StreamEndEvent):
            raise self._broken(1, (), "is empty")
        tree = self._tree(next(self._events), (), 1)
        next(self._events)
        after = next(self._events)
        if not isinstance(after, events.StreamEndEvent):
            raise self._broken(_line(after), (), "is more than one document")
        if not isinstance(tree, Table):
            raise self._broken(1, (), "must be a table of rules")
        return tree

    def _tree(self, event: events.Event, path: Path, line: int) -> Tree:
        if len(path) > MAX_DEPTH:
            raise self._broken(line, path, f"is deeper than {MAX_DEPTH} levels")
        if isinstance(event, events.AliasEvent):
            self._tell(line, path, "is an alias, and aliases are refused")
            return Hole(self._file, line)
        if getattr(event, "anchor", None) is not None:
            self._tell(line, path, "has an anchor, and anchors are refused")
        if getattr(event, "tag", None) is not None:
            self._tell(line, path, "has a tag, and tags are refused")
        match event:
            case events.ScalarEvent():
                return self._leaf(event, path, line)
            case events.SequenceStartEvent():
                return self._row(path, line)
            case _:
                return self._table(path, line)

    def _leaf(self, event: events.ScalarEvent, path: Path, line: int) -> Tree:
        if _UNFIT.search(event.value):
            self._tell(line, path, "has a character that no text may have")
            return Hole(self._file, line)
        return Leaf(self._file, line, event.value, plain=not event.style)

    def _row(self, path: Path, line: int) -> Row:
        items: list[Tree] = []
        while not isinstance(event := next(self._events), events.SequenceEndEvent):
            items.append(self._tree(event, (*path, str(len(items))), _line(event)))
        return Row(self._file, line, tuple(items))

    def _table(self, path: Path, line: int) -> Table:
        entries: dict[str, Tree] = {}
        while not isinstance(event := next(self._events), events.MappingEndEvent):
            key_line = _line(event)
            key = self._tree(event, (*path, "?"), key_line)
            name = key.text if isinstance(key, Leaf) else "?"
            value = self._tree(next(self._events), (*path, name), key_line)
            if not isinstance(key, Leaf):
                self._tell(key_line, path, "has a key that is no plain word")
            elif name in entries:
                self._tell(key_line, (*path, name), f"stands in line {entries[name].line} already")
            else:
                entries[name] = value
        return Table(self._file, line, entries)

    def _tell(self, line: int, path: Path, message: str) -> None:
        self._faults.append(Fault(self._file, line, ".".join(path) or "pack", message))

    def _broken(self, line: int, path: Path, message: str) -> PackBroken:
        self._tell(line, path, message)
        return PackBroken(self._faults)


def _line(event: events.Event) -> int:
    assert event.start_mark is not None
    return event.start_mark.line + 1
