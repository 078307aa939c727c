"""The lists of the rules, with Chinese and English labels: what forms offer and answers are read by."""

from collections.abc import Mapping
from typing import Any

from shared.policy.labels import COMMANDS, ROLES, STATES, Label
from shared.policy.policy import Policy, Ruling, Title
from shared.policy.topics import TOPICS

Items = dict[str, Label]


def _labels(*rows: tuple[str, str, str]) -> Items:
    return {code: Label(zh, en) for code, zh, en in rows}


GROUPS = _labels(
    ("DISPUTE", "矛盾纠纷", "Disputes"),
    ("WORKS", "实事工程", "Works"),
    ("ESTATE", "小区治理", "Estates"),
    ("VILLAGE_RULE", "村级难点", "Village rules"),
    ("PUBLIC_SAFETY", "公共安全", "Public safety"),
    ("SERVICE", "便民服务", "Services"),
)
WARNINGS = _labels(
    ("RED", "红色(重点)", "Red: priority"),
    ("ORANGE", "橙色(关注)", "Orange: concern"),
    ("YELLOW", "黄色(一般)", "Yellow: ordinary"),
    ("BLUE", "蓝色(潜在)", "Blue: latent"),
)

FIXED: dict[str, Items] = {
    "channel": _labels(
        ("VISIT", "走访", "Visit"),
        ("FORUM", "座谈会", "Forum"),
        ("SUGGESTION_BOX", "意见箱", "Suggestion box"),
        ("HOTLINE", "热线", "Hotline"),
        ("CHAT", "群聊", "Chat group"),
        ("OPINION_SLIP", "意见征询单", "Opinion slip"),
        ("WALK_IN", "来访", "Walk-in"),
        ("ONLINE", "网上", "Online"),
        ("FROM_ABOVE", "上级交办", "From above"),
    ),
    "risk": _labels(
        ("SKIP_LEVEL_PETITION", "越级上访", "Skip-level petition"),
        ("COLLECTIVE_ACTION", "群体事件", "Collective action"),
        ("VIOLENCE", "暴力", "Violence"),
        ("SELF_HARM", "自伤", "Self-harm"),
        ("SAFETY_HAZARD", "安全隐患", "Safety hazard"),
        ("OTHER", "其他", "Other"),
    ),
    "participant": _labels(
        ("VILLAGE_COMMITTEE", "村委会", "Village committee"),
        ("NEIGHBOURHOOD_COMMITTEE", "居委会", "Neighbourhood committee"),
        ("PROPERTY_MANAGER", "物业", "Property manager"),
        ("OWNERS_COMMITTEE", "业委会", "Owners' committee"),
        ("URBAN_MANAGEMENT", "城管", "Urban management"),
        ("HOUSING_OFFICE", "房办", "Housing office"),
        ("POLICE", "公安", "Police"),
        ("PARTNER_UNIT", "共建单位", "Partner unit"),
        ("DEPARTMENT", "职能部门", "Department"),
        ("RESIDENTS", "居民", "Residents"),
        ("LAWYER", "律师", "Lawyer"),
        ("EXPERT", "专家", "Expert"),
    ),
    "mediation_end": _labels(
        ("REFUSED", "当事人拒绝", "Refused"), ("FAILED", "调解不成", "Failed"), ("EXPIRED", "期满", "Expired")
    ),
    "outcome": _labels(
        ("SETTLED", "达成和解", "Settled"),
        ("BY_RULE", "依规处理", "By rule"),
        ("SERVICE_DONE", "服务办结", "Service done"),
        ("EXPLAINED", "解释疏导", "Explained"),
        ("UNFOUNDED", "诉求不成立", "Unfounded"),
        ("EXTERNAL", "外部处理", "Settled outside"),
    ),
    "external_outcome": _labels(
        ("CRIMINAL_DETENTION", "刑事拘留", "Criminal detention"),
        ("ADMINISTRATIVE_PENALTY", "行政处罚", "Administrative penalty"),
        ("COURT_JUDGMENT", "法院判决", "Court judgment"),
        ("COURT_MEDIATION", "法院调解", "Court mediation"),
        ("OTHER", "其他", "Other"),
    ),
    "signature": _labels(
        ("SIGNED", "签名", "Signed"), ("SEALED", "盖章", "Sealed"), ("FINGERPRINT", "按指印", "Fingerprint")
    ),
    "external_body": _labels(
        ("COUNTY", "县级机关", "County"),
        ("COURT", "法院", "Court"),
        ("POLICE", "公安机关", "Police"),
        ("DEPARTMENT", "职能部门", "Department"),
        ("OTHER", "其他", "Other"),
    ),
    "means": _labels(
        ("IN_PERSON", "当面", "In person"),
        ("PHONE", "电话", "By phone"),
        ("WRITTEN", "书面", "In writing"),
        ("ONLINE", "网上", "Online"),
    ),
    "query": _labels(("OPEN", "待答复", "Open"), ("ANSWERED", "已答复", "Answered")),
    "term": _labels(
        ("DUE", "待履行", "Due"),
        ("FULFILLED", "已履行", "Fulfilled"),
        ("BREACHED", "已违约", "Breached"),
        ("HANDLED", "违约已处理", "Breach handled"),
    ),
    "document": _labels(
        ("APPLICATION", "申请书", "Application"),
        ("ACCEPTANCE_REGISTER", "受理登记表", "Acceptance register"),
        ("RIGHTS_NOTICE", "权利义务告知书", "Rights notice"),
        ("IDENTITY_PROOF", "身份证明", "Identity proof"),
        ("MEDIATION_RECORD", "调解记录", "Mediation record"),
        ("AGREEMENT", "协议书", "Agreement"),
        ("INVESTIGATION_RECORD", "调查记录", "Investigation record"),
        ("EVIDENCE", "证据", "Evidence"),
        ("PERFORMANCE_PROOF", "履行凭证", "Proof of performance"),
        ("FOLLOW_UP_RECORD", "回访记录", "Follow-up record"),
        ("COURT_PAPER", "司法文书", "Court paper"),
        ("OTHER", "其他", "Other"),
    ),
    "level": _labels(
        ("GROUP", "组级", "Group"), ("VILLAGE", "村级", "Village"), ("TOWNSHIP", "乡镇级", "Township")
    ),
    "unit_kind": _labels(
        ("TOWNSHIP", "乡镇", "Township"),
        ("VILLAGE", "行政村", "Village"),
        ("NEIGHBOURHOOD", "居委会", "Neighbourhood"),
        ("GROUP", "村民小组", "Group"),
    ),
    "person_role": _labels(
        ("COMPLAINANT", "诉求人", "Complainant"),
        ("RESPONDENT", "被诉求人", "Respondent"),
        ("PARTY", "当事人", "Party"),
        ("BENEFICIARY", "受益人", "Beneficiary"),
        ("WITNESS", "证人", "Witness"),
        ("INVOLVED", "涉及人", "Involved"),
        ("ACCUSED", "被控告人", "Accused"),
    ),
    "visit_kind": _labels(
        ("HOUSEHOLD", "入户走访", "Household"),
        ("PATROL", "巡查", "Patrol"),
        ("FOLLOW_UP", "回访", "Follow-up"),
    ),
    "notice": _labels(
        ("ACCEPTANCE", "受理告知", "Acceptance"),
        ("REFUSAL", "不予受理告知", "Refusal"),
        ("EXTENSION", "延期告知", "Extension"),
        ("REPLY", "答复", "Reply"),
    ),
    "facet": _labels(
        ("JI", "急", "Urgent"),
        ("NAN", "难", "Difficult"),
        ("CHOU", "愁", "Worrying"),
        ("PAN", "盼", "Longed for"),
    ),
    "urgency_status": _labels(("PROPOSED", "待确认", "Proposed"), ("CONFIRMED", "已确认", "Confirmed")),
    "agreement_form": _labels(("WRITTEN", "书面", "Written"), ("ORAL", "口头", "Oral")),
    "degree": _labels(("FULL", "全部解决", "In full"), ("PARTIAL", "部分解决", "In part")),
    "subject": _labels(
        ("LANDLORD", "出租方", "Landlord"), ("EMPLOYER", "用工方", "Employer"), ("OTHER", "其他", "Other")
    ),
    "reopen_ground": _labels(
        ("NEW_FACT", "新事实", "New fact"),
        ("BREACH", "违约", "Breach"),
        ("UNSATISFIED", "不满意", "Unsatisfied"),
    ),
    "timer": _labels(
        ("T1", "信访告知", "Notice of a petition"),
        ("T2", "信访转送", "Routing of a petition"),
        ("T3", "管辖异议", "Objection to jurisdiction"),
        ("T4", "信访办理", "Handling of a petition"),
        ("T5", "申请复查", "Request for a review"),
        ("T6", "复查意见", "Review opinion"),
        ("T7", "申请复核", "Request for a re-review"),
        ("T8", "复核意见", "Re-review opinion"),
        ("T9", "调解", "Mediation"),
        ("T10", "司法确认", "Judicial confirmation"),
        ("T11", "质询答复", "Answer to a query"),
        ("T12", "更正答复", "Answer to a demand"),
        ("T13", "本级办理", "Handling at a level"),
        ("T14", "热线答复", "Reply to a hotline"),
        ("T15", "公开", "Disclosure"),
        ("T16", "接办", "Receipt of an escalation"),
    ),
    "deadline_state": _labels(
        ("RUNNING", "计时中", "Running"),
        ("SUSPENDED", "暂停", "Standing still"),
        ("AWAITING", "待日历公布", "Awaiting a calendar"),
        ("STOPPED", "已完成", "Done"),
        ("BREACHED", "逾期", "Breached"),
        ("VOIDED", "逾期已撤销", "Breach voided"),
        ("CANCELLED", "已取消", "Cancelled"),
        ("LAPSED", "已期满", "Lapsed"),
    ),
    "demand_outcome": _labels(("CORRECTED", "已更正", "Corrected"), ("REFUSED", "不予更正", "Refused")),
}
"""Lists that no policy changes."""


