"""The demo sets as sequences of lines: the same every time, every line allowed, the figures as reported."""

import hashlib
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from services.demo import SETS, STORY_CASES, people
from services.demo.haimen_places import TOWNS
from services.demo.huinan import FULL, Campaign, huinan
from services.demo.huinan_places import NEIGHBOURHOODS, TOWN, UNITS, VILLAGES
from services.demo.lines import SHANGHAI, Line
from services.demo.loader import batches
from services.demo.stories import GROUP_37, HEXING_2, XIUCHENG, ZHAOLIANG_8
from shared.events.case import Case
from shared.policy.transitions import TRANSITIONS
from tests.unit.rehearsal import Rehearsal

_encode = msgspec.json.Encoder().encode
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_MADE = ("unit_id", "import_id", "roster_id", "visit_id", "service_id", "case_id", "query_id", "demand_id")


@pytest.fixture(scope="module")
def campaign() -> Rehearsal:
    rehearsal = Rehearsal()
    rehearsal.play(SETS["huinan"].lines())
    return rehearsal


@pytest.fixture(scope="module")
def year() -> Rehearsal:
    rehearsal = Rehearsal()
    rehearsal.play(SETS["haimen"].lines())
    return rehearsal


def digest(lines: Iterator[Line]) -> str:
    found = hashlib.sha256()
    for line in lines:
        found.update(_encode(line.request))
        found.update(b"!" if line.waits else b".")
    return found.hexdigest()


