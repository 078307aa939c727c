"""What each role sees on each route: one table, checked against the application, told in the reference."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from shared.runtime.postgres import EmbeddedPostgres
from tests.e2e.conftest import Anjie, Json, Person, Town, build_town
from tests.e2e.reading import Listener, serving_a_module

REFERENCE: Final = Path(__file__).parents[2] / "docs" / "reference" / "visibility.md"
TITLE: Final = "宅基地边界纠纷"
NAME: Final = "张三"

OF_A_CASE: Final = (
    *("case", "timeline", "case_timeline", "cases", "urgent", "urgent_board", "deadlines", "deadline_board"),
    *("explain", "compare", "events"),
)
OF_FIGURES: Final = ("backlog", "kpi", "audit/reads")
CLEAR: Final = (*("clear",) * 6, *("item",) * 4)
MASKED: Final = (*("masked",) * 6, *("item",) * 4)
HIDDEN: Final = (*("404",) * 3, *("sealed",) * 7)
FIGURES: Final = ("figures", "figures", "403")
TABLE: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]]] = {
    "opener, leader of the holding group": ((*CLEAR, "403"), (*CLEAR, "403"), FIGURES),
    "mediator of the village": ((*MASKED, "403"), (*HIDDEN, "403"), FIGURES),
    "resident on the case": ((*("own",) * 2, "own", *MASKED[3:], "403"),) * 2 + (FIGURES,),
    "resident not on the case": (
        (*("403",) * 3, "absent", *("sealed",) * 6, "403"),
        (*("404",) * 3, "absent", *("sealed",) * 6, "403"),
        FIGURES,
    ),
    "grid worker": ((*MASKED, "403"), (*HIDDEN, "403"), FIGURES),
    "village officer": ((*MASKED, "403"), (*HIDDEN, "403"), FIGURES),
    "township officer": ((*MASKED, "403"), (*HIDDEN, "403"), FIGURES),
    "township officer, cleared": ((*MASKED, "403"), (*MASKED, "403"), FIGURES),
    "community police": ((*MASKED, "403"), (*HIDDEN, "403"), FIGURES),
    "supervisor": ((*MASKED, "masked"), (*MASKED, "masked"), ("figures", "figures", "reads")),
    "auditor": ((*MASKED, "masked"), (*HIDDEN, "sealed"), ("figures", "figures", "reads")),
    "operator": ((*MASKED, "masked"), (*HIDDEN, "sealed"), FIGURES),
    "privacy officer": ((*MASKED, "403"), (*HIDDEN, "403"), ("figures", "figures", "reads")),
    "dashboard": (
        (*("403",) * 4, *("absent",) * 4, *("403",) * 3),
        (*("403",) * 4, *("absent",) * 4, *("403",) * 3),
        ("suppressed", "suppressed", "403"),
    ),
    "leader of another village": (
        (*("403",) * 3, *("absent",) * 7, "403"),
        (*("404",) * 3, *("absent",) * 7, "403"),
        FIGURES,
    ),
}
"""For an ordinary case, for a safety lead, and where no case is asked for."""
MEANINGS: Final = {
    "clear": "everything in the clear",
    "own": "everything, what is their own in the clear, other personal values sealed",
    "masked": "everything, personal values sealed",
    "item": "the item, which has no personal values",
    "sealed": "that something is there, and its position",
    "absent": "nothing",
    "figures": "the figures",
    "suppressed": "the figures, small cells suppressed",
    "reads": "who read it",
    "403": "refused: not theirs",
    "404": "refused: not for them to know of",
}


@pytest.fixture(scope="module")
def county(
    postgres: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Anjie, Town, Json, Json]]:
    """A town with an ordinary case and a safety lead, both urgent, both with a resident on them."""
    data_dir = tmp_path_factory.mktemp("visible")
    with serving_a_module(postgres, migrated_template, "visibility", data_dir) as anjie:
        town = build_town(anjie)
        people = [{"role": "COMPLAINANT", "name": NAME, "actor_ref": "resident-9"}]
        ordinary = town.open_case(people=people)
        lead = town.open_case(people=people, procedure="SAFETY_LEAD", category="PUBLIC_SAFETY")
        for case in (ordinary, lead):
            classified = town.leader.done(
                f"/v1/cases/{case['case_id']}/classify-urgency",
                {"urgent": True, "reason": "急"},
                version=case["version"],
            )
        town.supervisor.get("/v1/backlog", min_position=classified["position"])
        yield anjie, town, ordinary, lead


def readers(anjie: Anjie, town: Town) -> dict[str, Person]:
    cleared = frozenset(("SAFETY_LEAD",))
    return {
        "opener, leader of the holding group": town.leader,
        "mediator of the village": town.mediator,
        "resident on the case": anjie.person("resident-9", "resident", town.group),
        "resident not on the case": town.resident,
        "grid worker": town.grid_worker,
        "village officer": town.village_officer,
        "township officer": town.township_officer,
        "township officer, cleared": anjie.person("t-2", "township_officer", town.township, cleared),
        "community police": town.police,
        "supervisor": town.supervisor,
        "auditor": town.auditor,
        "operator": town.operator,
        "privacy officer": anjie.person("privacy", "privacy_officer", town.township),
        "dashboard": town.dashboard,
        "leader of another village": town.other_leader,
    }


@pytest.mark.parametrize("who", TABLE)
def test_every_reader_sees_what_the_table_says(county: tuple[Anjie, Town, Json, Json], who: str) -> None:
    anjie, town, ordinary, lead = county
    person = readers(anjie, town)[who]
    of_ordinary, of_lead, of_figures = TABLE[who]
    for case, expected in ((ordinary, of_ordinary), (lead, of_lead)):
        seen = tuple(_seen(person, route, case) for route in OF_A_CASE)
        assert dict(zip(OF_A_CASE, seen, strict=True)) == dict(zip(OF_A_CASE, expected, strict=True))
    seen = tuple(_figures(person, route, ordinary) for route in OF_FIGURES)
    assert dict(zip(OF_FIGURES, seen, strict=True)) == dict(zip(OF_FIGURES, of_figures, strict=True))


def test_the_reference_says_what_the_table_says() -> None:
    """`python -m tests.e2e.test_reads_visibility` writes it anew."""
    assert REFERENCE.read_text() == reference()


def _seen(person: Person, route: str, case: Json) -> str:
    case_id = case["case_id"]
    if route == "case":
        return _one(person.get(f"/v1/cases/{case_id}"), lambda answer: answer)
    if route == "timeline":
        return _one(person.get(f"/v1/cases/{case_id}/timeline"), lambda answer: answer["items"][0]["data"])
    if route == "case_timeline":
        with Listener(person, "/v1/streams/case_timeline", case_id=case_id) as listener:
            if listener.status != 200:
                return str(listener.status)
            return _shown(listener.next()[1]["rows"][0]["data"])
    if route in ("urgent_board", "deadline_board"):
        with Listener(person, f"/v1/streams/{route}") as listener:
            return _listed(listener.next()[1]["rows"], case)
    if route == "explain":
        answer = person.get("/v1/explain/containment_rate", level="GROUP")
        items = answer.json().get("denominator_items", [])
        listed = _listed([item | {"case_id": item.get("subject_id")} for item in items], case)
        return str(answer.status_code) if answer.status_code != 200 else listed
    if route == "compare":
        answer = person.get("/v1/compare/containment_rate", a=0, b=case["position"], level="GROUP")
        return str(answer.status_code) if answer.status_code != 200 else _listed(answer.json()["items"], case)
    if route == "events":
        answer = person.get("/v1/events")
        if answer.status_code != 200:
            return str(answer.status_code)
        position = case["events"][0]["position"]
        event = json.loads(answer.text.splitlines()[position - 1])
        hidden = {"sealed": True, "position": position}
        return _shown(event["data"]) if "data" in event else "sealed" if event == hidden else "?"
    answer = person.get(f"/v1/{route}")
    return str(answer.status_code) if answer.status_code != 200 else _listed(answer.json()["items"], case)


def _one(answer: Any, part: Any) -> str:
    return str(answer.status_code) if answer.status_code != 200 else _shown(part(answer.json()))


def _shown(part: Json) -> str:
    assert part["title"] in (TITLE, {"sealed": True})
    name = part["people"][0]["name"]
    if part["title"] == TITLE:
        return "clear" if name == NAME else "?"
    return "own" if name == NAME else "masked" if name == {"sealed": True} else "?"


def _listed(items: list[Json], case: Json) -> str:
    """How the case stands among items; what is sealed can't be told apart, so all of them are counted."""
    for item in items:
        if item.get("case_id") == case["case_id"]:
            if "because" in item or "timer" in item:
                return "item"
            return "clear" if item["title"] == TITLE else "masked"
    sealed = [item for item in items if item.get("sealed")]
    assert all(item.keys() - {"case_id"} == {"sealed", "position"} for item in sealed)
    return "sealed" if sealed else "absent"


