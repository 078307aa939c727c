"""`/v1/accounts`: officers and operators look after who may sign in, within their unit and beneath it."""

from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any, Final

from services.account_shapes import (
    AccountAnswer,
    AccountsAnswer,
    AccountShown,
    AccountsQuery,
    AddAccount,
    ChangePassword,
    CountsAnswer,
    NewPassword,
    Nothing,
    SearchAccounts,
    StandsFor,
)
from shared.policy.actor import Actor
from shared.policy.administration import (
    GIVEN_PASSWORD_LASTS,
    administers,
    fits,
    has_run_out,
    may_administer,
    may_give_password,
    may_look_up,
)
from shared.policy.jurisdiction import UnitTree
from shared.policy.standing import level_of_unit
from shared.runtime.accounts import (
    LOGIN_LENGTH_MAX,
    Account,
    Accounts,
    LoginTaken,
    LoginUnfit,
    LoginUnknown,
    Sought,
)
from shared.runtime.attempts import client_address
from shared.runtime.cookies import session_header
from shared.runtime.identity import ROLES_OF_THE_WHOLE
from shared.runtime.passwords import Passwords, new_password, random_signs
from shared.runtime.problems import Problem, Text, invalid
from shared.runtime.reception import Reception
from shared.runtime.sessions import Sessions
from shared.runtime.trees import Trees
from shared.runtime.web import Answer, Operation, Request, json_answer

_CHANGES_MAX: Final = 100
_REF_SIGNS: Final = 6
_KEPT_BY_NOBODY: Final = ((b"cache-control", b"no-store"),)

_FOR_OFFICERS: Final = Text(
    "For an officer of a village or a township, or an operator", "仅供村、镇负责人或系统操作员使用"
)
_OUTSIDE: Final = Text("The unit is not yours or beneath yours", "该单位不是您的单位或其下属单位")
_ITS_OWNERS: Final = Text(
    "Its owner has signed in: from then on the operator gives another password, or the owner changes it",
    "本人已登录过：此后由系统操作员重置密码，或由本人修改",
)
_ABOVE: Final = Text(
    "Nobody gives, takes or changes more than they have themselves, and nobody their own account",
    "只能管理不高于自己权限的账户，且不能管理自己的账户",
)
_UNIT_UNKNOWN: Final = Text("is no unit that stands", "不是现有的单位")
_UNIT_NEEDED: Final = Text("is needed for this role", "此身份必须有单位")
_UNIT_UNFIT: Final = Text("does not have this role", "该单位没有此身份")
_LOGIN_UNFIT: Final = Text(
    "has 1 to 128 printable characters, without spaces around them",
    "须为 1 至 128 个可见字符，首尾不能有空格",
)
_FOR_OPERATORS: Final = Text("is for an operator to say", "只有系统操作员可以指定")


