"""Many at once: one of equal commands is stored, and adding commands never lose to each other."""

import contextlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.e2e.conftest import Anjie, Json, Person, Town

MANY = 24
Sending = tuple[str, Json, dict[str, str]]
"""Path, body and headers."""


def at_once(person: Person, requests: Sequence[Sending]) -> list[httpx.Response]:
    def send(request: Sending) -> httpx.Response:
        path, body, headers = request
        given = {"Authorization": f"Bearer {person.token}"} | headers
        return person.http.post(path, json=body, headers=given)

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(send, requests))


def test_of_equal_commands_sent_at_once_one_is_stored_and_all_get_its_answer(town: Town) -> None:
    body = town.opening()
    answers = at_once(town.leader, [("/v1/cases", body, {"Idempotency-Key": "same"})] * MANY)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    path = f"/v1/cases/{answers[0].json()['case_id']}"
    accept: Sending = (f"{path}/accept-case", {}, {"Idempotency-Key": "accept", "If-Match": '"1"'})
    accepted = at_once(town.leader, [accept] * MANY)
    assert {(answer.status_code, answer.text) for answer in accepted} == {(200, accepted[0].text)}


def test_of_different_commands_that_move_a_case_one_wins(town: Town) -> None:
    path = f"/v1/cases/{town.open_case()['case_id']}/accept-case"
    requests: list[Sending] = [
        (path, {}, {"Idempotency-Key": f"{n}", "If-Match": '"1"'}) for n in range(MANY)
    ]
    statuses = sorted(answer.status_code for answer in at_once(town.leader, requests))
    assert statuses == [200] + [412] * (MANY - 1)


def test_adding_commands_are_decided_anew_until_all_are_in(town: Town) -> None:
    path = f"/v1/cases/{town.open_case()['case_id']}/flag-risk"
    body = {"risk": "OTHER", "detail": "x"}
    requests = [(path, body, {"Idempotency-Key": f"{n}"}) for n in range(MANY)]
    answers = at_once(town.leader, requests)
    assert {answer.status_code for answer in answers} == {200}, [
        a.text for a in answers if a.status_code > 200
    ]
    assert sorted(answer.json()["version"] for answer in answers) == list(range(3, MANY + 3))


def test_of_units_of_one_name_registered_at_once_one_is(town: Town) -> None:
    body = {"kind": "GROUP", "name": "39组", "parent_id": town.village}
    requests: list[Sending] = [("/v1/units", body, {"Idempotency-Key": f"{n}"}) for n in range(MANY)]
    statuses = sorted(answer.status_code for answer in at_once(town.operator, requests))
    assert statuses == [201] + [422] * (MANY - 1)


def test_a_client_that_hangs_up_neither_loses_nor_doubles(anjie: Anjie, town: Town) -> None:
    """Whatever became of the first sending, the second under its key settles it."""
    body = town.opening()
    headers = {"Authorization": f"Bearer {town.leader.token}"}
    for n in range(30):
        patience = httpx.Timeout(5, read=0.0005 * (n % 10 + 1))
        impatient = httpx.Client(base_url=anjie.base_url, timeout=patience)
        with impatient, contextlib.suppress(httpx.ReadTimeout):
            impatient.post("/v1/cases", json=body, headers=headers | {"Idempotency-Key": f"hang up {n}"})
    settled = [town.leader.post("/v1/cases", body, key=f"hang up {n}") for n in range(30)]
    assert {answer.status_code for answer in settled} == {201}
    positions = [answer.json()["position"] for answer in settled]
    assert len(set(positions)) == 30
    last = town.leader.done("/v1/cases", body)["position"]
    assert last == max(positions) + 2
    assert last - 6 == 31 * 2, "rules, units, cases and their clocks fill the ledger without a double"
