"""`/sign-in` and `/sign-out`: with a password, or as somebody of the demo with one click."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, cast

from services.demo.people import Known
from services.pages.local_paths import next_path
from services.pages.room import SIGN_IN, page, see_other, to_choosing
from shared.events.vocabulary import Role
from shared.policy.actor import Actor
from shared.policy.labels import ROLES
from shared.runtime.attempts import client_address
from shared.runtime.cookies import at_this_machine, session_header
from shared.runtime.problems import Problem
from shared.runtime.reception import Reception
from shared.runtime.sessions import Session, Sessions, session_token
from shared.runtime.web import Answer, Operation, Request, check_csrf
from shared.web.look import look_of
from shared.web.pages import Pages

_SENT_BY_OURSELVES: Final = (None, "same-origin", "none")
"""What Sec-Fetch-Site may say of a form by which somebody signs in; old browsers say nothing."""


class SignInPages:
    def __init__(
        self, pages: Pages, sessions: Sessions, reception: Reception, people: Mapping[str, Known]
    ) -> None:
        """`people` may be stepped into by whoever sits at this machine, each by their role."""
        self._pages = pages
        self._sessions = sessions
        self._reception = reception
        self._people = people

    def operations(self) -> Sequence[Operation]:
        return (
            page(SIGN_IN, "sign-in-form", self._show),
            page(SIGN_IN, "sign-in", self._enter, method="POST"),
            page("/sign-out", "sign-out", self._leave, method="POST"),
        )

    async def _show(self, request: Request) -> Answer:
        return self._form(request)

    async def _enter(self, request: Request) -> Answer:
        """Another site may not sign anybody in here, as somebody whom it knows."""
        if request.header(b"sec-fetch-site") not in _SENT_BY_OURSELVES:
            raise Problem("csrf")
        fields = request.form()
        if "person" in fields:
            return await self._entered(request, await self._step_in(request, fields["person"]))
        login, password = fields.get("login", "").strip(), fields.get("password", "")
        missing = [name for name, given in (("login", login), ("password", password)) if not given]
        if missing:
            return self._form(request, status=422, login=login, missing=missing)
        address = client_address(request.address, request.header(b"x-forwarded-for"))
        try:
            session = await self._reception.sign_in(login, password, address)
        except Problem as problem:
            told = problem.detail.in_language(look_of(request).language)
            answer = self._form(request, status=problem.status, login=login, refused=told)
            more = tuple((name.lower().encode(), value.encode()) for name, value in problem.headers.items())
            return answer._replace(headers=(*answer.headers, *more))
        return await self._entered(request, session)

    async def _leave(self, request: Request) -> Answer:
        session = await self._session(request)
        if session is not None:
            check_csrf(request, session)
            await self._reception.sign_out(session)
        return see_other("/", session_header(request, None))

    async def _step_in(self, request: Request, role: str) -> Session:
        known = self._offered(request).get(role)
        if known is None:
            raise Problem("not-found")
        person = known.person
        actor = Actor(ref=person.sub, role=cast(Role, person.role), unit=person.unit)
        return await self._reception.step_in(person.sub, actor)

    async def _entered(self, request: Request, session: Session) -> Answer:
        """Goes on to where they wanted to go; whoever was signed in before isn't any more."""
        before = await self._session(request)
        if before is not None:
            await self._reception.sign_out(before)
        cookie, following = session_header(request, session), next_path(request)
        if session.account.has_given_password:
            return to_choosing(following, cookie)
        return see_other(following, cookie)

    async def _session(self, request: Request) -> Session | None:
        token = session_token(request.headers)
        return None if token is None else await self._sessions.find(token)

    def _offered(self, request: Request) -> Mapping[str, Known]:
        return self._people if at_this_machine(request) else {}

    def _form(
        self,
        request: Request,
        *,
        status: int = 200,
        login: str = "",
        missing: Collection[str] = (),
        refused: str | None = None,
    ) -> Answer:
        language = look_of(request).language
        people = [
            (role, getattr(ROLES[role], language), known) for role, known in self._offered(request).items()
        ]
        told = {"login": login, "missing": missing, "refused": refused, "people": people}
        return self._pages.render(request, "sign_in/sign_in.html", status=status, **told)