class AccountOperations:
    def __init__(self, accounts: Accounts, sessions: Sessions, trees: Trees, reception: Reception) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._trees = trees
        self._reception = reception
        self._passwords = Passwords()

    def operations(self) -> tuple[Operation, ...]:
        one = "/v1/accounts/{account_id}"
        return (
            _operation("GET", "/v1/accounts", "list-accounts", "Who may sign in, within a unit.", self._list,
                       query=AccountsQuery, answers={200: AccountsAnswer}, problems=(403, 404)),
            _operation("POST", "/v1/accounts:search", "search-accounts", "The same, by a part of a name.",
                       self._search, body=SearchAccounts, answers={200: AccountsAnswer}, problems=(403, 404)),
            _operation("GET", "/v1/accounts/by-unit", "count-accounts", "How many may sign in, unit by unit.",
                       self._count, answers={200: CountsAnswer}, problems=(403,)),
            _operation("GET", one, "read-account", "An account, and what was done to it.", self._read,
                       answers={200: AccountAnswer}, problems=(403,)),
            _operation("POST", "/v1/accounts", "add-account", "Let somebody sign in.", self._add,
                       body=AddAccount, answers={201: NewPassword}, problems=(403, 409)),
            _operation("POST", f"{one}/change", "change-account", "Another role, unit or clearances.",
                       self._change, body=StandsFor, answers={200: AccountShown}, problems=(403,)),
            _operation("POST", f"{one}/reset-password", "reset-password", "Another password, told once.",
                       self._reset, body=Nothing, answers={200: NewPassword}, problems=(403,)),
            _operation("POST", f"{one}/disable", "disable-account", "Let nobody sign in to it any more.",
                       self._disable, body=Nothing, answers={200: AccountShown}, problems=(403,)),
            _operation("POST", f"{one}/enable", "enable-account", "Let its password be good again.",
                       self._enable, body=Nothing, answers={200: AccountShown}, problems=(403,)),
            _operation("POST", "/v1/me/password", "change-password", "Another password of one's own.",
                       self._own, body=ChangePassword, answers={200: Nothing}, problems=(403, 429),
                       before_choosing=True),
        )  # fmt: skip

    async def _own(self, request: Request) -> Answer:
        body = request.body(ChangePassword)
        address = client_address(request.address, request.header(b"x-forwarded-for"))
        session = await self._reception.change_password(
            request.session, body.password, body.new_password, address
        )
        answer = _answer(Nothing())
        return answer._replace(headers=(*answer.headers, session_header(request, session)))

    async def _list(self, request: Request) -> Answer:
        return await self._found(request, request.query(AccountsQuery), None)

    async def _search(self, request: Request) -> Answer:
        body = request.body(SearchAccounts)
        return await self._found(request, body, body.q)

    async def _found(self, request: Request, asked: AccountsQuery, text: str | None) -> Answer:
        tree = self._tree(request)
        if asked.unit is not None and tree.get(asked.unit) is None:
            raise Problem("not-found")
        unit = asked.unit or request.actor.unit
        if not tree.within(unit, request.actor.unit):
            raise Problem("forbidden", _OUTSIDE)
        units = None if unit is None else tree.subtree(unit)
        sought = Sought(units=units, role=asked.role, text=text, disabled=asked.disabled)
        found, following = await self._accounts.find(sought, after=asked.cursor, limit=asked.limit)
        return _answer(
            {"items": [_shown(account, request.actor, tree) for account in found], "next": following}
        )

    async def _count(self, request: Request) -> Answer:
        tree, unit = self._tree(request), request.actor.unit
        counts = await self._accounts.count(None if unit is None else tree.subtree(unit))
        items = [
            {"unit_id": of, "active": active, "disabled": disabled}
            for of, (active, disabled) in counts.items()
        ]
        return _answer({"items": items})

    async def _read(self, request: Request) -> Answer:
        tree = self._tree(request)
        account = await self._looked_up(request, tree)
        changes = await self._accounts.changes(account, _CHANGES_MAX)
        return _answer({**_shown(account, request.actor, tree), "changes": changes})

    async def _add(self, request: Request) -> Answer:
        body = request.body(AddAccount)
        tree, by = self._tree(request), request.actor
        if body.actor_ref is not None and by.role != "operator":
            # Who has a ref that is known already has what that one may do and see.
            raise invalid("/actor_ref", "forbidden", _FOR_OPERATORS)
        ref = body.actor_ref or _new_ref(body.login)
        actor = _standing(ref, body, tree)
        _check(by, actor, tree)
        password = new_password()
        try:
            account = await self._accounts.add(
                body.login, actor, await self._passwords.hashed(password), by=by
            )
        except LoginUnfit:
            raise invalid("/login", "format", _LOGIN_UNFIT) from None
        except LoginTaken:
            raise Problem("login-taken") from None
        return _answer({**_shown(account, by, tree), "password": password}, 201)

    async def _change(self, request: Request) -> Answer:
        body = request.body(StandsFor)
        tree, by = self._tree(request), request.actor
        account = await self._administered(request, tree)
        actor = _standing(account.actor.ref, body, tree)
        _check(by, actor, tree)
        await self._made(account, self._accounts.set_actor(account, actor, by=by))
        return await self._told(account, request, tree)

    async def _reset(self, request: Request) -> Answer:
        request.body(Nothing)
        tree = self._tree(request)
        account = await self._administered(request, tree)
        if not _may_reset(request.actor, account, tree):
            raise Problem("forbidden", _ITS_OWNERS)
        password = new_password()
        hashed = await self._passwords.hashed(password)
        await self._made(account, self._accounts.set_password(account, hashed, by=request.actor))
        return await self._told(account, request, tree, password=password)

    async def _disable(self, request: Request) -> Answer:
        request.body(Nothing)
        tree = self._tree(request)
        account = await self._administered(request, tree)
        await self._made(account, self._accounts.disable(account, by=request.actor))
        return await self._told(account, request, tree)

    async def _enable(self, request: Request) -> Answer:
        request.body(Nothing)
        tree = self._tree(request)
        account = await self._administered(request, tree)
        await self._made(account, self._accounts.enable(account, by=request.actor))
        return await self._told(account, request, tree)

    def _tree(self, request: Request) -> UnitTree:
        """The units as they stand. Raises: Problem 403 to who looks after nobody's account."""
        tree = self._trees.current
        if not administers(request.actor, tree):
            raise Problem("forbidden", _FOR_OFFICERS)
        return tree

    async def _looked_up(self, request: Request, tree: UnitTree) -> Account:
        """Raises: Problem 404 where there is none within the actor's unit."""
        account = await self._accounts.get(request.id("account_id"))
        if account is None or not may_look_up(request.actor, account.actor, tree):
            raise Problem("not-found")
        return account

    async def _administered(self, request: Request, tree: UnitTree) -> Account:
        account = await self._looked_up(request, tree)
        _check(request.actor, account.actor, tree)
        return account

    async def _made(self, account: Account, change: Awaitable[None]) -> None:
        try:
            await change
        except LoginUnknown:
            raise Problem("not-found") from None
        self._sessions.forget(account)

    async def _told(self, account: Account, request: Request, tree: UnitTree, **more: str) -> Answer:
        changed = await self._accounts.get(account.account_id)
        assert changed is not None
        return _answer({**_shown(changed, request.actor, tree), **more})


