"""A village for the tests of the pages, with people who have accounts there."""

from itertools import count
from typing import Any, Final, cast
from uuid import UUID, uuid4

import httpx
from playwright.sync_api import Page

from shared.events.vocabulary import Role
from shared.runtime.identity import issue_token
from shared.runtime.secrets import read_secrets
from shared.runtime.settings import Settings
from tests.browser.phones import PASSWORD, Server
from tests.product import Product, anjie

Json = dict[str, Any]

_towns: Final = count(1)


class Village:
    """A village with a group of its own, and the people who work there."""

    def __init__(self, product: Product | Server) -> None:
        self._product = product
        self._accounts: set[str] = set()
        self._http = httpx.Client(base_url=product.url, timeout=30)
        name = f"召良镇{next(_towns)}"
        self.township = self._unit("TOWNSHIP", name)
        self.village = self._unit("VILLAGE", "新河村", self.township)
        self.group = self._unit("GROUP", "37组", self.village)

    def headers(self, ref: str, role: str, unit: str | None) -> dict[str, str]:
        secret = read_secrets(Settings(data_dir=self._product.data_dir)).jwt_secret
        assert secret is not None
        token = issue_token(secret, sub=ref, role=cast(Role, role), unit=None if unit is None else UUID(unit))
        return {"authorization": f"Bearer {token}"}

    @property
    def leader(self) -> dict[str, str]:
        return self.headers(self._login("group_leader"), "group_leader", self.group)

    @property
    def officer(self) -> dict[str, str]:
        return self.headers(self._login("village_officer"), "village_officer", self.village)

    @property
    def reader(self) -> dict[str, str]:
        """Who is asked how things stand."""
        return self.leader

    def signed_in(self, page: Page, role: Role = "group_leader") -> Page:
        """The page, in the hands of the leader, or of another with an account of their own."""
        fields: dict[str, str | float | bool] = {"login": self.account(role), "password": PASSWORD}
        assert page.context.request.post("/sign-in", form=fields).ok
        return page

    def account(self, role: Role) -> str:
        """What they sign in with."""
        login = self._login(role)
        if login not in self._accounts:
            options = ("--role", role, "--unit", self._unit_of(role), "--password-stdin", "--chosen-by-owner")
            directory = self._product.data_dir
            added = anjie("account", "add", login, *options, data_dir=directory, stdin=f"{PASSWORD}\n")
            assert added.returncode == 0, added.stderr
            self._accounts.add(login)
        return login

    def _unit_of(self, role: Role) -> str:
        return {"group_leader": self.group, "village_officer": self.village}.get(role, self.township)

    def _login(self, role: Role) -> str:
        return f"{role}-{self._unit_of(role)}"

    def done(
        self, who: dict[str, str], path: str, body: Json | None = None, version: int | None = None
    ) -> Json:
        headers = who | {"idempotency-key": str(uuid4())}
        if version is not None:
            headers["if-match"] = f'"{version}"'
        answer = self._http.post(path, json=body or {}, headers=headers)
        assert answer.is_success, answer.text
        told: Json = answer.json()
        return told

    def open_case(self, title: str = "两家为排水沟争执") -> Json:
        body = {
            "channel": "VISIT",
            "category": "NEIGHBOUR",
            "origin_unit": self.group,
            "title": title,
            "description": "雨水流进了邻居的院子",
            "people": [{"role": "COMPLAINANT", "name": "张三"}, {"role": "RESPONDENT", "name": "李四"}],
        }
        case = self.done(self.leader, "/v1/cases", body)
        self.wait(case["position"])
        return case

    def read(self, path: str, **query: Any) -> Json:
        answer = self._http.get(path, params=query, headers=self.reader)
        while answer.status_code == 503:  # read models that are only just being made
            answer = self._http.get(path, params=query, headers=self.reader)
        assert answer.is_success, answer.text
        told: Json = answer.json()
        return told

    def wait(self, position: int) -> None:
        """Until the lists know of it."""
        self.read("/v1/me/cases", min_position=position)

    def close(self) -> None:
        self._http.close()

    def _unit(self, kind: str, name: str, parent: str | None = None) -> str:
        body = {"kind": kind, "name": name} | ({"parent_id": parent} if parent else {})
        unit = self.done(self.headers("operator", "operator", None), "/v1/units", body)
        return str(unit["unit_id"])
