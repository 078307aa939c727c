"""A tree read by the types of the document, telling every part that doesn't fit them."""

import re
from datetime import date
from typing import Any, Final

from msgspec import inspect

from shared.policy.packs.faults import Fault
from shared.policy.packs.tree import Hole, Leaf, Path, Row, Table, Tree, fault_at

_INTEGER: Final = re.compile("-?(0|[1-9][0-9]{0,9})")
_DATE: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NOTHING: Final = frozenset(("", "~", "null"))


class _Unfit(Exception):
    """A value isn't what it must be; the message says what that is."""


class Shaper:
    """Reads one tree; what doesn't fit is added to `faults` and left out of the answer."""

    def __init__(self, faults: list[Fault], *, whole: bool) -> None:
        """`whole`: tell what is missing, too."""
        self.places: dict[Path, Tree] = {}
        """Every part that was read, so that a later fault finds its line."""
        self._faults = faults
        self._whole = whole

    def shaped(self, tree: Tree, expected: inspect.Type, path: Path = ()) -> Any:
        """The plain data of a tree, to be converted to the expected type where it had no fault."""
        self.places[path] = tree
        match expected, tree:
            case _, Hole():
                return None
            case inspect.UnionType(), _:
                return self._chosen(tree, expected, path)
            case inspect.StructType(), Table():
                return self._struct(tree, expected, path)
            case inspect.DictType(), Table():
                return self._dict(tree, expected, path)
            case inspect.VarTupleType(), Row():
                return self._tuple(tree, expected, path)
            case inspect.StructType() | inspect.DictType(), _:
                self._tell(tree, path, "must be a table of keys and values")
            case inspect.VarTupleType(), _:
                self._tell(tree, path, "must be a list")
            case _, Leaf():
                return self._leaf(tree, expected, path)
            case _:
                self._tell(tree, path, "must be a single value")
        return None

    def _chosen(self, tree: Tree, union: inspect.UnionType, path: Path) -> Any:
        """A table or one kind of other value, as the tree is one; or nothing, where that is allowed."""
        tables = [kind for kind in union.types if isinstance(kind, inspect.StructType)]
        optional = any(isinstance(kind, inspect.NoneType) for kind in union.types)
        values = [k for k in union.types if not isinstance(k, inspect.StructType | inspect.NoneType)]
        if optional and isinstance(tree, Leaf) and tree.plain and tree.text in _NOTHING:
            return None
        if not tables:
            return self.shaped(tree, values[0], path)
        if isinstance(tree, Leaf) and values:
            return self._leaf(tree, values[0], path, otherwise=", or a table of keys and values")
        return self.shaped(tree, tables[0], path)

    def _struct(self, table: Table, struct: inspect.StructType, path: Path) -> dict[str, Any]:
        fields = {field.name: field for field in struct.fields}
        known = ", ".join(fields if path else ("extends", *fields))
        for key, tree in table.entries.items():
            if key not in fields:
                self._tell(tree, (*path, key), f"is unknown here; known are {known}")
        for name, field in fields.items():
            # A pack says everything; only content kept from before there was a section may lack it.
            needed = field.required or not path
            if self._whole and needed and name not in table.entries:
                self._tell(table, (*path, name), "is missing")
        return {
            key: self.shaped(tree, fields[key].type, (*path, key))
            for key, tree in table.entries.items()
            if key in fields
        }

    def _dict(self, table: Table, kind: inspect.DictType, path: Path) -> dict[Any, Any]:
        self._check_length(table, len(table.entries), kind.min_length, path)
        found = {}
        for key, tree in table.entries.items():
            name = self._leaf(Leaf(tree.file, tree.line, key, plain=True), kind.key_type, (*path, key))
            if name is not None:
                found[name] = self.shaped(tree, kind.value_type, (*path, key))
        return found

    def _tuple(self, row: Row, kind: inspect.VarTupleType, path: Path) -> list[Any]:
        self._check_length(row, len(row.items), kind.min_length, path)
        found: list[Any] = []
        seen = set()
        for index, tree in enumerate(row.items):
            item = self.shaped(tree, kind.item_type, (*path, str(index)))
            if item is not None and repr(item) in seen:
                self._tell(tree, (*path, str(index)), "stands in this list already")
            seen.add(repr(item))
            found.append(item)
        return found

    def _check_length(self, tree: Tree, length: int, least: int | None, path: Path) -> None:
        if length < (least or 0):
            self._tell(tree, path, "must not be empty")

    def _leaf(self, leaf: Leaf, expected: inspect.Type, path: Path, *, otherwise: str = "") -> Any:
        try:
            return _value(leaf, expected)
        except _Unfit as error:
            self._tell(leaf, path, f"{error}{otherwise}")
            return None

    def _tell(self, tree: Tree, path: Path, message: str) -> None:
        self._faults.append(fault_at(tree, path, message))


def _value(leaf: Leaf, expected: inspect.Type) -> object:
    match expected:
        case inspect.IntType():
            return _integer(leaf, expected)
        case inspect.BoolType():
            if not leaf.plain or leaf.text not in ("true", "false"):
                raise _Unfit("must be true or false")
            return leaf.text == "true"
        case inspect.DateType():
            return _date(leaf)
        case inspect.LiteralType():
            if leaf.text not in expected.values:
                raise _Unfit(f"must be {'' if len(expected.values) == 1 else 'one of '}{_listed(expected)}")
            return leaf.text
        case inspect.StrType():
            return _text(leaf, expected)
    raise NotImplementedError(expected)


def _integer(leaf: Leaf, kind: inspect.IntType) -> int:
    if not leaf.plain or not _INTEGER.fullmatch(leaf.text):
        raise _Unfit("must be a whole number")
    number = int(leaf.text)
    if (kind.ge is not None and number < kind.ge) or (kind.le is not None and number > kind.le):
        raise _Unfit(f"must be from {kind.ge} to {kind.le}")
    return number


def _date(leaf: Leaf) -> date:
    try:
        if _DATE.fullmatch(leaf.text):
            return date.fromisoformat(leaf.text)
    except ValueError:
        pass
    raise _Unfit("must be a date such as 2027-01-01")


def _text(leaf: Leaf, kind: inspect.StrType) -> str:
    if (leaf.plain and leaf.text in _NOTHING) or not leaf.text.strip():
        raise _Unfit("must not be empty")
    if kind.max_length is not None and len(leaf.text) > kind.max_length:
        raise _Unfit(f"must not be longer than {kind.max_length} characters")
    if kind.pattern is not None and not re.search(kind.pattern, leaf.text):
        raise _Unfit(f"must be of the form {kind.pattern}")
    return leaf.text


def _listed(kind: inspect.LiteralType) -> str:
    return ", ".join(map(str, kind.values))
