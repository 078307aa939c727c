"""What each refusal is called, where its rule comes from, and how it is said in Chinese and English."""

from typing import NamedTuple, TypeVar

from shared.policy.refusal import GuardFailed, Refused

LIFECYCLE = "办理规则 / case lifecycle"
PETITIONS = "信访工作条例 (2022)"
MEDIATION = "人民调解法 (2010)"
CHOICE = "默认规则 / built-in policy"


class Rule(NamedTuple):
    source: str
    zh: str
    en: str


REFUSALS: dict[str, Rule] = {
    "unknown-case": Rule(LIFECYCLE, "没有这个案件。", "There is no such case."),
    "unknown": Rule(LIFECYCLE, "未找到。", "There is no such thing."),
    "no-relation": Rule(LIFECYCLE, "您无权办理;可办理者:{who}。", "Not yours to do; it would be for: {who}."),
    "not-your-person": Rule(
        MEDIATION + " 17",
        "只能由本人表示,或由办理人注明代为表示。",
        "Only for themselves, or on behalf of them.",
    ),
    "outside": Rule(
        LIFECYCLE,
        "不在您的单位范围内;该单位或其上级单位的人员可以。",
        "That is not yours; it would be for those who work for that unit or one above it.",
    ),
    "outside-import": Rule(
        LIFECYCLE,
        "导入属于另一单位;该单位或其下级单位的人员可以。",
        "The import is another unit's; it would be for those of that unit or of one beneath it.",
    ),
    "only-in-the-clear": Rule(
        LIFECYCLE,
        "只供案件的登记人、办理人、调解员与承办单位等可见个人信息者查阅。",
        "For those who see its case in the clear, such as its opener, handler and staff of its holder.",
    ),
    "wrong-state": Rule(LIFECYCLE, "案件处于{state},不能办理此项。", "Not while the case is {state}."),
    "wrong-procedure": Rule(LIFECYCLE, "此程序中不能办理此项。", "Not in this procedure."),
    "id-taken": Rule(LIFECYCLE, "该标识已被使用。", "This id is in use already."),
}
"""Refusals that no guard makes: 404, 403, 409."""

