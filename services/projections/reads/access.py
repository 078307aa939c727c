"""Who may ask for what: refusals of reads, in one place."""

from uuid import UUID

from shared.policy.actor import Actor
from shared.policy.jurisdiction import UnitTree
from shared.policy.sight import Sight, reads_unit
from shared.runtime.problems import Problem, Text

_DASHBOARD = Text(
    "A dashboard gets figures and streams, no single case; a reader of the unit would",
    "大屏只能读取统计与数据流，不能查看单个案件；须为该单位的查阅人员",
)
_OUTSIDE_UNIT = Text(
    "The unit is not yours; a role of that unit or of one above it would do",
    "该单位不在您的范围内；须为该单位或其上级单位的人员",
)
_OUTSIDE_CASE = Text(
    "The case is not yours; it takes a role of a unit in which it began or that ever held it, or of one "
    "above, or to be on it",
    "该案件不在您的范围内；须为其发生或曾承办单位、其上级单位的人员，或案件相关人",
)


def refuse_roles(actor: Actor, roles: frozenset[str], who: Text) -> None:
    """Raises: Problem 403 to all but these roles."""
    if actor.role not in roles:
        raise Problem("forbidden", who)


def refuse_dashboard(actor: Actor, why: Text = _DASHBOARD) -> None:
    """Raises: Problem 403 to a dashboard, for whatever shows single cases or gives them away."""
    if actor.role == "dashboard":
        raise Problem("forbidden", why)


def check_case(seen: Sight) -> None:
    """Raises: Problem, 404 where the actor may not know of the case, 403 where it isn't theirs."""
    if seen is Sight.HIDDEN:
        raise Problem("not-found")
    if seen is Sight.OUTSIDE:
        raise Problem("forbidden", _OUTSIDE_CASE)


def readable_unit(actor: Actor, unit: UUID | None, *trees: UnitTree) -> UUID | None:
    """The unit whose figures are asked for, by default the actor's; None is the whole.

    It has to be theirs in one of the trees: as of the answer, or now. Raises: Problem, 404 or 403.
    """
    if unit is None:
        return actor.unit
    if not any(tree.get(unit) for tree in trees):
        raise Problem("not-found")
    if not any(reads_unit(actor, unit, tree) for tree in trees):
        raise Problem("forbidden", _OUTSIDE_UNIT)
    return unit
