"""How relations, states, commands and topics are called in Chinese and English."""

from typing import NamedTuple

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
    Relation.NEXT_ABOVE: Label("上一级负责人", "an officer of the level next above"),
    Relation.HEAD: Label("办理机构负责人", "the head of the handling body"),
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

ROLES: dict[str, Label] = {
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

STATES: dict[str, Label] = {
    "REGISTERED": Label("已登记", "registered"),
    "ACCEPTED": Label("已受理", "accepted"),
    "IN_PROGRESS": Label("办理中", "in progress"),
    "IN_MEDIATION": Label("调解中", "in mediation"),
    "PENDING_ESCALATION": Label("待接办", "waiting for the next level"),
    "SUSPENDED": Label("已中止", "suspended"),
    "RESOLVED": Label("已办结", "resolved"),
    "CLOSED": Label("已结案", "closed"),
    "REJECTED": Label("不予受理", "rejected"),
    "TRANSFERRED": Label("已移送外部", "transferred elsewhere"),
    "MERGED": Label("已并案", "merged"),
    "WITHDRAWN": Label("已撤回", "withdrawn"),
}

COMMANDS: dict[str, Label] = {
    "open-case": Label("登记", "Register"),
    "accept-case": Label("受理", "Accept"),
    "reject-case": Label("不予受理", "Reject"),
    "transfer-case": Label("移送", "Transfer"),
    "merge-case": Label("并案", "Merge"),
    "assign-handler": Label("指定经办人", "Assign a handler"),
    "add-person": Label("补充人员", "Add a person"),
    "record-visit": Label("记录走访", "Record a visit"),
    "flag-risk": Label("提示风险", "Flag a risk"),
    "confirm-warning": Label("确认预警等级", "Confirm the warning level"),
    "stabilise-situation": Label("稳控", "Stabilise the situation"),
    "convene-consultation": Label("组织会商", "Convene a consultation"),
    "revise-policy": Label("完善政策", "Revise the policy"),
    "hold-dialogue": Label("组织座谈", "Hold a dialogue"),
    "hold-joint-meeting": Label("召开联席会议", "Hold a joint meeting"),
    "refer-to-police": Label("转公安", "Refer to the police"),
    "notify-level": Label("通知层级", "Notify a level"),
    "decide-home-service": Label("决定上门办理", "Decide on service at home"),
    "perform-service": Label("完成服务", "Perform a service"),
    "record-external-outcome": Label("记录外部结果", "Record an outcome elsewhere"),
    "attach-document": Label("归入材料", "Attach a document"),
    "record-contact": Label("记录联系", "Record contact"),
    "notify-complainant": Label("告知诉求人", "Notify the complainant"),
    "record-reply": Label("记录答复", "Record the reply"),
    "change-procedure": Label("变更程序", "Change the procedure"),
    "classify-urgency": Label("认定急难愁盼", "Classify urgency"),
    "offer-mediation": Label("提出调解", "Offer mediation"),
    "consent-to-mediation": Label("同意调解", "Consent to mediation"),
    "refuse-mediation": Label("拒绝调解", "Refuse mediation"),
    "record-agreement": Label("记录协议", "Record the agreement"),
    "terminate-mediation": Label("终止调解", "End the mediation"),
    "escalate-case": Label("上报", "Escalate"),
    "accept-escalation": Label("接办", "Accept the escalation"),
    "return-escalation": Label("退回", "Return the escalation"),
    "delegate-case": Label("下派", "Delegate"),
    "take-over-case": Label("接管", "Take over"),
    "object-jurisdiction": Label("管辖异议", "Object to jurisdiction"),
    "extend-deadline": Label("延期", "Extend a deadline"),
    "suspend-case": Label("中止", "Suspend"),
    "resume-case": Label("恢复办理", "Resume"),
    "resolve-case": Label("办结", "Resolve"),
    "withdraw-case": Label("撤回", "Withdraw"),
    "record-follow-up": Label("回访", "Follow up"),
    "close-case": Label("结案", "Close"),
    "archive-case": Label("归档", "Archive"),
    "record-fulfilment": Label("记录履行", "Record fulfilment"),
    "record-breach": Label("记录违约", "Record a breach"),
    "record-breach-handled": Label("违约已处理", "Breach handled"),
    "apply-judicial-confirmation": Label("申请司法确认", "Apply for judicial confirmation"),
    "record-confirmation-outcome": Label("记录确认结果", "Record the court's decision"),
    "request-review": Label("申请复查", "Request a review"),
    "request-re-review": Label("申请复核", "Request a re-review"),
    "record-review-opinion": Label("出具复查复核意见", "Record a review opinion"),
    "reopen-case": Label("重开", "Reopen"),
    "raise-query": Label("质询", "Raise a query"),
    "answer-query": Label("答复质询", "Answer a query"),
    "demand-correction": Label("要求更正", "Demand a correction"),
    "answer-demand": Label("答复更正要求", "Answer a demand"),
    "annotate-audit": Label("监督记事", "Note for the audit"),
    "declare-conflict": Label("申明回避", "Declare a conflict of interest"),
    "record-correction": Label("更正记录", "Correct the record"),
}
