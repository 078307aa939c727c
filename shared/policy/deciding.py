"""May this actor do this now? Asked in the order in which refusals are answered: 404, 403, 409, 422."""

from collections.abc import Collection
from typing import TypeVar

from msgspec.structs import replace

from shared.events.base import Event, Person, Private
from shared.events.case import Case
from shared.events.vocabulary import Role
from shared.policy.actor import Actor
from shared.policy.bodies import Body, OpeningBody, PartyBody, PersonalBody
from shared.policy.command import Command, Decision
from shared.policy.guards import STATE_GUARDS
from shared.policy.jurisdiction import UnitTree
from shared.policy.labels import RELATIONS, ROLES
from shared.policy.policy import Policy
from shared.policy.refusal import Forbidden, Taken, Unknown, WrongState
from shared.policy.relations import HOLDING, Relation, is_superior, opening_relations, relations
from shared.policy.rules import REFUSALS, failed, refusal
from shared.policy.sight import Sight, sight, sight_of
from shared.policy.transitions import TRANSITIONS, Transition


def admit(case: Case | None, command: Command, policy: Policy) -> None:
    """Refuse the command if its actor, the state or a guard on the state is against it.

    Raises:
        Unknown, Forbidden, WrongState, GuardFailed: in this order.
    """
    authorise(case, command)
    check_state(case, command, policy)


def authorise(case: Case | None, command: Command) -> None:
    """Whether the case is the actor's to know of and the command theirs to send.

    Raises:
        Unknown: there is no such case, or none that this actor may know of.
        Forbidden: no relation of the actor may do this; `relations` names those that may.
    """
    row = TRANSITIONS[command.name]
    body = command.body
    if isinstance(body, OpeningBody):
        _require(row, opening_relations(command.actor, body.origin_unit, command.tree), on_behalf=False)
        return
    if case is None or sight(command.actor, sight_of(case), command.tree) is Sight.HIDDEN:
        raise refusal(Unknown, "unknown-case")
    on_behalf = isinstance(body, PartyBody) and body.on_behalf_of is not None
    held = relations(command.actor, case, command.tree)
    if command.event is not None and not is_superior(command.actor, command.event, command.tree):
        held -= {Relation.SUPERIOR}
    _require(row, held, on_behalf=on_behalf)
    if isinstance(body, PersonalBody) and not on_behalf:
        person = case.person(body.person_ref)
        if person is None or person.actor_ref != command.actor.ref:
            raise _forbidden(row, "not-your-person")


def check_state(case: Case | None, command: Command, policy: Policy) -> None:
    """Whether the case's state and procedure take the command, and the guards on its state hold.

    Raises:
        Taken: the case of an opening exists already.
        WrongState: not from this state or in this procedure; with `state` and `allowed_commands`.
        GuardFailed: a guard on the state.
    """
    row = TRANSITIONS[command.name]
    if row.creates:
        if case is not None:
            raise refusal(Taken, "id-taken", "/case_id")
        return
    assert case is not None
    fits_state = case.state in row.states
    if not fits_state or not row.in_procedure(case.procedure):
        raise refusal(
            WrongState,
            "wrong-procedure" if fits_state else "wrong-state",
            state=case.state,
            allowed_commands=allowed_commands(case, command.actor, command.tree, policy),
        )
    for code, guard in STATE_GUARDS.get(row.command, {}).items():
        missing = guard(case, policy)
        if missing is not None:
            raise failed(code, "", **missing)


def allowed_commands(
    case: Case, actor: Actor, tree: UnitTree, policy: Policy, among: Collection[str] = TRANSITIONS.keys()
) -> list[str]:
    """What of some commands the actor may send to the case as it stands, in the order of the table."""
    held = relations(actor, case, tree)
    return [
        row.command
        for row in TRANSITIONS.values()
        if row.command in among
        and case.state in row.states
        and row.in_procedure(case.procedure)
        and _relates(row, held)
        and all(guard(case, policy) is None for guard in STATE_GUARDS.get(row.command, {}).values())
    ]


def decision(
    case: Case | None,
    command: Command,
    *events: Event,
    people: tuple[Person, ...] = (),
    primary: tuple[Event, ...] = (),
) -> Decision:
    """The events of a command, the first with its note; `people` are those it brings to the case.

    Raises:
        GuardFailed: `about` names somebody who is not on the case.
    """
    body = command.body
    known = {person.person_ref for person in (*(case.people if case is not None else ()), *people)}
    for index, person_ref in enumerate(body.about or ()):
        if person_ref not in known:
            raise failed("person-unknown", f"/about/{index}")
    first, *others = events
    return Decision(events=(with_note(first, body), *others), primary_events=primary)


Happened = TypeVar("Happened", bound=Event)


def with_note(event: Happened, body: Body) -> Happened:
    """The event with the body's note."""
    return event if body.note is None else replace(event, note=Private.of(body.note))


def by_role(actor: Actor, *roles: Role) -> None:
    """Whether the actor's role is one of these.

    Raises:
        Forbidden: it is none of them; `roles` names those that may.
    """
    if actor.role not in roles:
        zh, en = "、".join(ROLES[role].zh for role in roles), ", ".join(ROLES[role].en for role in roles)
        raise _not_yours("no-relation", zh, en, roles=list(roles))


def _relates(row: Transition, held: frozenset[Relation]) -> bool:
    return not row.who.isdisjoint(held) or (row.on_behalf and not HOLDING.isdisjoint(held))


def _require(row: Transition, held: frozenset[Relation], *, on_behalf: bool) -> None:
    """A party's own act needs the party; recorded on their behalf, the holder or mediator."""
    allowed = not HOLDING.isdisjoint(held) if on_behalf else not row.who.isdisjoint(held)
    if not allowed:
        raise _forbidden(row, "no-relation")


def _forbidden(row: Transition, code: str) -> Forbidden:
    who = [relation for relation in Relation if relation in row.who]
    zh = "、".join(RELATIONS[relation].zh for relation in who)
    en = ", ".join(RELATIONS[relation].en for relation in who)
    if row.on_behalf:
        zh += "(承办人、调解员可注明代为表示)"
        en += " (holder or mediator with on_behalf_of)"
    return _not_yours(code, zh, en, relations=[relation.value for relation in who])


def _not_yours(code: str, zh: str, en: str, **extra: object) -> Forbidden:
    words = REFUSALS[code]
    return Forbidden(
        code, words.en.format(who=en), zh=words.zh.format(who=zh), field="", rule=words.source, **extra
    )
