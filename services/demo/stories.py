"""Stories of three towns, step by step as they are told, with roles in place of persons.

Each is a function of where and when it is played: the year of the towns plays it in its
own months, anybody else may play it again elsewhere or now.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from services.demo.haimen_places import SANXING, SIJIA, YUDONG, Town
from services.demo.lines import Body, Desk, Line, Person, made_id, moment
from services.demo.places import Place

STEP: Final = timedelta(hours=5)
"""Between two lines of a story in the year."""

GROUP_37: Final = YUDONG.named("新河村37组")
ZHAOLIANG_8: Final = SANXING.named("召良村8组")
"""The story doesn't name the group."""
HEXING_2: Final = SIJIA.named("合兴村2组")
XIUCHENG: Final = SANXING.named("绣城居委")


class Stage:
    """Where a story is played: its desk, its clock, and the case that it is about."""

    def __init__(self, desk: Desk, story: str, at: datetime, step: timedelta = STEP) -> None:
        self.case_id = case_of(story, at)
        self.at = at
        self._desk = desk
        self._story = story
        self._step = step
        self._began_at = at
        self._number = 0

    @property
    def today(self) -> date:
        return self.at.date()

    def person(self, part: str) -> UUID:
        """The person_ref of somebody in the story."""
        return made_id(self._began_at, f"story/{self._story}/{part}")

    def visit(self, unit: Place, by: Person, kind: str, findings: str) -> Line:
        body = {
            "visit_id": self.person("visit"),
            "unit": unit.unit_id,
            "visit_kind": kind,
            "findings": findings,
        }
        return self._line("/v1/visits", by, body, moves=False)

    def opens(self, by: Person, **body: object) -> Line:
        return self._line("/v1/cases", by, {"case_id": self.case_id, **body}, moves=False)

    def adds(self, command: str, by: Person, **body: object) -> Line:
        return self._line(f"/v1/cases/{self.case_id}/{command}", by, body, moves=False)

    def moves(self, command: str, by: Person, **body: object) -> Line:
        return self._line(f"/v1/cases/{self.case_id}/{command}", by, body, moves=True)

    def _line(self, path: str, by: Person, body: Body, *, moves: bool) -> Line:
        self._number += 1
        self.at += self._step
        body["occurred_at"] = self.at
        key = f"story/{self._story}/{self._number}"
        return self._desk.line(self.at, key, path, body, actor=by, moves=moves)


def case_of(story: str, at: datetime) -> UUID:
    """The id of the case of a story that begins at that moment."""
    return made_id(at, f"story/{story}")


def s1(stage: Stage, group: Place = GROUP_37) -> Iterator[Line]:
    """Residents talk of petitioning over the heads of local levels; the group's leader raises the alarm."""
    yield from _alarm(stage, group)
    yield stage.moves(
        "escalate-case",
        group.staff(),
        to_level="TOWNSHIP",
        emergency=True,
        notify_levels=["VILLAGE"],
        reason="部分群众扬言越级上访，情况紧急，报请镇级会商，同时告知村委。",
    )
    yield stage.moves("accept-escalation", group.town.officer())
    yield from _policy_revised(stage, group)


def s1b(stage: Stage, group: Place = GROUP_37) -> Iterator[Line]:
    """The same, level by level."""
    yield from _alarm(stage, group)
    yield stage.moves(
        "escalate-case", group.staff(), to_level="VILLAGE", reason="涉及搬迁政策，组里无法答复。"
    )
    yield stage.moves("accept-escalation", group.village.officer())
    yield stage.moves(
        "escalate-case", group.village.officer(), to_level="TOWNSHIP", reason="需镇里会同有关部门完善政策。"
    )
    yield stage.moves("accept-escalation", group.town.officer())
    yield from _policy_revised(stage, group)


def _alarm(stage: Stage, group: Place) -> Iterator[Line]:
    leader = group.staff()
    yield stage.visit(
        group, leader, "HOUSEHOLD", "走访获悉部分群众对电网建设项目征地搬迁不满，扬言越级上访。"
    )
    yield stage.opens(
        leader,
        channel="VISIT",
        category="LAND_ACQUISITION",
        origin_unit=group.unit_id,
        title="电网建设项目征地搬迁不满",
        description="本组部分群众对电网建设项目的征地搬迁补偿口径不满。",
        collective=True,
        source={"kind": "VISIT", "id": str(stage.person("visit"))},
        people=[
            {"person_ref": stage.person("residents"), "role": "COMPLAINANT", "name": "三十七组搬迁户代表"}
        ],
    )
    yield stage.moves("accept-case", leader)
    yield stage.adds("flag-risk", leader, risk="SKIP_LEVEL_PETITION", detail="有人提出集体越级上访。")
    yield stage.adds("confirm-warning", leader, level="ORANGE", reason="已当面核实，人数较多。")
    yield stage.adds("stabilise-situation", leader, detail="逐户上门稳控，承诺三日内答复。")


