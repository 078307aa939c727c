"""What goes wrong, as RFC 9457 problem details in English or Chinese."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from shared.policy.refusal import Forbidden, Refused, Taken, Unknown, WrongState

MEDIA_TYPE = "application/problem+json"


class Text(NamedTuple):
    """The same sentence in both languages."""

    en: str
    zh: str

    def in_language(self, language: str) -> str:
        return self.zh if language == "zh" else self.en

    def filled(self, **values: object) -> "Text":
        return Text(self.en.format(**values), self.zh.format(**values))


class FieldError(NamedTuple):
    """What is wrong with one field; `pointer` points into the JSON body, or names a header or parameter."""

    pointer: str
    code: str
    detail: Text


class Kind(NamedTuple):
    """A sort of problem, documented at `/problems/{code}`."""

    status: int
    title: Text


KINDS: dict[str, Kind] = {
    "unauthenticated": Kind(401, Text("No valid token", "没有有效的令牌")),
    "forbidden": Kind(403, Text("Not yours to do", "无权办理")),
    "no-such-route": Kind(404, Text("There is nothing at this path", "此路径下没有内容")),
    "not-found": Kind(404, Text("Not found", "未找到")),
    "method-not-allowed": Kind(405, Text("This path does not take this method", "此路径不接受该方法")),
    "wrong-state": Kind(409, Text("Not from this state or in this procedure", "当前状态或程序下不能办理")),
    "id-taken": Kind(409, Text("This id is in use", "该标识已被使用")),
    "stale": Kind(412, Text("It has moved on since you read it", "您读取之后已有新的办理")),
    "too-large": Kind(413, Text("The body is too large", "请求内容过大")),
    "if-match-malformed": Kind(400, Text("If-Match cannot be read", "If-Match 无法识别")),
    "unreadable": Kind(400, Text("The body cannot be read", "请求内容无法读取")),
    "invalid": Kind(422, Text("A field does not fit", "字段不符合要求")),
    "key-reused": Kind(
        422, Text("Idempotency-Key was used for something else", "Idempotency-Key 已用于其他内容")
    ),
    "guard": Kind(422, Text("A rule does not allow it", "规则不允许")),
    "failed-dependency": Kind(
        424, Text("An earlier line on this stream was refused", "同一流中前面的一行被拒绝")
    ),
    "header-missing": Kind(428, Text("A header is missing", "缺少请求头")),
    "too-many": Kind(429, Text("Too many commands at once", "同时提交的命令过多")),
    "internal": Kind(500, Text("Something went wrong here", "服务内部出错")),
    "keys-unreachable": Kind(503, Text("Tokens cannot be checked just now", "暂时无法核验令牌")),
    "behind": Kind(503, Text("The read models are not that far yet", "读模型尚未更新到该位置")),
    "not-migrated": Kind(503, Text("The database is not migrated", "数据库尚未迁移")),
    "unavailable": Kind(503, Text("The ledger cannot be reached just now", "账本暂时无法访问")),
}

_REFUSAL_KINDS: tuple[tuple[type[Refused], str], ...] = (
    (Unknown, "not-found"),
    (Forbidden, "forbidden"),
    (WrongState, "wrong-state"),
    (Taken, "id-taken"),
    (Refused, "guard"),
)


class Problem(Exception):
    """A request that can't be answered as asked.

    `code` is one of `KINDS` or the code of a rule, in which case `kind` says which sort of
    refusal it is; `members` are added to the body as they are.
    """

    def __init__(
        self,
        code: str,
        detail: Text | None = None,
        *,
        kind: str | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.kind = KINDS[kind or code]
        self.detail = detail or self.kind.title
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.members = members

    @property
    def status(self) -> int:
        return self.kind.status

    def body(self, language: str) -> dict[str, Any]:
        """The members of the problem, texts in the given language."""
        body: dict[str, Any] = {
            "type": f"/problems/{self.code}",
            "title": self.kind.title.in_language(language),
            "status": self.kind.status,
            "detail": self.detail.in_language(language),
        }
        if self.errors:
            body["errors"] = [
                {"pointer": error.pointer, "code": error.code, "detail": error.detail.in_language(language)}
                for error in self.errors
            ]
        return body | self.members

    def encoded(self, language: str) -> bytes:
        return msgspec.json.encode(self.body(language))


def problem_of(refusal: Refused) -> Problem:
    """A refusal of the rules as a problem: 404, 403, 409 or 422, with what it says of itself."""
    kind = next(kind for cls, kind in _REFUSAL_KINDS if isinstance(refusal, cls))
    detail = Text(refusal.detail, refusal.zh)
    members: dict[str, Any] = dict(refusal.extra)
    if kind == "guard":
        members = {"rule": refusal.code, "source": refusal.rule} | members
    errors = [FieldError(refusal.field, refusal.code, detail)] if refusal.field else []
    return Problem(refusal.code, detail, kind=kind, errors=errors, **members)


def invalid(pointer: str, code: str, detail: Text) -> Problem:
    """422: one field of the body, a header or a parameter doesn't fit."""
    return invalid_fields([FieldError(pointer, code, detail)])


def invalid_fields(errors: Sequence[FieldError]) -> Problem:
    """422: some fields don't fit; the detail is about the first."""
    first = errors[0]
    where = first.pointer or "/"
    return Problem("invalid", Text(f"{where} {first.detail.en}", f"{where} {first.detail.zh}"), errors=errors)


@functools.lru_cache(maxsize=512)
def language_of(accept_language: bytes | None) -> str:
    """`zh` or `en`, whichever an Accept-Language header prefers; `en` without a preference."""
    best, best_weight = "en", 0.0
    for part in (accept_language or b"").decode("latin-1").lower().split(","):
        tag, _, parameter = part.strip().partition(";")
        language = tag.strip().partition("-")[0]
        if language not in ("zh", "en"):
            continue
        try:
            weight = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            continue
        if weight > best_weight:
            best, best_weight = language, weight
    return best
