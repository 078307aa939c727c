"""Why a command is refused, in the order in which refusals are looked for."""


class Refused(Exception):
    """A command that the rules don't allow; nothing of it is stored.

    `code` is a stable name (`return-limit`, `not-the-next-level`); `detail` and `zh` say it in
    English and Chinese; `rule` says where the rule comes from; `field` is the JSON pointer of
    the body it is about, if any; `extra` are members of the answer.
    """

    def __init__(
        self, code: str, detail: str, *, zh: str = "", field: str = "", rule: str = "", **extra: object
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.zh = zh or detail
        self.field = field
        self.rule = rule
        self.extra = extra


class Unknown(Refused):
    """404: no such thing, or not for this caller to know of."""


class Forbidden(Refused):
    """403: the actor has no relation that may do this; `relations` names those that would."""


class WrongState(Refused):
    """409: not from this state or in this procedure."""


class Taken(Refused):
    """409: an id that the client made is somebody's or something's already."""


class GuardFailed(Refused):
    """422: any other guard; `code` and `rule` name it."""