def _policy_revised(stage: Stage, group: Place) -> Iterator[Line]:
    officer = group.town.officer()
    yield stage.adds(
        "convene-consultation",
        officer,
        participants=[{"kind": "VILLAGE_COMMITTEE"}, {"kind": "DEPARTMENT", "name": "镇自然资源所"}],
        summary="镇、村会同相关部门会商搬迁政策。",
    )
    yield stage.adds("revise-policy", officer, detail="完善搬迁过渡费和青苗补偿标准。")
    yield stage.adds(
        "hold-dialogue",
        officer,
        participants=[{"kind": "RESIDENTS"}, {"kind": "VILLAGE_COMMITTEE"}],
        summary="与村民座谈，逐条解释完善后的政策。",
    )
    yield stage.moves(
        "resolve-case", officer, outcome="SETTLED", degree="FULL", detail="群众理解并支持搬迁，签订协议。"
    )
    yield stage.moves("record-follow-up", group.town.officer(2), reached=True, solved=True, satisfied=True)
    yield stage.moves("close-case", officer)


def s2(stage: Stage, group: Place = ZHAOLIANG_8) -> Iterator[Line]:
    """Three suspicious strangers are found on a patrol: a safety lead for the police, never a mediation."""
    leader, police = group.staff(), group.village.someone("community_police")
    strangers = [stage.person(f"stranger-{number}") for number in (1, 2, 3)]
    yield stage.visit(group, leader, "PATROL", "入户巡查发现出租房内三名形迹可疑的外籍人员。")
    yield stage.opens(
        leader,
        channel="VISIT",
        category="PUBLIC_SAFETY",
        procedure="SAFETY_LEAD",
        origin_unit=group.unit_id,
        title="三名外籍人员形迹可疑",
        description="三人无法出示有效证件，在本组租房，于附近工厂做工。",
        people=[{"person_ref": person_ref, "role": "INVOLVED"} for person_ref in strangers],
    )
    yield stage.moves("accept-case", leader)
    yield stage.adds("refer-to-police", leader, reason="请社区民警到场核查身份。")
    yield stage.adds("notify-level", leader, level="TOWNSHIP")
    yield stage.moves("assign-handler", leader, handler_ref=leader.sub)
    findings = ("非法入境，刑事拘留。", "非法滞留，刑事拘留。", "非法滞留，刑事拘留。")
    for person_ref, detail in zip(strangers, findings, strict=True):
        yield stage.adds(
            "record-external-outcome",
            police,
            kind="CRIMINAL_DETENTION",
            body="公安机关",
            subject={"person_ref": person_ref},
            detail=detail,
        )
    for kind, detail in (("LANDLORD", "出租方行政处罚。"), ("EMPLOYER", "用工方行政处罚。")):
        yield stage.adds(
            "record-external-outcome",
            police,
            kind="ADMINISTRATIVE_PENALTY",
            body="公安机关",
            subject={"kind": kind},
            detail=detail,
        )
    yield stage.moves("resolve-case", leader, outcome="EXTERNAL", detail="公安机关已依法处理完毕。")
    yield stage.moves("close-case", group.town.officer())


