"""The OpenAPI document, made from the declared operations and their structs."""

import re
import typing
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from types import UnionType
from typing import Any
from uuid import UUID

import msgspec

from shared.runtime.json_schemas import REF, schemas_of
from shared.runtime.problems import MEDIA_TYPE
from shared.runtime.sessions import COOKIE, CSRF_HEADER, SECURE_COOKIE
from shared.runtime.web import Operation

_HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    "Idempotency-Key": (
        "A text that this caller uses for this command alone; sent again with it: the first answer again.",
        {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    ),
    "If-Match": (
        'The version that the caller has read, in double quotes: `"7"`.',
        {"type": "string", "pattern": '^"[1-9][0-9]{0,8}"$'},
    ),
    "Anjie-Import": (
        "The open import that this belongs to: any past age is allowed.",
        {"type": "string", "format": "uuid"},
    ),
    "Accept-Language": ("`zh` or `en`: the language of problems.", {"type": "string"}),
    "Anjie-Purpose": (
        "`export` where the answer is to be taken along: the register of reads tells it.",
        {"type": "string"},
    ),
    "Last-Event-ID": ("Resume after this position.", {"type": "string"}),
}

_PROBLEMS: dict[int, str] = {
    400: "The body, or a header, cannot be read.",
    401: "No valid token, and no session.",
    403: "Not the caller's to do or see; `detail` says which role or relation would be. Or no CSRF token.",
    404: "No such thing, or not for this caller to know of.",
    409: "Not from this state or in this procedure, or an id that is in use.",
    412: "The case has been handled since the version given.",
    413: "The body is larger than allowed.",
    415: "The body is of another media type than this takes.",
    422: "A field does not fit, or a rule does not allow it.",
    428: "A header is missing.",
    429: "Too many at once, or within a while; nothing was stored.",
    503: "The ledger cannot be reached; nothing is acknowledged.",
}


_ETAG: dict[str, Any] = {
    "description": "The version that it has now, in double quotes.",
    "schema": {"type": "string"},
}
_PLAUSIBLE: dict[type, Any] = {
    str: "情况说明",
    bool: True,
    int: 1,
    UUID: "01932f4a-8a00-7000-8000-000000000037",
    date: "2024-05-01",
    datetime: "2024-05-01T09:00:00+08:00",
}
_SECURITY_SCHEMES: dict[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": f"From /sign-in; over https it is {SECURE_COOKIE}. "
        f"What changes something needs the header {CSRF_HEADER} too, else 403.",
    },
}
_SECURITY: list[dict[str, list[str]]] = [{name: []} for name in _SECURITY_SCHEMES]


class FieldProblem(msgspec.Struct, kw_only=True):
    pointer: str
    code: str
    detail: str


class ProblemDetails(msgspec.Struct, kw_only=True):
    """RFC 9457; `type` is a path of this server, documented there."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] = []


def openapi_document(
    operations: Iterable[Operation], *, title: str, version: str, description: str
) -> dict[str, Any]:
    """OpenAPI 3.1 of the given operations."""
    operations = list(operations)
    refs, components = schemas_of(
        {cls for operation in operations for cls in _structs(operation)} | {ProblemDetails}
    )
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation, refs)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": description},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": _SECURITY_SCHEMES,
        },
        "security": _SECURITY,
    }


def _structs(operation: Operation) -> Iterable[Any]:
    if operation.body is not None:
        yield operation.body
    yield from (
        answer for answer in operation.answers.values() if answer is not None and not isinstance(answer, str)
    )


def _described(operation: Operation, refs: Mapping[Any, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "responses": _responses(operation, refs),
    }
    if not operation.signed_in:
        described["security"] = []
    elif operation.anonymous_too:
        described["security"] = [*_SECURITY, {}]
    if parameters := [
        *_path_parameters(operation),
        *_query_parameters(operation),
        *_header_parameters(operation),
    ]:
        described["parameters"] = parameters
    if operation.body is not None:
        media: dict[str, Any] = {"schema": refs[operation.body]}
        media["example"] = operation.example or example_of(operation.body)
        required = bool(_required_fields(operation.body))
        described["requestBody"] = {"required": required, "content": {"application/json": media}}
    elif operation.body_media:
        described["requestBody"] = {"required": True, "content": operation.body_media}
    return described


def example_of(cls: Any) -> dict[str, Any]:
    """A body with what is required, plausible of its types alone."""
    hints = typing.get_type_hints(cls, include_extras=True)
    return {
        field.encode_name: _plausible(hints[field.name])
        for field in msgspec.structs.fields(cls)
        if field.required
    }


def _plausible(hint: Any) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Annotated, typing.Union, UnionType):
        return _plausible(arguments[0])
    if origin is typing.Literal:
        return arguments[0]
    if origin in (tuple, list):
        return [_plausible(arguments[0])]
    if issubclass(hint, msgspec.Struct):
        return example_of(hint)
    return _PLAUSIBLE[hint]


def _required_fields(cls: type[msgspec.Struct]) -> list[str]:
    return [field.name for field in msgspec.structs.fields(cls) if field.required]


def _path_parameters(operation: Operation) -> Iterable[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", operation.path):
        schema = {"type": "string", "format": "uuid"} if name.endswith("id") else {"type": "string"}
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(operation: Operation) -> Iterable[dict[str, Any]]:
    if operation.query is None:
        return
    _, components = msgspec.json.schema_components([operation.query], ref_template=REF)
    properties = components[operation.query.__name__]["properties"]
    for field in msgspec.structs.fields(operation.query):
        yield {
            "name": field.encode_name,
            "in": "query",
            "required": field.required,
            "schema": _given(properties[field.encode_name]),
        }


def _given(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter that is there: `null` and a default can't be written in a query."""
    schema = {name: value for name, value in schema.items() if name != "default"}
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    if options:
        schema.pop("anyOf")
        schema |= options[0] if len(options) == 1 else {"anyOf": options}
    if isinstance(schema.get("enum"), list):
        schema["enum"] = [value for value in schema["enum"] if value is not None]
    return schema


def _header_parameters(operation: Operation) -> Iterable[dict[str, Any]]:
    for header in operation.headers:
        name = header.removeprefix("?")
        text, schema = _HEADERS[name]
        yield {
            "name": name,
            "in": "header",
            "required": not header.startswith("?"),
            "description": text,
            "schema": schema,
        }


def _responses(operation: Operation, refs: Mapping[Any, Any]) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status, answer in sorted(operation.answers.items()):
        response: dict[str, Any] = {"description": "Done." if operation.method == "POST" else "The answer."}
        if isinstance(answer, str):
            response["content"] = {answer: {}}
        elif answer is not None:
            response["content"] = {"application/json": {"schema": refs[answer]}}
        if operation.batchable:
            response["headers"] = {"ETag": _ETAG}
        responses[str(status)] = response
    problem = {MEDIA_TYPE: {"schema": refs[ProblemDetails]}}
    for status in sorted(problem_statuses(operation)):
        responses[str(status)] = {"description": _PROBLEMS[status], "content": problem}
    return responses


def problem_statuses(operation: Operation) -> set[int]:
    """The statuses other than those of its answers that an operation may end in."""
    statuses = set(operation.problems)
    if operation.signed_in:
        statuses |= {401, 503}
        if operation.method != "GET" or not operation.before_choosing:
            statuses.add(403)
    if "{" in operation.path:
        statuses.add(404)
    if operation.body is not None:
        statuses |= {400, 413, 422}
    if operation.query is not None:
        statuses.add(422)
    if any(not header.startswith("?") for header in operation.headers):
        statuses.add(428)
    return statuses
