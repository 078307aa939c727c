"""A case in the course of time: what people do when, in Shanghai, and what its clocks make of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from shared.events.case import Case
from shared.events.cases import LevelNotified
from shared.events.deadlines import Deadline
from shared.events.vocabulary import Timer
from shared.policy.actor import Actor
from shared.policy.jurisdiction import UnitTree
from shared.policy.moments import SHANGHAI
from shared.policy.spans import last_day_of
from tests.unit.casework import (
    LEADER,
    NEIGHBOUR,
    RESIDENT,
    TOWNSHIP,
    TOWNSHIP_OFFICER,
    TREE,
    VILLAGE,
    VILLAGE_OFFICER,
    Docket,
    actor,
    new_id,
)

RESOLVED = {"outcome": "EXPLAINED", "degree": "FULL", "detail": "已答复"}
AGREED = {"form": "ORAL", "facts": "沟堵", "responsibilities": "共同", "terms": [{"text": "清沟"}]}


def moment(text: str) -> datetime:
    """`2025-09-26 10:00`; a day alone is ten in the morning."""
    return datetime.fromisoformat(text if " " in text else f"{text} 10:00").replace(tzinfo=SHANGHAI)


class Affair:
    """One case of group 37 between two neighbours, opened at a moment."""

    def __init__(self, opened: str, by: Actor = LEADER, /, *, tree: UnitTree = TREE, **opening: Any) -> None:
        self.docket = Docket(tree)
        self.docket.now = moment(opened)
        self.first, self.second = str(new_id()), str(new_id())
        people = [
            {"person_ref": self.first, "role": "COMPLAINANT", "name": "甲", "actor_ref": RESIDENT.ref},
            {"person_ref": self.second, "role": "RESPONDENT", "name": "乙", "actor_ref": NEIGHBOUR.ref},
        ]
        self.case_id: UUID = self.docket.open(by, people=people, **opening)

    def on(self, when: str, name: str, by: Actor, /, **fields: Any) -> list[str]:
        """Time passes up to then, and somebody sends this."""
        self.wait(when)
        return self.docket.send(self.case_id, name, by, **fields)

    def then(self, name: str, by: Actor, /, **fields: Any) -> list[str]:
        """At once."""
        return self.docket.send(self.case_id, name, by, **fields)

    def late(self, when: str, name: str, by: Actor, /, **fields: Any) -> list[str]:
        """Recorded now, but it happened then."""
        return self.then(name, by, occurred_at=moment(when).isoformat(), **fields)

    def wait(self, when: str) -> None:
        """The clock records what falls due up to then."""
        self.docket.wait_until(moment(when))

    @property
    def case(self) -> Case:
        return self.docket.cases[self.case_id]

    def clock(self, timer: Timer) -> Deadline:
        """The clock of that kind that was started last."""
        return [deadline for deadline in self.case.deadlines if deadline.timer == timer][-1]

    def last_day(self, timer: Timer) -> str:
        """The day whose end is the due instant."""
        due = self.clock(timer).due_at
        assert due is not None
        return last_day_of(due).isoformat()

    def state(self, timer: Timer) -> str:
        return self.clock(timer).state

    def states(self, timer: Timer) -> list[str]:
        """Of all its clocks of that kind, in order of start."""
        return [deadline.state for deadline in self.case.deadlines if deadline.timer == timer]

    @property
    def timers(self) -> list[str]:
        """The clocks it has had, in order of start."""
        return [deadline.timer for deadline in self.case.deadlines]

    @property
    def live(self) -> set[str]:
        return {deadline.timer for deadline in self.case.deadlines if deadline.live}

    def recorded(self, topic: str) -> list[datetime]:
        """When each event of that topic happened."""
        stream = self.docket.streams[self.case_id]
        return [recorded.occurred_at for recorded, _ in stream if recorded.topic == topic]

    def notified(self) -> list[UUID]:
        stream = self.docket.streams[self.case_id]
        return [event.unit for _, event in stream if isinstance(event, LevelNotified)]

    # --- how cases commonly go -----------------------------------------------------------------

    def handled(self, when: str, by: Actor) -> None:
        """Accepted and given to somebody."""
        self.on(when, "accept-case", by)
        self.then("assign-handler", by, handler_ref=by.ref)

    def mediated(self, when: str, by: Actor = LEADER) -> None:
        """Offered, and both agree to it."""
        self.on(when, "offer-mediation", by, parties=[self.first, self.second])
        self.then("consent-to-mediation", RESIDENT, person_ref=self.first)
        self.then("consent-to-mediation", NEIGHBOUR, person_ref=self.second)

    def replied(self, when: str, by: Actor) -> None:
        """Answered in writing, resolved."""
        self.on(when, "record-reply", by, text="答复意见", delivered_on=when[:10])
        self.then("resolve-case", by, **RESOLVED)

    def closed(self, when: str, by: Actor) -> None:
        """Nobody can be reached, so it is closed."""
        for _ in range(3):
            self.on(when, "record-follow-up", _OTHER[by.ref], reached=False)
        self.then("close-case", by)


_OTHER = {
    TOWNSHIP_OFFICER.ref: actor("other-officer", "township_officer", TOWNSHIP),
    VILLAGE_OFFICER.ref: actor("other-village-officer", "village_officer", VILLAGE),
}
"""Who follows up, since whoever handled it may not."""


def petition(received: str, **fields: Any) -> Affair:
    """A petition handed in at the township."""
    return Affair(received, TOWNSHIP_OFFICER, origin_unit=TOWNSHIP, procedure="PETITION", **fields)


def petition_in_hand(received: str, accepted: str) -> Affair:
    affair = petition(received)
    affair.handled(accepted, TOWNSHIP_OFFICER)
    return affair