@pytest.mark.parametrize("name", SETS)
def test_a_set_is_the_same_in_every_process(name: str) -> None:
    program = (
        "import sys; from tests.unit.test_demo_sets import SETS, digest; "
        "print(digest(SETS[sys.argv[1]].lines()))"
    )
    elsewhere = subprocess.run(
        [sys.executable, "-c", program, name],
        env=os.environ | {"PYTHONHASHSEED": "1", "TZ": "America/New_York", "LC_ALL": "C"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert elsewhere.stdout.strip() == digest(SETS[name].lines())


def test_keys_and_ids_are_unique_over_all_sets_and_every_id_is_a_uuid7() -> None:
    keys: Counter[str] = Counter()
    made: Counter[UUID] = Counter()
    for demo in SETS.values():
        count = 0
        for line in demo.lines():
            count += 1
            keys[line.key] += 1
            made.update(_made(line))
        assert count == demo.total
    assert keys.most_common(1)[0][1] == 1
    assert made.most_common(1)[0][1] == 1
    assert all(_ID.fullmatch(str(found)) for found in made)


def _made(line: Line) -> list[UUID]:
    """The ids that a line brings into the world."""
    body = line.request.body
    if "/answer-" in line.request.path:
        return []
    opened = body.get("opens_case", {})
    people = [*body.get("people", ()), *opened.get("people", ())]
    if "beneficiary" in body and isinstance(body["beneficiary"], dict):
        people.append(body["beneficiary"])
    found = [value for one in (body, opened) for name, value in one.items() if name in _MADE]
    return [*found, *(person["person_ref"] for person in people)]


@pytest.mark.parametrize("name", SETS)
def test_a_batch_never_needs_what_another_stream_of_it_writes(name: str) -> None:
    """Lines to different streams of one batch are independent, so the order among them means nothing."""
    for batch in batches(SETS[name].lines()):
        made: dict[str, str] = {}
        streams = [_stream(line) for line in batch]
        for line, stream in zip(batch, streams, strict=True):
            made |= {str(found): stream for found in _made(line)}
        written = set(streams)
        for line, stream in zip(batch, streams, strict=True):
            # A `source` is a text that nobody looks up.
            body = {name: value for name, value in line.request.body.items() if name != "source"}
            for found in _ID.findall(line.request.path + _encode(body).decode()):
                assert made.get(found, stream) == stream
                assert found == stream or found not in written
            import_id = line.request.headers.get("Anjie-Import")
            assert import_id not in written or import_id == stream


def _stream(line: Line) -> str:
    body, path = line.request.body, line.request.path.split("/")
    if len(path) > 3:
        return path[3]
    if "opens_case" in body:
        return str(body["opens_case"]["case_id"])
    return str(next(body[name] for name in _MADE if name in body))


@pytest.mark.parametrize("name", SETS)
def test_lines_of_a_stream_come_in_the_order_of_their_writing_and_none_from_the_future(name: str) -> None:
    latest: dict[str, datetime] = {}
    for line in SETS[name].lines():
        stream = _stream(line)
        assert latest.get(stream, line.at) <= line.at
        latest[stream] = line.at
        assert line.request.body.get("occurred_at", line.at) <= line.at < datetime(2025, 11, 1, tzinfo=UTC)


# --- the campaign ------------------------------------------------------------------------------


def test_the_campaign_is_as_large_as_reported(campaign: Rehearsal) -> None:
    assert (len(VILLAGES), len(NEIGHBOURHOODS)) == (29, 23)
    assert len({unit.name for unit in UNITS}) == 52
    assert "西门居委" in {unit.name for unit in UNITS}
    assert len(campaign.visits) == 74_670
    assert len({visit.household_ref for visit in campaign.visits}) == 74_670
    assert sum(len(roster.households) for roster in campaign.rosters.values()) == 87_188
    assert len(campaign.cases) == 736
    assert campaign.open_imports == {}


def test_the_year_2014_has_the_reported_figures(campaign: Rehearsal) -> None:
    _check_figures(campaign, FULL)
    days = {case.opened_at.astimezone(SHANGHAI).date() for case in campaign.cases.values()}
    assert date(2014, 1, 1) <= min(days) <= max(days) <= date(2014, 12, 31)


def test_a_smaller_campaign_has_its_own_figures_exactly() -> None:
    small = Campaign(households=400, visits=340, cases=60, resolved=48, urgent=27)
    rehearsal = Rehearsal()
    rehearsal.play(huinan(small))
    assert len(rehearsal.visits) == 340
    assert sum(len(roster.households) for roster in rehearsal.rosters.values()) == 400
    _check_figures(rehearsal, small)


def _check_figures(rehearsal: Rehearsal, campaign: Campaign) -> None:
    cases = rehearsal.cases.values()
    resolved = [case for case in cases if case.is_resolved]
    assert len(cases) == campaign.cases
    assert len(resolved) == campaign.resolved
    assert all(case.degree == "FULL" for case in resolved)
    assert {case.procedure for case in cases} <= {"SELF_GOVERNANCE", None}
    assert sum(case.is_open for case in cases) == campaign.cases - campaign.resolved
    assert Counter((case.urgent, case.urgency_status) for case in resolved) == {
        (True, "CONFIRMED"): campaign.urgent,
        (False, "CONFIRMED"): campaign.resolved - campaign.urgent,
    }
    assert {case.urgent for case in cases if case.is_open} <= {None}
    assert not any(case.merged_into or case.reopenings for case in cases)


def test_any_day_of_the_campaign_has_figures_of_its_own(campaign: Rehearsal) -> None:
    """Visits, problems and settlements come in over the months, and the pilots begin."""
    quarters = [datetime(2014, month, 1, tzinfo=SHANGHAI) for month in (2, 4, 7, 10)]
    cases = campaign.cases.values()
    registered = [sum(case.opened_at < at for case in cases) for at in quarters]
    resolved = [sum(bool(case.resolutions) and case.resolutions[0].occurred_at < at for case in cases)
                for at in quarters]  # fmt: skip
    visits = [sum(visit.occurred_at is not None and visit.occurred_at < at for visit in campaign.visits)
              for at in quarters]  # fmt: skip
    for counts in (registered, resolved, visits):
        assert sorted(set(counts)) == counts
    began = {visit.unit for visit in campaign.visits if visit.occurred_at and visit.occurred_at < quarters[0]}
    assert len(began) == 10


def test_coverage_is_not_simply_visits_by_households(campaign: Rehearsal) -> None:
    rostered = {ref for roster in campaign.rosters.values() for ref in roster.households}
    visited = {visit.household_ref for visit in campaign.visits}
    assert 0.75 < len(rostered & visited) / len(rostered) < 0.85
    for roster in campaign.rosters.values():
        assert set(roster.households) - visited


def test_categories_fit_the_kind_of_unit(campaign: Rehearsal) -> None:
    by_kind: dict[str, set[str]] = {}
    for case in campaign.cases.values():
        unit = campaign.tree.get(case.origin_unit)
        assert unit is not None
        by_kind.setdefault(unit.kind, set()).add(case.category)
    assert len(by_kind["VILLAGE"]) == 15
    assert "PARKING" in by_kind["NEIGHBOURHOOD"]
    assert "FARM_TRACKS" not in by_kind["NEIGHBOURHOOD"]


# --- the year of three towns -------------------------------------------------------------------


def test_the_year_has_about_three_thousand_cases_of_every_sort(year: Rehearsal) -> None:
    assert 3_000 <= len(year.cases) <= 3_200
    categories = Counter(case.category for case in year.cases.values())
    land = categories["HILLS_AND_LAND"] + categories["HOMESTEAD"] + categories["LAND_ACQUISITION"]
    others = max(
        count for name, count in categories.items()
        if name not in ("NEIGHBOUR", "FAMILY", "HILLS_AND_LAND", "HOMESTEAD", "LAND_ACQUISITION")
    )  # fmt: skip
    assert min(categories["NEIGHBOUR"], categories["FAMILY"], land) > 2 * others
    assert {case.procedure for case in year.cases.values()} >= {
        "SELF_GOVERNANCE", "MEDIATION", "PETITION", "HOTLINE", "GRID", "SERVICE", "SAFETY_LEAD", "ACCUSATION",
    }  # fmt: skip
    assert len(year.services) == 2_100
    assert year.open_imports == {}


def test_the_year_sees_everything_that_happens_to_cases(year: Rehearsal) -> None:
    possible = {topic for row in TRANSITIONS.values() for topic in row.topics}
    rare = {"case.person_added", "case.record_corrected", "case.judicial_confirmation_denied"}
    assert possible - rare <= set(year.topics)
    for topic in ("case.escalated", "case.mediation_refused", "case.agreement_breached", "case.reopened"):
        assert year.topics[topic] > 100
    for topic in ("case.escalation_returned", "case.merged", "case.withdrawn", "case.transferred"):
        assert year.topics[topic] > 40
    for topic in ("case.taken_over", "case.conflict_declared", "case.jurisdiction_objected"):
        assert year.topics[topic] > 10
    assert year.topics["case.archived"] > 200
    extended = [clock for case in year.cases.values() for clock in case.deadlines if clock.extensions]
    assert min(Counter(clock.timer for clock in extended)[timer] for timer in ("T4", "T9", "T13")) > 10
    assert year.late > 200


def test_the_year_ends_with_live_backlogs_at_all_three_levels(year: Rehearsal) -> None:
    still = [case for case in year.cases.values() if case.is_open]
    assert 150 <= len(still) <= 300
    levels = Counter(case.holder_level for case in still)
    assert min(levels["GROUP"], levels["VILLAGE"], levels["TOWNSHIP"]) >= 20
    assert max(still, key=lambda case: case.opened_at).opened_at - min(
        still, key=lambda case: case.opened_at
    ).opened_at > timedelta(days=30)
    for town in TOWNS:
        assert any(year.tree.within(case.holder_unit, town.place.unit_id) for case in still)


def test_the_units_that_the_stories_name_are_there(year: Rehearsal) -> None:
    for place, path in (
        (GROUP_37, ["新河村37组", "新河村", "余东镇"]),
        (ZHAOLIANG_8, ["召良村8组", "召良村", "三星镇"]),
        (HEXING_2, ["合兴村2组", "合兴村", "四甲镇"]),
        (XIUCHENG, ["绣城居委", "三星镇"]),
    ):
        units = [year.tree.get(unit_id) for unit_id in year.tree.path(place.unit_id)]
        assert [unit and unit.name for unit in units] == path


def test_the_stories_end_as_they_are_told(year: Rehearsal) -> None:
    def of(name: str) -> Case:
        return year.cases[STORY_CASES[name]]

    for name, levels in (("S1", ("GROUP", "TOWNSHIP")), ("S1b", ("GROUP", "VILLAGE", "TOWNSHIP"))):
        assert (of(name).state, of(name).held_levels, of(name).resolved_level) == (
            "CLOSED",
            levels,
            "TOWNSHIP",
        )
        assert of(name).origin_unit == GROUP_37.unit_id
    assert of("S1").notified_levels == ("VILLAGE",)
    assert of("S1").queries[0].state == of("S3").queries[0].state == "ANSWERED"
    assert (of("S2").state, of("S2").outcome, of("S2").procedure) == ("CLOSED", "EXTERNAL", "SAFETY_LEAD")
    assert (of("S3").state, of("S3").outcome, of("S3").procedure) == ("CLOSED", "SERVICE_DONE", "SERVICE")
    assert (of("S6").state, of("S6").degree) == ("RESOLVED", "PARTIAL")


def test_whom_to_sign_in_as_work_where_they_say(year: Rehearsal) -> None:
    levels = {"mediator": "GROUP", "village_officer": "VILLAGE", "township_officer": "TOWNSHIP",
              "supervisor": "VILLAGE", "dashboard": "TOWNSHIP"}  # fmt: skip
    assert people().keys() == levels.keys()
    for role, known in people().items():
        unit = year.tree.get(known.person.unit)
        assert unit is not None
        assert (known.person.role, unit.name, unit.level) == (role, known.unit_name, levels[role])
    assert TOWN.name not in {known.unit_name for known in people().values()}
