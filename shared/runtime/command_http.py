"""What every command has in common over HTTP: its headers, its answer's headers, its operation."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from shared.events.vocabulary import Role
from shared.policy.actor import Actor
from shared.policy.bodies import Body, Ref
from shared.policy.transitions import TRANSITIONS
from shared.runtime.bodies import read_id
from shared.runtime.case_commands import CaseAnswer, CaseWork, Decide, case_answer
from shared.runtime.command_handling import Desk, Sent
from shared.runtime.problems import Problem, Text, invalid
from shared.runtime.web import Answer, Operation, Request, json_answer

KEY_LENGTH_MAX: Final = 255

_IF_MATCH: Final = re.compile(r'"([1-9][0-9]{0,8})"')
COMMAND_PROBLEMS: Final = (403, 404, 409, 412, 422, 429)


class NamedActor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """In whose name a line of a batch is sent, by the operator under an import."""

    sub: Ref
    role: Role
    unit: UUID | None = None


def read_sent(request: Request, cls: type[Body]) -> Sent:
    """The command that a request is. Raises: Problem, 400 before 422, about a header or the body."""
    if_match = _if_match(request)
    return _sent(request, request.body(cls), if_match)


def sent_with(request: Request, body: Body) -> Sent:
    """The command of a request whose body isn't JSON. Raises: Problem about a header."""
    return _sent(request, body, None)


def _sent(request: Request, body: Body, if_match: int | None) -> Sent:
    line = request.line
    actor = request.actor if line is None or line.actor is None else _named_actor(request, line.actor)
    return Sent(
        route=f"{request.method} {request.path}",
        body=body,
        sender=request.actor,
        actor=actor,
        key=_key(request),
        if_match=if_match,
        import_id=_import_id(request),
        now=datetime.now(UTC),
        traceparent=request.traceparent,
    )


def created(value: msgspec.Struct, version: int, *, status: int = 201) -> Answer:
    """The answer to a command, with the version as its ETag."""
    return json_answer(value, status, ((b"etag", b'"%d"' % version),))


def case_operation(
    desk: Desk, name: str, body: type[Body], decide: Decide, *, tag: str, example: Any
) -> Operation:
    """The operation of one command on a case."""
    row = TRANSITIONS[name]
    needs_version = not row.adds and not row.creates
    status = 201 if row.creates else 200

    async def handle(request: Request) -> Answer:
        case_id = None if row.creates else request.id("case_id")
        sent = read_sent(request, body)
        work = CaseWork(desk, sent, name, case_id, sent.body, decide)
        outcome = await desk.take(sent, work)
        answer = case_answer(outcome)
        request.log_fields |= {"stream_id": str(answer.case_id), "position": answer.position}
        return created(answer, answer.version, status=status)

    version_header = () if row.creates else ("If-Match",) if needs_version else ("?If-Match",)
    return Operation(
        method="POST",
        path="/v1/cases" if row.creates else f"/v1/cases/{{case_id}}/{name}",
        name=name,
        summary=summary_of(name),
        tag=tag,
        handler=handle,
        body=body,
        example=example,
        answers={status: CaseAnswer},
        problems=COMMAND_PROBLEMS,
        headers=("Idempotency-Key", *version_header, "?Anjie-Import", "?Accept-Language"),
        batchable=True,
    )


def summary_of(name: str) -> str:
    return name.replace("-", " ").capitalize() + "."


def _key(request: Request) -> str:
    key = request.headers[b"idempotency-key"]
    if len(key) > KEY_LENGTH_MAX:
        raise invalid("Idempotency-Key", "length", Text(f"is longer than {KEY_LENGTH_MAX}", "过长"))
    return key.decode("latin-1")


def _if_match(request: Request) -> int | None:
    """The version given; None where there is none, or where a line of a batch takes it as it stands."""
    header = request.header(b"if-match")
    if header is None or (header == "*" and request.line is not None and request.line.may_match_any):
        return None
    match = _IF_MATCH.fullmatch(header)
    if match is None:
        raise Problem(
            "if-match-malformed",
            Text('a version in double quotes is needed: "7"', '须为带双引号的版本号："7"'),
        )
    return int(match[1])


def _import_id(request: Request) -> UUID | None:
    header = request.header(b"anjie-import")
    if header is None:
        return None
    import_id = read_id(header)
    if import_id is None:
        raise invalid("Anjie-Import", "format", Text("is not a UUID", "不是有效的 UUID"))
    return import_id


def _named_actor(request: Request, given: Mapping[str, Any]) -> Actor:
    """Raises: Problem, unless it is the operator who sends it under an import."""
    try:
        named = msgspec.convert(given, NamedActor)
    except msgspec.ValidationError:
        raise invalid(
            "actor", "invalid", Text("is not {sub, role, unit}", "须为 {sub, role, unit}")
        ) from None
    if request.actor.role != "operator":
        raise Problem("forbidden", Text("only an operator may send for others", "只有运维人员可以代为提交"))
    if b"anjie-import" not in request.headers:
        raise invalid("actor", "import-needed", Text("is for imports only", "只能在导入中使用"))
    return Actor(ref=named.sub, role=named.role, unit=named.unit)
