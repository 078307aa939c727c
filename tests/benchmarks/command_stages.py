"""Where a command's own work goes: the CPU of each stage, each in a tight loop over one case's life.

Within a serving process the same work takes about three times as long, since nothing of it
is in the processor's caches when its turn comes.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import ParamSpec, TypeVar

from shared.events.ledger import wire
from shared.events.recorded import Appended, IdempotencyKey, Metadata
from shared.policy.actor import Actor
from shared.policy.jurisdiction import Unit, UnitTree
from shared.policy.packs import DEFAULT_POLICY
from shared.runtime.case_commands import case_answer
from shared.runtime.case_memory import Known, after
from shared.runtime.command_handling import Outcome, Sent
from shared.runtime.command_http import created, read_sent
from shared.runtime.drafts import Draft, Placed, draft, recorded
from shared.runtime.identifiers import new_id
from shared.runtime.sealing import MasterKey, Sealing, people_in
from shared.runtime.web import Answer, Request
from tests.benchmarks.command_server import COMMANDS, decided
from tests.benchmarks.http_load import life_of_a_case

_ROUNDS = 1000

T = TypeVar("T")
P = ParamSpec("P")


def stages() -> dict[str, float]:
    """Stage to its CPU in µs for one command, the mean over the life of a case."""
    unit = Unit(unit_id=new_id(), kind="GROUP", name="37", parent_id=None)
    tree, master = UnitTree({unit.unit_id: unit}), MasterKey(b"m" * 32)
    actor = Actor(ref="leader-37", role="group_leader", unit=unit.unit_id)
    spent: dict[str, list[float]] = {}

    def measured(stage: str, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        started = time.process_time()
        for _ in range(_ROUNDS):
            result = work(*arguments, **named)
        spent.setdefault(stage, []).append((time.process_time() - started) / _ROUNDS * 1e6)
        return result

    seen: Known | None = None
    for path, if_match, content in life_of_a_case(str(unit.unit_id), actor.ref):
        name = "open-case" if path == "/v1/cases" else path.rpartition("/")[2]
        body, decide = COMMANDS[name]
        headers = {b"idempotency-key": b"k"} | ({b"if-match": if_match.encode()} if if_match else {})
        request = Request("POST", path, headers, content=content)
        request.actor = actor
        sent = measured("parse and validate", read_sent, request, body)
        key = measured("hash the key", sent.idempotency, master)
        case = None if seen is None else seen.case
        case_id = None if case is None else case.case_id
        target, events = measured("decide", decided, sent, name, case_id, case, decide, tree)
        version = 0 if case is None else case.version
        placed = [Placed(target, number, event) for number, event in enumerate(events, start=version + 1)]
        ready = measured("seal and encode", _sealed, placed, sent, master, key)
        measured("put on the wire", wire.encode, ready.append)
        outcome = measured("fold", _folded, ready, seen, version)
        measured("answer", _answered, outcome)
        seen = Known(outcome.cases[target], 0)
    return {stage: sum(times) / len(times) for stage, times in spent.items()}


def _sealed(placed: list[Placed], sent: Sent, master: MasterKey, key: IdempotencyKey) -> Draft:
    metadata = Metadata(
        occurred_at=sent.now,
        actor_ref=sent.actor.ref,
        actor_role=sent.actor.role,
        unit=sent.actor.unit,
        correlation_id=placed[0].stream_id,
        traceparent=sent.traceparent,
        policy=DEFAULT_POLICY.id,
    )
    people = [person_ref for place in placed for person_ref in people_in(place.event)]
    return draft(placed, metadata, Sealing(master, people), key)


def _folded(ready: Draft, before: Known | None, version: int) -> Outcome:
    appended = Appended(
        first_position=version + 1,
        last_position=version + len(ready.placed),
        recorded_at=datetime.now(UTC),
        repeated=False,
    )
    stored = recorded(ready, appended)
    pairs = [(each, place.event) for each, place in zip(stored, ready.placed, strict=True)]
    following = after(before, pairs)
    assert following is not None
    return Outcome(stored, {following.case.case_id: following.case}, repeated=False)


def _answered(outcome: Outcome) -> Answer:
    return created(case_answer(outcome), 1)
