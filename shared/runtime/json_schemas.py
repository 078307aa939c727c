"""JSON Schemas of structs, also where a value may be one of several structs.

The library makes schemas of what it could decode, and without a tag it can't decode such a
choice. Answers are only ever told, so here a choice is set aside and put back afterwards.
"""

import functools
import operator
import typing
from collections.abc import Iterable
from types import UnionType
from typing import Any, Final, Union

import msgspec

REF: Final = "#/components/schemas/{name}"
_CHOICE: Final = "x-choice"


class _Choice:
    """Stands for one of several structs while schemas are made."""

    structs: tuple[type[msgspec.Struct], ...]


def schemas_of(structs: Iterable[Any]) -> tuple[dict[Any, Any], dict[str, Any]]:
    """The schema of each struct (a reference), and the components that the references are to."""
    given = {cls: _without_choices(cls) for cls in structs}
    chosen = {cls for choice in _Choice.__subclasses__() for cls in choice.structs}
    known = sorted({*given.values(), *chosen}, key=lambda cls: (cls.__name__, cls.__module__))
    choices: list[Any] = []

    def hook(cls: Any) -> dict[str, Any]:
        if not issubclass(cls, _Choice):
            raise NotImplementedError(cls)
        choices.append(cls)
        return {_CHOICE: len(choices) - 1}

    schemas, components = msgspec.json.schema_components(known, schema_hook=hook, ref_template=REF)
    refs = dict(zip(known, schemas, strict=True))

    def put_back(schema: Any) -> Any:
        if isinstance(schema, list):
            return [put_back(item) for item in schema]
        if not isinstance(schema, dict):
            return schema
        if _CHOICE in schema:
            return {"anyOf": [refs[cls] for cls in choices[schema[_CHOICE]].structs]}
        return {name: put_back(value) for name, value in schema.items()}

    return {cls: refs[plain] for cls, plain in given.items()}, put_back(components)


@functools.cache
def _without_choices(cls: Any) -> Any:
    """The struct with a stand-in wherever one of several structs may be; itself where none may."""
    hints = typing.get_type_hints(cls, include_extras=True)
    plain = {field.name: _plain(hints[field.name]) for field in msgspec.structs.fields(cls)}
    if all(plain[name] == hints[name] for name in plain):
        return cls
    fields: list[Any] = [
        (field.encode_name, plain[field.name])
        if field.required
        else (field.encode_name, plain[field.name], field.default)
        for field in msgspec.structs.fields(cls)
    ]
    return msgspec.defstruct(
        cls.__name__, fields, module=cls.__module__, namespace={"__doc__": cls.__doc__}, kw_only=True
    )


def _plain(hint: Any) -> Any:
    """The type with every choice in it replaced by its stand-in."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return _without_choices(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (list, tuple, dict):
        return origin[tuple(_plain(argument) for argument in arguments)]
    if origin not in (Union, UnionType):
        return hint
    plain = [_plain(argument) for argument in arguments]
    structs = tuple(item for item in plain if isinstance(item, type) and issubclass(item, msgspec.Struct))
    if len(structs) < 2:
        return functools.reduce(operator.or_, plain)
    choice = type("Choice", (_Choice,), {"structs": structs})
    return functools.reduce(operator.or_, (item for item in plain if item not in structs), choice)
