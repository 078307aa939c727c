"""What the statistics make of mediations and of what complainants say afterwards."""

from collections import Counter
from datetime import date

from services.projections.figures.facts import FACTS, case_facts
from services.projections.figures.measures import MEASURES
from services.projections.figures.queries import Period
from tests.unit.casework import LEADER, RESIDENT, VILLAGE_OFFICER
from tests.unit.clockwork import AGREED, RESOLVED, Affair

MEASURE, ON_DAY = (list(FACTS.columns).index(column) for column in ("measure", "on_day"))


def counted(affair: Affair) -> Counter[str]:
    return Counter(row.values[MEASURE] for row in case_facts(affair.case))


def days(affair: Affair, measure: str) -> list[date]:
    return [row.values[ON_DAY] for row in case_facts(affair.case) if row.values[MEASURE] == measure]


def resolved(opened: str) -> Affair:
    affair = Affair(opened)
    affair.handled(opened, LEADER)
    affair.then("resolve-case", LEADER, **RESOLVED)
    return affair


def test_a_mediation_that_fails_counts_beside_the_one_that_settles_it() -> None:
    affair = Affair("2025-09-01")
    affair.handled("2025-09-01", LEADER)
    affair.mediated("2025-09-02")
    affair.on("2025-09-10", "terminate-mediation", LEADER, ground="FAILED", remedies_notified=True)
    affair.mediated("2025-09-12")
    affair.on("2025-09-20", "record-agreement", LEADER, **AGREED)
    assert days(affair, "terminated") == [date(2025, 9, 10)]
    assert days(affair, "agreed") == [date(2025, 9, 20)]


def test_an_offer_that_is_refused_is_no_mediation() -> None:
    affair = Affair("2025-09-01")
    affair.handled("2025-09-01", LEADER)
    affair.then("offer-mediation", LEADER, parties=[affair.first, affair.second])
    affair.then("refuse-mediation", RESIDENT, person_ref=affair.first)
    assert not counted(affair).keys() & {"agreed", "terminated"}


def test_an_attempt_in_vain_is_asked_but_not_answered() -> None:
    affair = resolved("2025-09-01")
    affair.on("2025-09-05", "record-follow-up", VILLAGE_OFFICER, reached=False)
    told = counted(affair)
    assert told["unanswered"] == 1
    assert not told.keys() & {"told_solved", "told_unsolved", "satisfied", "unsatisfied"}


def test_each_answer_counts_for_resolution_and_the_latest_for_satisfaction() -> None:
    affair = resolved("2025-09-01")
    answer = {"reached": True, "solved": True}
    affair.on("2025-09-05", "record-follow-up", VILLAGE_OFFICER, **answer, satisfied=False)
    affair.on("2025-09-06", "record-follow-up", VILLAGE_OFFICER, **answer, satisfied=True)
    assert counted(affair)["told_solved"] == 2
    assert (days(affair, "satisfied"), days(affair, "unsatisfied")) == ([date(2025, 9, 6)], [])


def test_a_reopened_case_is_asked_anew_and_what_was_said_stays() -> None:
    affair = resolved("2025-09-01")
    unsatisfied = {"reached": True, "solved": False, "satisfied": False}
    affair.on("2025-09-05", "record-follow-up", VILLAGE_OFFICER, **unsatisfied)
    affair.then("reopen-case", VILLAGE_OFFICER, ground="UNSATISFIED", reason="没有解决")
    affair.on("2025-09-08", "resolve-case", LEADER, **RESOLVED)
    affair.on("2025-09-12", "record-follow-up", VILLAGE_OFFICER, reached=True, solved=True, satisfied=True)
    assert days(affair, "unsatisfied") == [date(2025, 9, 5)]
    assert days(affair, "satisfied") == [date(2025, 9, 12)]


def agreed(*days: str) -> Affair:
    affair = Affair("2025-09-01")
    affair.handled("2025-09-01", LEADER)
    affair.mediated("2025-09-02")
    terms = [{"text": "清沟", "due_on": day} for day in days]
    affair.on("2025-09-03", "record-agreement", LEADER, **AGREED | {"terms": terms})
    return affair


def test_an_agreement_is_fulfilled_with_its_last_term_and_counts_on_the_last_day() -> None:
    affair = agreed("2025-09-10", "2025-10-10")
    affair.on("2025-09-09", "record-fulfilment", LEADER, term_no=1, detail="已清")
    assert days(affair, "agreement_due") == [date(2025, 10, 10)]
    assert days(affair, "agreement_fulfilled") == []
    affair.on("2025-09-20", "record-fulfilment", LEADER, term_no=2, detail="已清")
    assert days(affair, "agreement_fulfilled") == [date(2025, 10, 10)]


def test_a_breach_counts_against_it_although_it_was_handled() -> None:
    affair = agreed("2025-09-10")
    affair.on("2025-09-12", "record-breach", LEADER, term_no=1, detail="未清")
    affair.then("record-breach-handled", LEADER, term_no=1, detail="督促后清沟")
    assert days(affair, "agreement_due") == [date(2025, 9, 10)]
    assert days(affair, "agreement_fulfilled") == []


def test_an_agreement_is_due_once_its_last_day_is_over() -> None:
    rate, due_on = MEASURES["fulfilment_rate"], date(2025, 9, 10)
    assert rate.counted_in(Period(), due_on).last == date(2025, 9, 9)
    assert rate.counted_in(Period(), date(2025, 9, 11)).last == due_on
    august = Period(first=date(2025, 8, 1), last=date(2025, 8, 31))
    assert rate.counted_in(august, date(2025, 9, 11)) == august
