"""Every sort of problem, documented at `/problems/{code}`, in English and Chinese."""

from typing import NamedTuple


class Text(NamedTuple):
    """The same sentence in both languages."""

    en: str
    zh: str

    def in_language(self, language: str) -> str:
        return self.zh if language == "zh" else self.en

    def filled(self, **values: object) -> "Text":
        return Text(self.en.format(**values), self.zh.format(**values))


class Kind(NamedTuple):
    """A sort of problem: its status, what it is called, and what to do about it."""

    status: int
    title: Text
    advice: Text


def _kind(status: int, title: tuple[str, str], advice: tuple[str, str]) -> Kind:
    return Kind(status, Text(*title), Text(*advice))


KINDS: dict[str, Kind] = {
    "unauthenticated": _kind(
        401,
        ("No valid token", "没有有效的令牌"),
        (
            "Send `Authorization: Bearer <token>` with a token that is accepted here and has not expired,"
            " or the cookie of a session that was begun at /sign-in.",
            "请携带本服务认可且未过期的令牌：Authorization: Bearer <令牌>，或者携带 /sign-in 的会话 Cookie。",
        ),
    ),
    "sign-in-refused": _kind(
        401,
        ("Login or password is wrong", "登录名或密码不正确"),
        (
            "It is not said which. Whoever keeps the accounts may look with `anjie account list`.",
            "不说明是哪一项有误。账户管理员可用 anjie account list 查看账户。",
        ),
    ),
    "csrf": _kind(
        403,
        ("The request does not come from a page of this session", "请求并非来自本次登录的页面"),
        (
            "What is sent with a session's cookie and changes something needs its CSRF token, in the header"
            " `X-CSRF-Token` or the form field `csrf`. Load the page again and repeat it.",
            "凭会话 Cookie 提交更改时，须在请求头 X-CSRF-Token 或表单字段 csrf 中携带该会话的 CSRF 令牌。"
            "请重新载入页面后再次提交。",
        ),
    ),
    "password-given": _kind(
        403,
        ("A password of one's own has to be chosen first", "请先设置自己的密码"),
        (
            "Whoever gave the password of this account knows it, so a session that was begun with it is good"
            " for nothing but choosing another: at /password, or with `POST /v1/me/password`.",
            "给出本账户密码的人也知道该密码，因此以它登录后只能另设密码："
            "请在 /password 页面设置，或者提交 POST /v1/me/password。",
        ),
    ),
    "forbidden": _kind(
        403,
        ("Not yours to do", "无权办理"),
        (
            "The token is good, but its bearer may not do this; the detail says which relation may.",
            "令牌有效，但持有人与此事的关系不足以办理；说明中写明何种关系可以办理。",
        ),
    ),
    "no-such-route": _kind(
        404,
        ("There is nothing at this path", "此路径下没有内容"),
        (
            "Look the path up in /openapi.json.",
            "请在 /openapi.json 中查阅路径。",
        ),
    ),
    "not-found": _kind(
        404,
        ("Not found", "未找到"),
        (
            "There is no such thing, or it is not for the bearer of this token to know of.",
            "没有此项内容，或者令牌持有人无权知悉。",
        ),
    ),
    "method-not-allowed": _kind(
        405,
        ("This path does not take this method", "此路径不接受该方法"),
        (
            "The header Allow names the methods that it takes.",
            "响应头 Allow 列出可用的方法。",
        ),
    ),
    "wrong-state": _kind(
        409,
        ("Not from this state or in this procedure", "当前状态或程序下不能办理"),
        (
            "Read the case again: `state` says how it stands, `allowed_commands` what may be sent now.",
            "请重新读取案件：state 为当前状态，allowed_commands 为现在可提交的命令。",
        ),
    ),
    "id-taken": _kind(
        409,
        ("This id is in use", "该标识已被使用"),
        (
            "Make a new id, or repeat the first command under its own Idempotency-Key.",
            "请换用新的标识，或者以原来的 Idempotency-Key 重发原命令。",
        ),
    ),
    "login-taken": _kind(
        409,
        ("There is an account of this name", "该登录名已被使用"),
        (
            "Capitals make no other name, and the name of an account that was disabled stays its own.",
            "大小写不区分；已停用账户的登录名仍归原账户。",
        ),
    ),
    "stale": _kind(
        412,
        ("It has moved on since you read it", "您读取之后已有新的办理"),
        (
            "Read it again, look at `events`, and send the command with the version read then.",
            "请重新读取并查看 events，再以新的版本号提交。",
        ),
    ),
    "too-large": _kind(
        413,
        ("The body is too large", "请求内容过大"),
        (
            "`limit` is the number of bytes allowed; many commands go in a batch, line by line.",
            "limit 为允许的字节数；大量命令请用批量接口逐行提交。",
        ),
    ),
    "if-match-malformed": _kind(
        400,
        ("If-Match cannot be read", "If-Match 无法识别"),
        (
            'One version in double quotes is expected, as ETag gave it: `"7"`.',
            '须为一个带双引号的版本号，与 ETag 相同，例如 "7"。',
        ),
    ),
    "unreadable": _kind(
        400,
        ("The body cannot be read", "请求内容无法读取"),
        (
            "It is not well-formed JSON in UTF-8, or not of the media type that this path takes.",
            "不是 UTF-8 编码的合法 JSON，或者媒体类型不符。",
        ),
    ),
    "invalid": _kind(
        422,
        ("A field does not fit", "字段不符合要求"),
        (
            "`errors` names each field by a JSON pointer, or a header or parameter by its name.",
            "errors 以 JSON 指针指明每个字段，或者以名称指明请求头、参数。",
        ),
    ),
    "key-reused": _kind(
        422,
        ("Idempotency-Key was used for something else", "Idempotency-Key 已用于其他内容"),
        (
            "Use a new key for a new command; the same key repeats the same command only.",
            "新命令请用新的键；同一个键只能重复同一命令。",
        ),
    ),
    "guard": _kind(
        422,
        ("A rule does not allow it", "规则不允许"),
        (
            "`rule` names the rule and `source` where it comes from.",
            "rule 为规则名称，source 为其出处。",
        ),
    ),
    "failed-dependency": _kind(
        424,
        ("An earlier line on this stream was refused", "同一流中前面的一行被拒绝"),
        (
            "Nothing of this line was stored; put right the refused one and send both again.",
            "此行未存储任何内容；请更正被拒绝的一行后一并重发。",
        ),
    ),
    "header-missing": _kind(
        428,
        ("A header is missing", "缺少请求头"),
        (
            "`header` names it. Commands need an Idempotency-Key, those that move a case If-Match too.",
            "header 指明缺少哪一项。命令须有 Idempotency-Key，推动案件的命令还须有 If-Match。",
        ),
    ),
    "too-many": _kind(
        429,
        ("Too many commands at once", "同时提交的命令过多"),
        (
            "Nothing was stored. Send it again after the time that Retry-After gives.",
            "未存储任何内容。请在 Retry-After 所示时间之后重发。",
        ),
    ),
    "unmasked-too-often": _kind(
        429,
        ("Too many cases unmasked within the hour", "一小时内查看个人信息过多"),
        (
            "Nothing was shown, and nothing recorded. Ask again after the time that Retry-After gives.",
            "未显示内容，也未记录。请在 Retry-After 所示时间之后再试。",
        ),
    ),
    "sign-in-too-often": _kind(
        429,
        ("Too many attempts to sign in", "登录尝试过于频繁"),
        (
            "After several that failed each next attempt has to wait longer: as long as Retry-After gives.",
            "多次失败后，每次再试都须等待更久，等待时间见 Retry-After。",
        ),
    ),
    "internal": _kind(
        500,
        ("Something went wrong here", "服务内部出错"),
        (
            "The operator finds the cause in the log under the id of the header X-Request-Id.",
            "运维人员可按响应头 X-Request-Id 在日志中查找原因。",
        ),
    ),
    "keys-unreachable": _kind(
        503,
        ("Tokens cannot be checked just now", "暂时无法核验令牌"),
        (
            "The keys that tokens are checked with could not be had. Send it again after Retry-After.",
            "暂时取不到核验令牌的公钥。请在 Retry-After 所示时间之后重发。",
        ),
    ),
    "behind": _kind(
        503,
        ("The read models are not that far yet", "读模型尚未更新到该位置"),
        (
            "They did not reach `min_position` in time. Ask again after Retry-After.",
            "读模型未能及时更新到 min_position。请在 Retry-After 所示时间之后再试。",
        ),
    ),
    "not-migrated": _kind(
        503,
        ("The database is not migrated", "数据库尚未迁移"),
        (
            "The operator runs `anjie migrate`.",
            "请运维人员执行 anjie migrate。",
        ),
    ),
    "unavailable": _kind(
        503,
        ("The ledger cannot be reached just now", "账本暂时无法访问"),
        (
            "Nothing is confirmed. Send the same again under the same Idempotency-Key after Retry-After.",
            "未确认存储。请在 Retry-After 所示时间之后以同一 Idempotency-Key 重发。",
        ),
    ),
}