GUARDS: dict[str, Rule] = {
    # what a body names
    "unit-unknown": Rule(LIFECYCLE, "没有这个单位。", "There is no such unit."),
    "unit-closed": Rule(LIFECYCLE, "该单位已撤销。", "That unit is closed."),
    "category-unknown": Rule(CHOICE, "规则中没有这个类别。", "The rules know no such category."),
    "item-unknown": Rule(CHOICE, "规则中没有这个服务事项。", "The rules know no such service item."),
    "person-unknown": Rule(LIFECYCLE, "此人不在案件中。", "Nobody of that reference is on the case."),
    "file-unknown": Rule(LIFECYCLE, "没有这个文件。", "There is no such file."),
    "date-ahead": Rule(LIFECYCLE, "日期晚于发生时间。", "The date is after the moment of the act."),
    "too-late": Rule(CHOICE, "发生时间过早,超出补录期限。", "Too long ago to be recorded without an import."),
    "ahead-of-time": Rule(CHOICE, "发生时间在将来。", "It lies in the future."),
    # arrival
    "accusation-stays": Rule(
        PETITIONS + " 30", "检举控告只能在登记时确定。", "A case is an accusation from its opening or never."
    ),
    "accused-unit": Rule(
        PETITIONS + " 30",
        "检举控告不得到达被控告人所在单位。",
        "An accusation never comes to the accused's unit or one beneath it.",
    ),
    "not-the-holder": Rule(LIFECYCLE, "该单位正是承办单位。", "That unit holds it already."),
    "same-level": Rule(LIFECYCLE, "只能移送同级单位。", "A transfer goes to a unit of the same level."),
    "merge-itself": Rule(LIFECYCLE, "不能并入自身。", "A case can't be merged into itself."),
    "primary-unknown": Rule(LIFECYCLE, "没有要并入的案件。", "There is no such case to merge into."),
    "primary-not-open": Rule(
        PETITIONS + " 19", "并入的案件已不在办。", "The case to merge into is not open."
    ),
    "primary-outside": Rule(
        LIFECYCLE, "并入的案件不在您的管辖内。", "The case to merge into is outside your jurisdiction."
    ),
    "merge-hidden": Rule(
        PETITIONS + " 30",
        "平安线索与检举控告只能与同类同对象案件合并。",
        "A safety lead or an accusation merges only with one of its kind against the same accused.",
    ),
    # handling
    "handler-conflict": Rule(
        PETITIONS + " 28", "此人须回避。", "They have a conflict of interest, are a party, or supervise."
    ),
    "same-procedure": Rule(LIFECYCLE, "程序没有变化。", "That is its procedure already."),
    "parties-not-informed": Rule(LIFECYCLE, "须先告知当事人。", "The parties must be informed."),
    "mediation-under-way": Rule(
        LIFECYCLE, "调解邀约尚未了结。", "A mediation that was offered is under way."
    ),
    "no-unit-at-level": Rule(
        LIFECYCLE, "该层级没有对应单位。", "There is no unit of that level for this case."
    ),
    "already-there": Rule(LIFECYCLE, "案件就在该层级。", "The case is at that level."),
    "ground-unknown": Rule(CHOICE, "规则中没有这个事由。", "The rules know no such ground or level."),
    "approval-needed": Rule(
        LIFECYCLE, "村级中止须经乡镇批准。", "A village needs a township actor's approval."
    ),
    # mediation
    "not-civil": Rule(MEDIATION + " 2", "只调解民间纠纷。", "Only civil disputes are mediated."),
    "refused-before": Rule(
        MEDIATION + " 17",
        "曾明确拒绝的当事人本人提出后方可再调解。",
        "A party who refused must ask for it themselves first.",
    ),
    "no-offer": Rule(MEDIATION + " 17", "没有待答复的调解邀约。", "No offer of mediation is open."),
    "already-consented": Rule(MEDIATION + " 17", "此人已经同意。", "They have consented already."),
    "not-a-party": Rule(MEDIATION + " 17", "此人不是当事人。", "They are not a party to it."),
    "agreement-form": Rule(
        MEDIATION + " 28–30",
        "书面协议须各方签名盖章或按指印、调解员签名并加盖印章。",
        "A written agreement needs every party's signature, the mediator's, and the committee's seal.",
    ),
    "remedies-not-notified": Rule(
        MEDIATION + " 26", "须告知其他救济途径。", "They must be told of the remedies."
    ),
    # levels
    "top-level": Rule(LIFECYCLE, "乡镇之上没有层级。", "Nothing lies above the township."),
    "not-the-next-level": Rule(
        PETITIONS + " 20",
        "只能上报至上一级,紧急且通知每个被越过的层级除外。",
        "It goes up one level, unless it is an emergency with notice to every level skipped.",
    ),
    "notify-skipped": Rule(
        PETITIONS + " 20", "须且只须通知被越过的层级。", "Exactly the levels skipped are to be notified."
    ),
    "return-limit": Rule(CHOICE, "退回次数已满。", "It has been returned as often as the rules allow."),
    "one-level-down": Rule(
        LIFECYCLE, "只能下派至下一级所属单位。", "It goes to a unit directly one level down."
    ),
    "unit-to-be-named": Rule(LIFECYCLE, "须指明下派单位。", "The unit is to be named."),
    # clocks
    "nothing-to-take-over": Rule(
        LIFECYCLE,
        "下级没有超期,也没有申明回避。",
        "The level below has neither missed its time nor a conflict of interest.",
    ),
    "not-delegated": Rule(PETITIONS + " 23", "案件不是交办来的。", "It was not delegated to its holder."),
    "right-lapsed": Rule(PETITIONS + " 35–36", "已过期限。", "The time for it has passed."),
    "clock-not-running": Rule(LIFECYCLE, "没有在走的这种期限。", "No clock of that kind is running."),
    "extended-too-late": Rule(PETITIONS + " 34", "期限届满后不能延期。", "It is due already."),
    "not-extensible": Rule(CHOICE, "该期限不能延长。", "The rules don't let that clock be extended."),
    "extended-before": Rule(
        PETITIONS + " 34", "延期次数已满。", "It was extended as often as the rules allow."
    ),
    "complainant-not-informed": Rule(
        PETITIONS + " 34", "须告知诉求人。", "The complainant must be told of it."
    ),
    "extension-approval": Rule(PETITIONS + " 34", "延期须经批准。", "An extension needs approval."),
    "extension-consent": Rule(
        MEDIATION, "延期须经各方当事人同意。", "Every party of the mediation, and nobody else, must consent."
    ),
    "extension-too-long": Rule(CHOICE, "超过可延长的天数。", "That is longer than the rules allow."),
    "calendar-unknown": Rule(
        CHOICE, "日历尚未公布,无法推算。", "The calendar of that time is not published yet."
    ),
    "archived": Rule(LIFECYCLE, "已经归档。", "It is archived already."),
    "rights-open": Rule(PETITIONS + " 35–36", "复查复核期限尚未届满。", "A review may still be asked for."),
    "clocks-running": Rule(LIFECYCLE, "尚有期限在走。", "A clock is still running."),
    # settling
    "public-safety": Rule(LIFECYCLE, "涉及公共安全,不能撤回。", "It concerns public safety."),
    "not-the-complainant": Rule(LIFECYCLE, "此人不是诉求人。", "They are not a complainant of it."),
    "follow-ups-used": Rule(CHOICE, "回访次数已满。", "The attempts of this cycle are used up."),
    "follow-up-needed": Rule(LIFECYCLE, "须先回访。", "Somebody must follow up first, or try three times."),
    "dossier-incomplete": Rule(MEDIATION + " 27", "卷宗不全。", "The dossier is incomplete."),
    "agreement-open": Rule(
        MEDIATION + " 31",
        "协议尚未履行,违约尚未处理。",
        "The agreement is neither fulfilled nor its breach handled.",
    ),
    "no-agreement": Rule(MEDIATION + " 31", "没有生效的协议。", "There is no agreement in force."),
    "term-unknown": Rule(MEDIATION + " 31", "协议没有这一条。", "The agreement has no such term."),
    "term-state": Rule(MEDIATION + " 31", "该条款现状不允许。", "That can't follow on how the term stands."),
    "applicants": Rule(
        MEDIATION + " 33", "须由全体签约人共同申请。", "All who signed apply together, nobody else."
    ),
    "already-applied": Rule(MEDIATION + " 33", "已申请司法确认。", "Confirmation was applied for already."),
    "not-applied": Rule(MEDIATION + " 33", "没有待决的司法确认申请。", "No application is pending."),
    "review-asked": Rule(PETITIONS + " 35", "已申请复查。", "A review was asked for already."),
    "no-opinion-yet": Rule(PETITIONS + " 36", "尚无复查意见。", "There is no review opinion to go beyond."),
    "no-review-asked": Rule(
        PETITIONS + " 35", "没有待答复的复查复核申请。", "No request for review is open."
    ),
    "final-on-re-review": Rule(
        PETITIONS + " 36", "只有复核意见可以终结。", "Only a re-review opinion is final."
    ),
    "final": Rule(PETITIONS + " 36", "复核已终结。", "A re-review has ended it for good."),
    "not-unsatisfied": Rule(
        LIFECYCLE, "本轮回访没有表示不满意。", "No follow-up of this cycle says that they are not satisfied."
    ),
    "no-breach": Rule(MEDIATION + " 31", "协议没有违约。", "No term of the agreement is breached."),
    # oversight
    "query-unknown": Rule(LIFECYCLE, "没有这个质询。", "There is no such query."),
    "query-answered": Rule(LIFECYCLE, "没有待答复的质询。", "It has been answered already."),
    "demand-unknown": Rule(LIFECYCLE, "没有这个更正要求。", "There is no such demand."),
    "demand-answered": Rule(LIFECYCLE, "没有待答复的更正要求。", "It has been answered already."),
    "event-unknown": Rule(LIFECYCLE, "案件没有这个事件。", "The case has no such event."),
    "field-unknown": Rule(LIFECYCLE, "该事件没有这个字段。", "That event has no such field."),
    # units and what is beside cases
    "nesting": Rule(
        LIFECYCLE,
        "乡镇之下是村居,村居之下是组。",
        "Villages and neighbourhoods stand under a township, groups under those, a township under nothing.",
    ),
    "name-taken": Rule(LIFECYCLE, "同一上级下已有此名称。", "A sibling has that name."),
    "not-empty": Rule(LIFECYCLE, "下面还有未撤销的单位。", "Open units stand beneath it."),
    "same-unit": Rule(
        LIFECYCLE, "走访与所立案件须属同一单位。", "The visit's unit doesn't contain the case's."
    ),
    "import-closed": Rule(LIFECYCLE, "该导入已关闭。", "That import is closed."),
}
"""Guards (422) by code."""

