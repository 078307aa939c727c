"""How relations, states, commands and topics are called in Chinese and English."""

from typing import NamedTuple

from shared.events.vocabulary import Role
from shared.policy.relations import Relation


class Label(NamedTuple):
    zh: str
    en: str


RELATIONS: dict[Relation, Label] = {
    Relation.OPENER_WITHIN: Label("本单位范围内的登记人", "somebody who may open cases within that unit"),
    Relation.HOLDER: Label("承办单位工作人员", "staff of the holding unit"),
    Relation.UPPER_HOLDER: Label(
        "承办的村居或乡镇工作人员", "staff of the village or township that holds it"
    ),
    Relation.RECEIVER: Label("接办单位工作人员", "staff of the unit it is escalated to"),
    Relation.OFFICER: Label("承办单位负责人", "an officer of the holding unit"),
    Relation.OFFICER_ABOVE: Label("上级单位负责人", "an officer of a unit above the holder"),
    Relation.NEXT_LEVEL: Label(
        "回避后的上一级负责人", "an officer of the next level after a declared conflict of interest"
    ),
    Relation.MEDIATOR: Label("调解员", "the mediator"),
    Relation.PARTY: Label("当事人", "a party"),
    Relation.COMPLAINANT: Label("诉求人", "the complainant"),
    Relation.NOTIFIED: Label("被通知层级负责人", "an officer of a notified level"),
    Relation.REFERRED_POLICE: Label("受移送的社区民警", "the police it was referred to"),
    Relation.SUPERVISOR: Label("未经办此案的监督员", "a supervisor who has not worked on it"),
    Relation.ANSWERER: Label(
        "原属村居或承办单位负责人", "an officer of the origin's village or of the holder"
    ),
    Relation.FOLLOWER_UP: Label(
        "经办人以外的承办单位工作人员或上级负责人", "staff of the holder or an officer above, not its handler"
    ),
    Relation.REVIEWER: Label("乡镇负责人", "a township officer"),
    Relation.SUPERIOR: Label("记录人的上级", "the author's superior"),
    Relation.ACTOR: Label("可查阅此案的工作人员", "anybody who may read it"),
}

ROLES: dict[Role, Label] = {
    "resident": Label("居民", "resident"),
    "group_leader": Label("村民小组长", "group leader"),
    "mediator": Label("调解员", "mediator"),
    "grid_worker": Label("网格员", "grid worker"),
    "village_officer": Label("村居干部", "village officer"),
    "township_officer": Label("乡镇干部", "township officer"),
    "supervisor": Label("村务监督员", "supervisor"),
    "auditor": Label("审计员", "auditor"),
    "community_police": Label("社区民警", "community police"),
    "privacy_officer": Label("个人信息保护负责人", "privacy officer"),
    "dashboard": Label("看板", "dashboard"),
    "operator": Label("系统操作员", "operator"),
}
