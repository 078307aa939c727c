"""The decisions of intake: `decide` is pure, and raises nothing but `Refused`."""

from collections.abc import Callable
from typing import Any

from services.intake.domain import adding, arriving, commands
from shared.events.case import Case
from shared.policy.bodies import Body
from shared.policy.clocks import with_clocks
from shared.policy.command import Command, Decision
from shared.policy.deciding import admit
from shared.policy.policy import Policy

_DECIDERS: dict[type[Body], Callable[[Case, Command, Any, Policy], Decision]] = {
    commands.AcceptCase: arriving.accept_case,
    commands.RejectCase: arriving.reject_case,
    commands.TransferCase: arriving.transfer_case,
    commands.MergeCase: arriving.merge_case,
    commands.AddPerson: adding.add_person,
    commands.RecordVisit: adding.record_visit,
    commands.AttachDocument: adding.attach_document,
    commands.RecordContact: adding.record_contact,
    commands.NotifyComplainant: adding.notify_complainant,
}


def decide(case: Case | None, command: Command, policy: Policy) -> Decision:
    """The events that a command comes to; `case` is None where there is none of that id.

    Raises:
        Unknown, Forbidden, Taken, WrongState, GuardFailed: in this order.
    """
    admit(case, command, policy)
    if isinstance(command.body, commands.OpenCase):
        decided = arriving.open_case(command, command.body, policy)
    else:
        assert case is not None
        decided = _DECIDERS[type(command.body)](case, command, command.body, policy)
    return with_clocks(case, decided, command)
