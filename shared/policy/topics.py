"""What a timeline says of an event, in Chinese and English.

A text names fields of the event, `{to_level:level}` being the label of a code of that list
and `{unit:unit}` the name of a unit; personal values never stand in it.
"""

from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from shared.events.base import Event
from shared.policy.labels import Label


class Words(NamedTuple):
    """The name of a topic in both languages, and what else there is to say of an event of it."""

    zh: str
    en: str
    more: str = ""


TOPICS: dict[str, Words] = {
    "case.registered": Words("登记", "Registered", "{category:category}, {channel:channel}"),
    "case.accepted": Words("受理", "Accepted", "{procedure:procedure}"),
    "case.rejected": Words("不予受理", "Rejected"),
    "case.transferred": Words("移送", "Transferred", "{to_unit:unit}"),
    "case.merged": Words("并案", "Merged"),
    "case.absorbed": Words("并入重复案件", "Absorbed a duplicate"),
    "case.person_added": Words("补充人员", "Person added"),
    "case.visit_recorded": Words("走访", "Visit", "{visit_kind:visit_kind}"),
    "case.risk_flagged": Words("风险提示", "Risk flagged", "{risk:risk}"),
    "case.warning_level_confirmed": Words("确认预警等级", "Warning level confirmed", "{level:warning}"),
    "case.situation_stabilised": Words("稳控", "Situation stabilised"),
    "case.policy_revised": Words("完善政策", "Policy revised"),
    "case.home_service_decided": Words("决定上门办理", "Service at home decided"),
    "case.consultation_held": Words("会商", "Consultation held"),
    "case.dialogue_held": Words("座谈", "Dialogue held"),
    "case.joint_meeting_held": Words("联席会议", "Joint meeting held"),
    "case.referred_to_police": Words("转公安", "Referred to the police", "{to_unit:unit}"),
    "case.level_notified": Words("通知", "Level notified", "{level:level} {unit:unit}"),
    "case.service_performed": Words("完成服务", "Service performed", "{item:service_item}"),
    "case.external_outcome_recorded": Words("外部处理结果", "Outcome elsewhere", "{kind:external_outcome}"),
    "case.document_attached": Words("归入材料", "Document attached", "{document_kind:document}"),
    "case.contact_recorded": Words("联系诉求人", "Contact", "{means:means}"),
    "case.complainant_notified": Words("告知诉求人", "Complainant notified", "{notice:notice}"),
    "case.reply_recorded": Words("答复", "Reply recorded"),
    "case.handler_assigned": Words("指定经办人", "Handler assigned", "{handler_ref}"),
    "case.procedure_changed": Words("变更程序", "Procedure changed", "{procedure:procedure}"),
    "case.urgency_classified": Words("认定急难愁盼", "Urgency classified", "{status:urgency_status}"),
    "case.mediation_offered": Words("提出调解", "Mediation offered"),
    "case.mediation_consented": Words("同意调解", "Consented to mediation"),
    "case.mediation_refused": Words("拒绝调解", "Refused mediation"),
    "case.agreement_reached": Words("达成协议", "Agreement reached", "{form:agreement_form}"),
    "case.agreement_effective": Words("协议生效", "Agreement in force"),
    "case.mediation_terminated": Words("调解终止", "Mediation ended", "{ground:mediation_end}"),
    "case.escalated": Words("上报", "Escalated", "{to_unit:unit}"),
    "case.escalation_accepted": Words("接办", "Escalation accepted", "{unit:unit}"),
    "case.escalation_returned": Words("退回", "Escalation returned"),
    "case.delegated": Words("下派", "Delegated", "{to_unit:unit}"),
    "case.taken_over": Words("接管", "Taken over", "{unit:unit}"),
    "case.jurisdiction_objected": Words("管辖异议", "Jurisdiction objected to", "{to_unit:unit}"),
    "case.suspended": Words("中止", "Suspended", "{ground:suspension}"),
    "case.resumed": Words("恢复办理", "Resumed"),
    "case.resolved": Words("办结", "Resolved", "{outcome:outcome}"),
    "case.withdrawn": Words("撤回", "Withdrawn"),
    "case.follow_up_recorded": Words("回访", "Follow-up"),
    "case.closed": Words("结案", "Closed"),
    "case.archived": Words("归档", "Archived"),
    "case.agreement_fulfilled": Words("履行", "Term fulfilled", "{term_no}"),
    "case.agreement_breached": Words("违约", "Term breached", "{term_no}"),
    "case.breach_handled": Words("违约已处理", "Breach handled", "{term_no}"),
    "case.judicial_confirmation_applied": Words("申请司法确认", "Judicial confirmation applied for"),
    "case.judicial_confirmation_granted": Words("司法确认", "Judicial confirmation granted"),
    "case.judicial_confirmation_denied": Words("不予司法确认", "Judicial confirmation denied"),
    "case.review_requested": Words("申请复查", "Review requested"),
    "case.re_review_requested": Words("申请复核", "Re-review requested"),
    "case.review_opinion_recorded": Words("复查复核意见", "Review opinion recorded"),
    "case.reopened": Words("重开", "Reopened", "{ground:reopen_ground}"),
    "case.deadline_started": Words("开始计时", "Clock started", "{timer:timer}"),
    "case.deadline_shifted": Words("期限顺延", "Clock goes on", "{timer:timer}"),
    "case.deadline_extended": Words("延期", "Deadline extended", "{timer:timer}"),
    "case.deadline_dated": Words("期限确定", "Deadline dated", "{timer:timer}"),
    "case.deadline_approaching": Words("临近到期", "Deadline approaching", "{timer:timer}"),
    "case.deadline_breached": Words("逾期", "Deadline breached", "{timer:timer}"),
    "case.deadline_breach_voided": Words("逾期撤销", "Breach voided", "{timer:timer}"),
    "case.right_lapsed": Words("权利期满", "Right lapsed", "{timer:timer}"),
    "case.query_raised": Words("监督质询", "Query raised"),
    "case.query_answered": Words("质询答复", "Query answered"),
    "case.correction_demanded": Words("要求更正", "Correction demanded"),
    "case.demand_answered": Words("更正答复", "Demand answered", "{outcome:demand_outcome}"),
    "case.audit_noted": Words("监督记事", "Audit note"),
    "case.conflict_declared": Words("申明回避", "Conflict of interest declared"),
    "case.record_corrected": Words("更正记录", "Record corrected", "{field}"),
    "unit.registered": Words("单位登记", "Unit registered", "{name}"),
    "unit.renamed": Words("单位更名", "Unit renamed", "{name}"),
    "unit.moved": Words("单位划转", "Unit moved", "{parent_id:unit}"),
    "unit.closed": Words("单位撤销", "Unit closed"),
    "unit.rule_pack_adopted": Words("采用规则包", "Rule pack adopted", "{pack} {pack_version}, {from_on}"),
    "visit.recorded": Words("走访", "Visit", "{visit_kind:visit_kind}"),
    "service.recorded": Words("便民服务", "Service", "{item:service_item}"),
    "roster.filed": Words("户册归档", "Roster filed"),
    "file.stored": Words("文件存入", "File stored"),
    "import.opened": Words("开始导入", "Import opened"),
    "import.closed": Words("结束导入", "Import closed"),
    "publication.figure_published": Words("发布统计数据", "Figure published"),
    "inbox.item_seen": Words("待办已阅", "Item of an inbox seen"),
}
"""Topic to words."""


class _Value:
    """A field that formats as the label of a code, or the name of a unit, where the text asks for one."""

    def __init__(
        self, value: object, labels: Callable[[str, str], str], unit_name: Callable[[UUID], str]
    ) -> None:
        self._value, self._labels, self._unit_name = value, labels, unit_name

    def __format__(self, spec: str) -> str:
        if self._value is None:
            return ""
        if spec == "unit":
            return self._unit_name(self._value) if isinstance(self._value, UUID) else ""
        return self._labels(spec, str(self._value)) if spec else str(self._value)


def summarise(
    event: Event, language: str, lists: dict[str, dict[str, Label]], unit_name: Callable[[UUID], str]
) -> str:
    """What happened, in one line, `zh` or `en`; codes by their labels in `lists`."""
    words = TOPICS[event.topic]

    def label(name: str, code: str) -> str:
        found = lists.get(name, {}).get(code)
        return code if found is None else found.zh if language == "zh" else found.en

    fields = {name: _Value(getattr(event, name), label, unit_name) for name in event.__struct_fields__}
    name, more = words.zh if language == "zh" else words.en, words.more.format(**fields).strip(" ,")
    return f"{name}: {more}" if more else name
