"""What goes wrong, as RFC 9457 problem details in English or Chinese."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from shared.policy.refusal import Forbidden, Refused, Taken, Unknown, WrongState
from shared.runtime.problem_kinds import KINDS
from shared.runtime.problem_kinds import Text as Text

MEDIA_TYPE = "application/problem+json"


class FieldError(NamedTuple):
    """What is wrong with one field; `pointer` points into the JSON body, or names a header or parameter."""

    pointer: str
    code: str
    detail: Text


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
