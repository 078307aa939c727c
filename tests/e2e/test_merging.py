"""What a merge will make is what it makes, and the cases that are offered for one are those that it takes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from shared.runtime.postgres import EmbeddedPostgres
from tests.e2e.conftest import Anjie, Json, Person, Town
from tests.e2e.reading import command, read, serving_a_module, settled

CASES = 8


@pytest.fixture(scope="module")
def running(
    postgres: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Anjie]:
    directory = tmp_path_factory.mktemp("merging")
    with serving_a_module(postgres, migrated_template, "merging", directory) as anjie:
        yield anjie


@pytest.fixture
def place(running: Anjie) -> Town:
    return settled(running)


def some_case(place: Town, chance: Random) -> Json:
    """Of any age within what its rules let be recorded late: one that was due long ago, one that is new."""
    opened_at = datetime.now(UTC) - timedelta(hours=chance.choice([0, 1, 5, 30, 90, 300]))
    case = place.open_case(occurred_at=opened_at.isoformat())
    if chance.random() < 0.5:
        case = command(place.leader, case, "accept-case", {"procedure": chance.choice(["PETITION", "GRID"])})
    if chance.random() < 0.6:
        who = chance.choice([place.leader, place.village_officer])
        body = {"urgent": chance.random() < 0.6, "reason": "认定", "facets": [chance.choice(["JI", "NAN"])]}
        case = command(who, case, "classify-urgency", body)
    return case


def as_it_stands(case: Json) -> Json:
    """All of a case but what says as of when; a merge is an event of it."""
    return {
        name: value
        for name, value in case.items()
        if name not in ("as_of_position", "as_of_instant", "allowed_commands", "version")
    }


@pytest.mark.parametrize("seed", range(3))
def test_the_preview_of_a_merge_is_what_comes_of_it(place: Town, seed: int) -> None:
    chance = Random(seed)
    cases = [some_case(place, chance) for _ in range(CASES)]
    # The officer is told of a breach by the merge itself, and sees in the clear from then on.
    reader = place.leader
    while len(cases) > 1:
        # What absorbed another is merged on, with all that it had absorbed.
        duplicate, primary = (cases.pop(chance.randrange(len(cases))) for _ in range(2))
        path = f"/v1/cases/{duplicate['case_id']}"
        preview = read(reader, f"{path}/merged", into=primary["case_id"])
        duplicate = read(reader, path)
        command(place.village_officer, duplicate, "merge-case", {"into_case_id": primary["case_id"]})
        outcome = read(reader, f"/v1/cases/{primary['case_id']}")
        assert as_it_stands(preview) == as_it_stands(outcome)
        assert preview["allowed_commands"] == []
        cases.append(outcome)


def taking(person: Person, duplicate: Json, after: Json) -> list[str]:
    """The cases that the duplicate may be merged into, page by page."""
    query = {"may_absorb": duplicate["case_id"], "min_position": after["position"]}
    page = read(person, "/v1/cases", limit=2, **query)
    found = list(page["items"])
    while page["next"] is not None:
        page = read(person, "/v1/cases", limit=2, cursor=page["next"])
        found += page["items"]
    return [item["case_id"] for item in found]


def test_all_that_a_merge_takes_is_offered_and_nothing_else(place: Town) -> None:
    officer = place.village_officer
    duplicate, plain, urgent = (place.open_case() for _ in range(3))
    accepted = command(place.leader, place.open_case(), "accept-case", {"procedure": "GRID"})
    up = command(place.leader, accepted, "escalate-case", {"to_level": "VILLAGE", "reason": "组里协调不了"})
    lead = place.open_case(procedure="SAFETY_LEAD")
    gone = command(officer, place.open_case(), "reject-case", {"reason": "重复", "alternative_route": "无"})
    foreign = place.other_leader.done("/v1/cases", place.opening(origin_unit=place.other_group))
    barred = place.open_case()
    last = officer.done(f"/v1/cases/{barred['case_id']}/declare-conflict", {"reason": "亲属"})
    expected = [up, urgent, plain]
    others = [lead, gone, foreign, barred, duplicate]
    assert taking(officer, duplicate, last) == [case["case_id"] for case in expected]
    assert officer.get("/v1/cases", may_absorb=lead["case_id"]).status_code == 404
    path = f"/v1/cases/{duplicate['case_id']}"
    for case in expected:
        assert officer.get(f"{path}/merged", into=case["case_id"]).status_code == 200
    version = read(officer, path)["version"]
    for case in others:
        refused = officer.post(f"{path}/merge-case", {"into_case_id": case["case_id"]}, version=version)
        assert refused.status_code == 422, case
    wider = taking(place.township_officer, duplicate, last)
    assert wider == [case["case_id"] for case in (barred, foreign, *expected)]
    [refused] = officer.get(f"{path}/merged", into=gone["case_id"]).json()["errors"]
    assert (refused["pointer"], refused["code"]) == ("into", "primary-not-open")
    assert place.other_leader.get("/v1/cases", may_absorb=duplicate["case_id"]).status_code == 403