def s3(stage: Stage, group: Place = HEXING_2) -> Iterator[Line]:
    """A member of the group who can't leave home needs an agreement witnessed: the village comes to them."""
    leader, officer = group.staff(), group.village.officer()
    beneficiary = stage.person("beneficiary")
    yield stage.visit(group, leader, "HOUSEHOLD", "组员黄某长年瘫痪在床，有委托书协议需要见证。")
    yield stage.opens(
        leader,
        channel="VISIT",
        category="SERVICE_REQUEST",
        procedure="SERVICE",
        item="ATTESTATION",
        origin_unit=group.unit_id,
        title="委托书协议见证",
        description="黄某长年瘫痪，无法到场，请求就委托书协议办理见证。",
        people=[{"person_ref": beneficiary, "role": "BENEFICIARY", "name": "组员黄某"}],
    )
    yield stage.moves("accept-case", leader)
    yield stage.moves(
        "escalate-case", leader, to_level="VILLAGE", reason="见证须由村委会办理，本人不便出门。"
    )
    yield stage.moves("accept-escalation", officer)
    yield stage.adds("decide-home-service", officer, detail="考虑其长年瘫痪，决定上门现场办公。")
    yield stage.adds("perform-service", officer, item="ATTESTATION", beneficiary=beneficiary)
    yield stage.moves("resolve-case", officer, outcome="SERVICE_DONE", degree="FULL", detail="上门完成见证。")
    yield stage.moves("record-follow-up", group.village.officer(2), reached=True, solved=True, satisfied=True)
    yield stage.moves("close-case", officer)


def s6(stage: Stage, estate: Place = XIUCHENG) -> Iterator[Line]:
    """Seven sides meet about parking on an estate, and settle it to a degree."""
    officer = estate.officer()
    yield stage.opens(
        officer,
        channel="FORUM",
        category="PARKING",
        origin_unit=estate.unit_id,
        title="小区停车难",
        description="座谈会上居民集中反映夜间停车难，占用绿地和消防通道。",
        collective=True,
        people=[{"person_ref": stage.person("residents"), "role": "COMPLAINANT", "name": "业主座谈会代表"}],
    )
    yield stage.moves("accept-case", officer)
    yield stage.adds(
        "hold-joint-meeting",
        officer,
        participants=[
            {"kind": "NEIGHBOURHOOD_COMMITTEE"},
            {"kind": "PROPERTY_MANAGER"},
            {"kind": "OWNERS_COMMITTEE"},
            {"kind": "URBAN_MANAGEMENT"},
            {"kind": "HOUSING_OFFICE"},
            {"kind": "POLICE"},
            {"kind": "PARTNER_UNIT", "name": "共建单位"},
        ],
        summary="划出错时共享车位，规范停车秩序。",
    )
    yield stage.moves("assign-handler", officer, handler_ref=estate.officer(2).sub)
    yield stage.moves(
        "resolve-case",
        officer,
        outcome="SETTLED",
        degree="PARTIAL",
        detail="新增错时车位，停车难在一定程度上缓解。",
    )


def s7(stage: Stage, village: Place) -> Iterator[Line]:
    """The village's supervisors ask about the case of an earlier story, and the village answers."""
    query_id = stage.person("query")
    yield stage.adds(
        "raise-query",
        village.someone("supervisor"),
        query_id=query_id,
        question="请说明该案逐级办理的时间节点和依据。",
    )
    yield stage.adds(
        "answer-query", village.officer(), query_id=query_id, answer="已附时间节点和会议记录，符合办理规则。"
    )


Telling = Callable[[Stage], Iterator[Line]]


class Story(NamedTuple):
    """A story of the year: in which town, from when on, and who asked about it afterwards."""

    town: Town
    at: datetime
    tell: Telling
    asked_at: datetime | None = None
    village: Place | None = None


STORIES: Final = {
    "S1": Story(YUDONG, moment(2025, 3, 3, 9), s1, moment(2025, 9, 8, 9), GROUP_37.village),
    "S1b": Story(YUDONG, moment(2025, 6, 2, 9), s1b),
    "S2": Story(SANXING, moment(2025, 4, 14, 9), s2),
    "S3": Story(SIJIA, moment(2025, 5, 12, 9), s3, moment(2025, 9, 9, 9), HEXING_2.village),
    "S6": Story(SANXING, moment(2025, 7, 7, 9), s6),
}
STORY_CASES: Final = {name: case_of(name, story.at) for name, story in STORIES.items()}
"""Story to case, in the year of the towns."""


def stories_of(town: Town, desk: Desk) -> list[Iterator[Line]]:
    """The stories of one town, each as its own lines."""
    return [_told(desk, name, story) for name, story in STORIES.items() if story.town is town]


def _told(desk: Desk, name: str, story: Story) -> Iterator[Line]:
    stage = Stage(desk, name, story.at)
    yield from story.tell(stage)
    if story.asked_at is not None and story.village is not None:
        stage.at = story.asked_at
        yield from s7(stage, story.village)
