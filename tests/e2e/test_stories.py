"""The stories as they are told, played now over HTTP, with what must hold and what is refused around them."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from services.demo.lines import Desk, Line, Person
from services.demo.places import Place, registering
from services.demo.stories import (
    GROUP_37,
    HEXING_2,
    XIUCHENG,
    ZHAOLIANG_8,
    Stage,
    s1,
    s1b,
    s2,
    s3,
    s6,
    s7,
)
from tests.e2e.players import Json, Players, elsewhere, players
from tests.product import serving

SEALED = {"sealed": True}
NOW = Desk(name="now", import_id=None)


@pytest.fixture(scope="module")
def cast() -> Iterator[Players]:
    """Players on a product of their own, workers and all."""
    with (
        tempfile.TemporaryDirectory(prefix="anjie-stories-") as directory,
        serving(Path(directory) / "data") as product,
        httpx.Client(base_url=product.url, timeout=30) as http,
    ):
        yield players(product, http)


def scene(cast: Players, unit: Place, tag: str) -> Place:
    """The place of a story in a town of its own, registered from the top down."""
    found = elsewhere(unit, tag)
    path = [found]
    while path[0].parent is not None:
        path.insert(0, path[0].parent)
    for line in registering(NOW, datetime.now(UTC), path):
        cast.play(line)
    return found


def stage(name: str, minutes_ago: float = 60) -> Stage:
    return Stage(NOW, name, datetime.now(UTC) - timedelta(minutes=minutes_ago), timedelta(minutes=1))


def seen(cast: Players, path: str, who: Person | None, told: Json, **parameters: object) -> Json:
    """A read that has seen what was told."""
    return cast.read(path, who, min_position=told["position"], **parameters)


def problem(answer: httpx.Response) -> tuple[int, str]:
    told = answer.json()
    return answer.status_code, told.get("rule") or told["type"].removeprefix("/problems/")


def topics(told: Json) -> list[str]:
    return [event["topic"] for event in told["events"]]


def kpi(cast: Players, town: Place, told: Json) -> Json:
    answer = seen(cast, "/v1/kpi", town.officer(), told, unit=town.unit_id)
    measures: Json = answer["measures"]
    return measures


# --- S1 ----------------------------------------------------------------------------------------


def test_s1_goes_over_the_villages_head_in_an_emergency_only(cast: Players) -> None:
    group = scene(cast, GROUP_37, "S1")
    leader, village, town = group.staff(), group.village, group.town
    telling = stage("S1")
    story, case = s1(telling, group), f"/v1/cases/{telling.case_id}"

    escalation = cast.until(story, "escalate-case")
    plain = cast.send(escalation, emergency=None, notify_levels=None)
    assert problem(plain) == (422, "not-the-next-level")
    assert problem(cast.send(escalation, notify_levels=None)) == (422, "notify-skipped")
    assert problem(cast.send(escalation, who=village.officer()))[0] == 403
    assert problem(cast.send(escalation, who=village.someone("supervisor")))[0] == 403
    assert cast.send(escalation, version=1).status_code == 412
    escalated = cast.play(escalation)
    assert topics(escalated) == ["case.escalated", "case.level_notified", "case.deadline_started"]
    assert (escalated["state"], escalated["pending_unit"]) == ("PENDING_ESCALATION", str(town.unit_id))
    assert escalated["holder_level"] == "GROUP"

    acceptance = next(story)
    assert cast.send(acceptance, who=village.officer()).status_code == 403
    accepted = cast.play(acceptance)
    assert (accepted["state"], accepted["holder_level"]) == ("IN_PROGRESS", "TOWNSHIP")
    assert problem(cast.send(escalation, who=town.officer()))[0] == 422, "nothing lies above the township"

    follow_up = cast.until(story, "record-follow-up")
    assert cast.send(follow_up, who=town.officer()).status_code == 403, "who settled it doesn't follow up"
    closing = _closing(follow_up)
    assert problem(cast.send(closing, who=town.officer())) == (422, "follow-up-needed")
    cast.play(follow_up)
    closed = cast.finish(story)[-1]

    read = seen(cast, case, town.officer(), closed)
    assert (read["state"], read["holder_level"], read["origin_unit"]) == (
        "CLOSED",
        "TOWNSHIP",
        str(group.unit_id),
    )
    assert "reopen-case" in read["allowed_commands"]
    assert "close-case" not in read["allowed_commands"]
    timeline = seen(cast, f"{case}/timeline", town.officer(), closed)["items"]
    told = [item["topic"] for item in timeline if "deadline" not in item["topic"]]
    assert not [topic for topic in told if "petition" in topic or "review" in topic]
    assert told == [
        "case.registered", "case.accepted", "case.risk_flagged", "case.warning_level_confirmed",
        "case.situation_stabilised", "case.escalated", "case.level_notified", "case.escalation_accepted",
        "case.consultation_held", "case.policy_revised", "case.dialogue_held", "case.resolved",
        "case.follow_up_recorded", "case.closed",
    ]  # fmt: skip
    containment = kpi(cast, town, closed)["containment_rate"]
    assert containment["TOWNSHIP"] == {"numerator": 1, "denominator": 1, "percent": "100.00"}
    assert (containment["GROUP"]["numerator"], containment["VILLAGE"]["denominator"]) == (0, 0)

    then = seen(cast, "/v1/backlog", town.officer(), closed, by="origin", unit=town.unit_id,
                at_position=accepted["position"])  # fmt: skip
    assert then["total"] == 1
    before = cast.read(case, town.officer(), at_position=accepted["position"])
    assert (before["state"], before["holder_level"], before["allowed_commands"]) == (
        "IN_PROGRESS",
        "TOWNSHIP",
        [],
    )
    now = seen(cast, "/v1/backlog", town.officer(), closed, by="origin", unit=town.unit_id)
    assert now["total"] == 0
    assert cast.get(case, leader).status_code == 200
    neighbour = Person(sub="elsewhere", role="village_officer", unit=GROUP_37.village.unit_id)
    assert cast.get(case, neighbour).status_code == 403


def _closing(line: Line) -> Line:
    """The closing of the case that a line is about."""
    path = line.request.path.rsplit("/", 1)[0] + "/close-case"
    body = {"occurred_at": line.at}
    return NOW.line(line.at, "close", path, body, actor=line.request.actor, moves=True)


def test_s1b_goes_level_by_level(cast: Players) -> None:
    group = scene(cast, GROUP_37, "S1b")
    town = group.town
    telling = stage("S1b")
    story = s1b(telling, group)
    first = cast.until(story, "escalate-case")
    assert problem(cast.send(first, who=group.village.officer()))[0] == 403, "not yet theirs"
    cast.play(first)
    assert cast.send(first).status_code == 409, "it is on its way already"
    closed = cast.finish(story)[-1]
    read = seen(cast, f"/v1/cases/{telling.case_id}", town.officer(), closed)
    assert (read["state"], read["holder_level"], read["origin_unit"]) == (
        "CLOSED",
        "TOWNSHIP",
        str(group.unit_id),
    )
    containment = kpi(cast, town, closed)["containment_rate"]
    assert {level: (ratio["numerator"], ratio["denominator"]) for level, ratio in containment.items()} == {
        "GROUP": (0, 1), "VILLAGE": (0, 1), "TOWNSHIP": (1, 1),
    }  # fmt: skip


# --- S2 ----------------------------------------------------------------------------------------


def test_s2_is_for_the_police_and_for_few_eyes(cast: Players) -> None:
    group = scene(cast, ZHAOLIANG_8, "S2")
    leader, village, town = group.staff(), group.village, group.town
    police, supervisor = village.someone("community_police"), village.someone("supervisor")
    telling = stage("S2")
    story, case = s2(telling, group), f"/v1/cases/{telling.case_id}"

    referral = cast.until(story, "refer-to-police")
    for who in (police, village.officer(), town.officer()):
        assert cast.get(case, who).status_code == 404, f"{who.role} doesn't know of it yet"
    cast.play(referral)
    assert cast.get(case, police).status_code == 200
    strangers = [str(telling.person(f"stranger-{number}")) for number in (1, 2)]
    offer = NOW.line(
        telling.at, "offer", f"{case}/offer-mediation", {"parties": strangers}, actor=leader, moves=True
    )
    assert cast.send(offer).status_code == 409
    for line in story:
        if line.request.path.endswith("/notify-level"):
            notified = cast.play(line)
            assert topics(notified) == ["case.level_notified"]
            break
    assert cast.get(case, town.officer()).status_code == 200
    assert cast.send(offer).status_code == 409
    answers = cast.finish(story)
    outcomes = [topic for told in answers for topic in topics(told) if "external_outcome" in topic]
    assert len(outcomes) == 5
    assert answers[-1]["state"] == "CLOSED", "no follow-up is needed"

    assert cast.get(case, village.officer()).status_code == 404
    assert cast.get(case, Person(sub="a", role="auditor", unit=town.unit_id)).status_code == 404
    cleared = cast.get(
        case, Person(sub="a", role="auditor", unit=town.unit_id), clearances=frozenset({"SAFETY_LEAD"})
    )
    assert cleared.json()["description"] == SEALED
    assert seen(cast, case, supervisor, answers[-1])["description"] == SEALED
    assert cast.read(case, leader)["description"] != SEALED
    measures = kpi(cast, town, answers[-1])
    assert (measures["registered"], measures["disposition_rate"]["percent"]) == (0, None)
    listed = seen(cast, "/v1/cases", village.officer(), answers[-1], origin=group.unit_id)["items"]
    assert [set(item) for item in listed] == [{"sealed", "position"}]


# --- S3 ----------------------------------------------------------------------------------------


def test_s3_is_a_service_and_no_dispute(cast: Players) -> None:
    group = scene(cast, HEXING_2, "S3")
    leader, village, town = group.staff(), group.village, group.town
    telling = stage("S3")
    story, case = s3(telling, group), f"/v1/cases/{telling.case_id}"
    escalation = cast.until(story, "escalate-case")
    beneficiary = str(telling.person("beneficiary"))
    offer = NOW.line(
        telling.at, "offer", f"{case}/offer-mediation", {"parties": [beneficiary, beneficiary]}, actor=leader,
        moves=True,
    )  # fmt: skip
    assert cast.send(offer).status_code in (409, 422)
    cast.play(escalation)
    follow_up = cast.until(story, "record-follow-up")
    assert cast.send(follow_up, who=village.officer()).status_code == 403
    closed = [cast.play(follow_up), *cast.finish(story)][-1]
    assert closed["state"] == "CLOSED"

    ledger = seen(cast, "/v1/services", village.officer(), closed, unit=village.unit_id)
    assert (ledger["total"], ledger["by_item"]) == (1, {"ATTESTATION": 1})
    measures = kpi(cast, town, closed)
    assert (measures["registered"], measures["backlog"]) == (0, 0)

    trivial = {"unit": str(group.unit_id), "item": "ATTESTATION", "detail": "代送材料。"}
    told = cast.play(NOW.line(telling.at, "trivial", "/v1/services", trivial, actor=leader))
    ledger = seen(cast, "/v1/services", village.officer(), told, unit=village.unit_id)
    assert (ledger["total"], ledger["by_item"]) == (2, {"ATTESTATION": 2})
    masked = seen(cast, case, village.someone("supervisor"), told)
    assert (masked["title"], masked["description"], masked["people"][0]["name"]) == (SEALED, SEALED, SEALED)
    assert "瘫痪" in cast.read(case, village.officer())["description"]


# --- S6 ----------------------------------------------------------------------------------------


def test_s6_settles_parking_to_a_degree(cast: Players) -> None:
    estate = scene(cast, XIUCHENG, "S6")
    telling = stage("S6")
    story, case = s6(telling, estate), f"/v1/cases/{telling.case_id}"
    resolution = cast.until(story, "resolve-case")
    timeline = cast.read(f"{case}/timeline", estate.officer())["items"]
    meeting = next(item for item in timeline if item["topic"] == "case.joint_meeting_held")
    assert len({participant["kind"] for participant in meeting["data"]["participants"]}) == 7
    assert cast.send(resolution, degree=None).status_code == 422
    resolved = cast.play(resolution)
    assert list(story) == []
    read = seen(cast, case, estate.officer(), resolved)
    assert (read["state"], read["degree"]) == ("RESOLVED", "PARTIAL")
    measures = kpi(cast, estate.town, resolved)
    assert (measures["registered"], measures["backlog"]) == (1, 0)
    assert measures["disposition_rate"]["numerator"] == 0, (
        "a part is not the whole, unless the policy says so"
    )


# --- S7 ----------------------------------------------------------------------------------------


def test_s7_supervisors_replay_masked_ask_and_are_answered(cast: Players) -> None:
    for tag, place, tell in (("S7a", GROUP_37, s1), ("S7b", HEXING_2, s3)):
        group = scene(cast, place, tag)
        village, town = group.village, group.town
        supervisor = village.someone("supervisor")
        telling = stage(tag)
        case = f"/v1/cases/{telling.case_id}"
        told = cast.finish(tell(telling, group))
        before = kpi(cast, town, told[-1])
        for answer in told[1:]:
            replayed = cast.read(case, supervisor, at_position=answer["position"])
            assert (replayed["state"], replayed["holder_level"]) == (answer["state"], answer["holder_level"])
            assert (replayed["title"], replayed["description"], replayed["allowed_commands"]) == (
                SEALED,
                SEALED,
                [],
            )

        story = s7(telling, village)
        question = next(story)
        assert cast.send(question, who=village.officer()).status_code == 403, "who executes doesn't supervise"
        asked = cast.play(question)
        assert (asked["state"], topics(asked)) == ("CLOSED", ["case.query_raised", "case.deadline_started"])
        close = NOW.line(telling.at, "close", f"{case}/reopen-case", {"ground": "NEW_FACT", "reason": "再办"},
                         actor=supervisor, moves=True)  # fmt: skip
        assert cast.send(close).status_code == 403, "and who supervises doesn't execute"
        reply = next(story)
        assert cast.send(reply, who=supervisor).status_code == 403
        answered = cast.play(reply)
        assert cast.send(reply).status_code == 422, "it is answered"
        read = seen(cast, case, supervisor, answered)
        assert [query["state"] for query in read["queries"]] == ["ANSWERED"]
        asked_at = datetime.fromisoformat(read["queries"][0]["asked_at"])
        timeline = cast.read(f"{case}/timeline", supervisor)["items"]
        assert datetime.fromisoformat(timeline[-1]["occurred_at"]) - asked_at <= timedelta(days=15)
        assert kpi(cast, town, answered) == before
        register = cast.read("/v1/audit/reads", supervisor, case_id=telling.case_id)["items"]
        assert {item["actor_ref"] for item in register} == {supervisor.sub}