FAULTS: dict[str, tuple[str, str]] = {
    "nul": ("含有空字符", "contains NUL"),
    "surrogate": ("含有不成对的代理字符", "contains a lone surrogate"),
    "blank": ("不能只是空白", "is blank"),
    "absurd-date": ("日期不合理(1900–2200)", "is not within 1900–2200"),
    "backwards": ("早于起始日期", "lies before from"),
    "repeated": ("有重复", "names something twice"),
    "one-of-two": ("两项须且只须填一项", "exactly one of the two is needed"),
    "not-both": ("两项至多填一项", "at most one of the two"),
    "accused-needed": ("检举控告须写明被控告人", "is needed for an accusation"),
    "accused-unwanted": ("只有检举控告才写被控告人", "is for accusations only"),
    "degree-needed": ("须写明解决程度", "is needed for this outcome"),
    "rule-needed": ("须写明依据的规则", "is needed for this outcome"),
    "needed-in-writing": ("书面协议须填", "is needed for a written agreement"),
    "answer-when-reached": ("联系到人时须填,否则不填", "is needed when reached, and only then"),
}
"""What is wrong with a body beyond its types, by code: Chinese, English."""


def failed(code: str, field: str = "", **extra: object) -> GuardFailed:
    """The refusal of a guard, with its words and source."""
    return refusal(GuardFailed, code, field, **extra)


R = TypeVar("R", bound=Refused)


def refusal(kind: type[R], code: str, field: str = "", **extra: object) -> R:
    """A refusal of the given kind, with its words and source."""
    rule = GUARDS.get(code) or REFUSALS[code]
    return kind(
        code, rule.en.format(**extra), zh=rule.zh.format(**extra), field=field, rule=rule.source, **extra
    )