def _figures(person: Person, route: str, case: Json) -> str:
    answer = person.get(f"/v1/{route}", **({"case_id": case["case_id"]} if "audit" in route else {}))
    if answer.status_code != 200:
        return str(answer.status_code)
    told = answer.json()
    if "items" in told:
        return "reads"
    counts = [row["open"] for row in told["rows"]] if "rows" in told else [told["measures"]["registered"]]
    return "suppressed" if counts[0] == {"suppressed": True} else "figures" if counts[0] in (0, 1, 2) else "?"


def reference() -> str:
    lines = [
        "# Who sees what",
        "",
        "Generated from the table in `tests/e2e/test_reads_visibility.py`, which is checked against the",
        "application, by `python -m tests.e2e.test_reads_visibility`. The case was opened by the leader of",
        "the group that holds it; the village and the township above only read it.",
        "",
        *(f"- **{word}**: {meaning}" for word, meaning in MEANINGS.items()),
    ]
    for place, (title, routes) in enumerate(
        (
            ("An ordinary case", OF_A_CASE),
            ("A safety lead", OF_A_CASE),
            ("Figures and the register of reads", OF_FIGURES),
        )
    ):
        lines += [
            "",
            f"## {title}",
            "",
            f"| Reader | {' | '.join(routes)} |",
            "|---" * (len(routes) + 1) + "|",
        ]
        lines += [f"| {who} | {' | '.join(seen[place])} |" for who, seen in TABLE.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    REFERENCE.write_text(reference())