def lists(policy: Policy) -> dict[str, Items]:
    """Every list by name, those that the policy decides on as it has them."""
    return {
        **FIXED,
        "procedure": _titles(policy.procedures),
        "category": {code: _label(category.title) for code, category in policy.categories.items()},
        "category_group": GROUPS,
        "service_item": {code: _label(title) for code, title in policy.service_items.items()},
        "suspension": _titles(policy.suspensions),
        "warning": {code: WARNINGS[code] for code in policy.warning_scale},
        "role": ROLES,
        "state": STATES,
        "command": COMMANDS,
        "topic": {topic: Label(words.zh, words.en) for topic, words in TOPICS.items()},
    }


def reference(policy: Policy) -> dict[str, Any]:
    """All lists, `{version, lists {name: {version, items [{code zh en …}]}}}`.

    `version` is that of the rules that a list comes from; a category has its `group` and whether
    it is `civil` as well.
    """
    answer: dict[str, Any] = {
        name: {
            "version": policy.id,
            "items": [{"code": code, "zh": label.zh, "en": label.en} for code, label in items.items()],
        }
        for name, items in lists(policy).items()
    }
    for item, category in zip(answer["category"]["items"], policy.categories.values(), strict=True):
        item |= {"group": category.group, "civil": category.civil}
    return {"version": policy.id, "lists": answer}


def _titles(rules: Mapping[Any, Ruling]) -> Items:
    return {code: _label(rule.title) for code, rule in rules.items()}


def _label(title: Title) -> Label:
    return Label(title.zh, title.en)
