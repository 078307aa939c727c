"""Where somebody signs in with a password, steps into an account of the demo, and signs out."""

from datetime import UTC, datetime

import structlog

from shared.policy.actor import Actor
from shared.policy.administration import GIVEN_PASSWORD_LASTS, has_run_out
from shared.runtime import metrics
from shared.runtime.accounts import Account, Accounts, LoginTaken, LoginUnknown
from shared.runtime.attempts import Attempts
from shared.runtime.database import Pool
from shared.runtime.passwords import (
    PASSWORD_LENGTH_MAX,
    PASSWORD_LENGTH_MIN,
    Passwords,
    PasswordUnfit,
    is_same,
)
from shared.runtime.problems import Problem, Text, invalid
from shared.runtime.sealing import MasterKey
from shared.runtime.sessions import AccountChanged, Session, Sessions

_NOT_THIS = Text("is not the password that you sign in with", "不是您现在的密码")
_THE_SAME = Text("is the password that you have", "与现在的密码相同")
_RUN_OUT = Text(
    f"this password was given more than {GIVEN_PASSWORD_LASTS.days} days ago; ask for another one",
    f"此密码给出已超过 {GIVEN_PASSWORD_LASTS.days} 天，请重新领取",
)
_UNFIT = Text(
    f"has {PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters",
    f"须为 {PASSWORD_LENGTH_MIN} 至 {PASSWORD_LENGTH_MAX} 个字符",
)
_NO_PASSWORD = Text("For who has signed in with a password of this system", "仅供以本系统密码登录的人员使用")

log = structlog.stdlib.get_logger("anjie.sign_in")


class Reception:
    def __init__(self, pool: Pool, sessions: Sessions, master: MasterKey) -> None:
        self._sessions = sessions
        self._accounts = Accounts(pool)
        self._passwords = Passwords()
        self._attempts = Attempts(pool, master)

    async def sign_in(self, login: str, password: str, address: str) -> Session:
        """A session of the account with this login and password.

        Raises: Problem, 401 where they aren't of one account, or of a disabled one, or the password was
        given too long ago; 429 after attempts that failed, for the login or from the client's address.
        """
        try:
            attempt = await self._attempts.begin(login, address)
        except Problem:
            metrics.count_sign_in("too_often")
            log.info("sign_in_refused", reason="too often")
            raise
        account = await self._called(login)
        right = await self._passwords.is_right(None if account is None else account.hash, password)
        if account is None or not right or account.disabled_at is not None:
            metrics.count_sign_in("refused")
            account_id = None if account is None else str(account.account_id)
            log.info("sign_in_refused", reason="disabled" if right else "wrong", account_id=account_id)
            raise Problem("sign-in-refused")
        if account.password_given_at and has_run_out(account.password_given_at, datetime.now(UTC)):
            metrics.count_sign_in("refused")
            log.info("sign_in_refused", reason="run out", account_id=str(account.account_id))
            raise Problem("sign-in-refused", _RUN_OUT)
        session = await self._begun(account, "password")
        await self._attempts.succeeded(attempt)
        return session

    async def step_in(self, login: str, actor: Actor) -> Session:
        """A session of somebody of the demo, in an account without a password that is made at the first time.

        Raises: Problem 404 where the account isn't, or is no longer, one of the demo.
        """
        try:
            account = await self._accounts.add(login, actor, None)
        except LoginTaken:
            account = await self._accounts.called(login)
        if account.hash is not None or account.disabled_at is not None or account.actor != actor:
            raise Problem("not-found")
        return await self._begun(account, "demo")

    async def sign_out(self, session: Session) -> None:
        """Ends a session."""
        await self._sessions.end(session)
        log.info("signed_out", account_id=str(session.account.account_id))

    async def change_password(
        self, session: Session | None, password: str, new: str, address: str
    ) -> Session:
        """Gives whoever is signed in the password that they choose; one session goes on, the others end.

        It goes on under a new token: somebody else may have begun it, and left it to be found.
        Raises: Problem, 403 where there is none to change, 422 where the present one is another or the new
        one can't be one, 429 after attempts that failed.
        """
        account = None if session is None else await self._accounts.get(session.account.account_id)
        if account is None or account.hash is None:
            raise Problem("forbidden", _NO_PASSWORD)
        attempt = await self._attempts.begin(account.login, address)
        if not await self._passwords.is_right(account.hash, password):
            raise invalid("/password", "value", _NOT_THIS)
        await self._attempts.succeeded(attempt)
        if is_same(password, new):
            raise invalid("/new_password", "value", _THE_SAME)
        try:
            hashed = await self._passwords.hashed(new)
        except PasswordUnfit:
            raise invalid("/new_password", "length", _UNFIT) from None
        try:
            await self._accounts.set_password(account, hashed, given=False, by=account.actor)
            changed = await self._accounts.called(account.login)
        except LoginUnknown:
            raise Problem("forbidden", _NO_PASSWORD) from None
        self._sessions.forget(account)
        log.info("password_changed", account_id=str(account.account_id))
        return await self._begun(changed, "new password")

    async def _called(self, login: str) -> Account | None:
        try:
            return await self._accounts.called(login)
        except LoginUnknown:
            return None

    async def _begun(self, account: Account, by: str) -> Session:
        try:
            session = await self._sessions.begin(account)
        except AccountChanged:
            raise Problem("sign-in-refused") from None
        metrics.count_sign_in("signed_in")
        log.info("signed_in", account_id=str(account.account_id), by=by)
        return session