def _new_ref(login: str) -> str:
    """Nobody's so far, or who is let in would be taken for whom it belongs to."""
    return f"{login[: LOGIN_LENGTH_MAX - _REF_SIGNS - 1]}-{random_signs(_REF_SIGNS)}"


def _standing(ref: str, body: StandsFor, tree: UnitTree) -> Actor:
    """Whom an account stands for. Raises: Problem 422 for a unit that isn't, or hasn't such a role."""
    unit = tree.get(body.unit)
    if body.unit is None and body.role not in ROLES_OF_THE_WHOLE:
        raise invalid("/unit", "missing", _UNIT_NEEDED)
    if body.unit is not None and (unit is None or unit.closed):
        raise invalid("/unit", "unknown", _UNIT_UNKNOWN)
    if unit is not None and not fits(body.role, level_of_unit(body.unit, tree)):
        raise invalid("/unit", "value", _UNIT_UNFIT)
    return Actor(ref=ref, role=body.role, unit=body.unit, clearances=frozenset(body.clearances))


def _check(by: Actor, account: Actor, tree: UnitTree) -> None:
    """Raises: Problem 403."""
    if not may_look_up(by, account, tree):
        raise Problem("forbidden", _OUTSIDE)
    if not may_administer(by, account, tree):
        raise Problem("forbidden", _ABOVE)


def _may_reset(by: Actor, account: Account, tree: UnitTree) -> bool:
    used = account.last_signed_in_at is not None
    return may_give_password(by, account.actor, tree, used=used)


def _shown(account: Account, by: Actor, tree: UnitTree) -> dict[str, Any]:
    actor, given_at = account.actor, account.password_given_at
    return {
        "account_id": account.account_id,
        "login": account.login,
        "actor_ref": actor.ref,
        "role": actor.role,
        "unit": actor.unit,
        "clearances": sorted(actor.clearances),
        "has_password": account.hash is not None,
        "password_given_until": None if given_at is None else given_at + GIVEN_PASSWORD_LASTS,
        "password_run_out": given_at is not None and has_run_out(given_at, datetime.now(UTC)),
        "created_at": account.created_at,
        "disabled_at": account.disabled_at,
        "last_signed_in_at": account.last_signed_in_at,
        "may_change": may_administer(by, actor, tree),
        "may_reset": _may_reset(by, account, tree),
    }


def _answer(value: Any, status: int = 200) -> Answer:
    return json_answer(value, status, _KEPT_BY_NOBODY)


def _operation(method: str, path: str, name: str, summary: str, handler: Any, **more: Any) -> Operation:
    return Operation(
        method=method,
        path=path,
        name=name,
        summary=summary,
        tag="accounts",
        handler=handler,
        headers=("?Accept-Language",),
        **more,
    )
