"""Doing harm to a cluster while commands flow, and taking it back."""

import heapq
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from random import Random
from typing import Final

import msgspec

from infra.cluster.cluster import Cluster, Part
from infra.processes import Process
from shared.runtime.identifiers import new_id
from shared.runtime.settings import KafkaSettings
from tests.chaos.plan import Fault
from tests.kafka.meddling import Sent, move_offsets, replaced, send, some
from tests.load import Load

_LOOK_S: Final = 0.05
_THIRD: Final = "projector-3"

Step = Callable[[], None]


@dataclass
class Stage:
    """A cluster under load, and what was put into its topic by hand."""

    cluster: Cluster
    load: Load
    ours: set[tuple[int, int]] = field(default_factory=set)
    """Partition and offset of each record that no relay wrote."""
    false: set[tuple[int, int]] = field(default_factory=set)
    """Those of them that must be parked."""
    ended: list[str] = field(default_factory=list)
    """What ended by itself and was started anew."""

    @property
    def town(self) -> KafkaSettings:
        return KafkaSettings(servers=self.cluster.broker.bootstrap)

    def tend(self) -> None:
        self.ended += self.cluster.tend()


def strike(stage: Stage, faults: Iterable[Fault]) -> None:
    """Does them, each in its time, and takes all of them back."""
    began, order = time.monotonic(), count()
    due: list[tuple[float, int, Step]] = []

    def later(at_s: float, step: Step) -> None:
        heapq.heappush(due, (at_s, next(order), step))

    def begin(fault: Fault) -> None:
        later(fault.begins_s + fault.lasts_s, WAYS[fault.kind](stage, fault))

    for fault in faults:
        later(fault.begins_s, partial(begin, fault))
    while due:
        if time.monotonic() - began >= due[0][0]:
            heapq.heappop(due)[2]()
        else:
            stage.tend()
            time.sleep(_LOOK_S)


def publishing(cluster: Cluster) -> Process:
    """The relay that began to publish last."""
    relays = [part for name, part in cluster.products.items() if name.startswith("relay-")]
    return max(relays, key=_began_publishing)


def _began_publishing(relay: Process) -> str:
    """When, in a form that sorts; nothing where it never did."""
    lines = relay.output.read_bytes().splitlines() if relay.output.exists() else []
    told = [line for line in lines if b'"relay_publishes"' in line]
    return str(msgspec.json.decode(told[-1])["at"]) if told else ""


def _killed(part: Part) -> Step:
    part.kill()
    return part.start


def _paused(part: Process) -> Step:
    part.pause()
    return part.resume


def _kill_target(stage: Stage, fault: Fault) -> Step:
    return _killed(stage.cluster.parts[fault.target])


def _kill_relay(stage: Stage, fault: Fault) -> Step:
    return _killed(publishing(stage.cluster))


def _pause_relay(stage: Stage, fault: Fault) -> Step:
    return _paused(publishing(stage.cluster))


def _pause_projector(stage: Stage, fault: Fault) -> Step:
    return _paused(stage.cluster.products[fault.target])


def _pause_broker(stage: Stage, fault: Fault) -> Step:
    return _paused(stage.cluster.broker)


def _drop_broker(stage: Stage, fault: Fault) -> Step:
    stage.cluster.broker.stop()
    return stage.cluster.broker.start


def _fill_relay(stage: Stage, fault: Fault) -> Step:
    """More than the relay holds comes while it can get rid of nothing."""
    undo = _killed(stage.cluster.broker)
    stage.load.burst(fault.size)
    return undo


def _abort_postgres(stage: Stage, fault: Fault) -> Step:
    stage.cluster.postgres.abort()
    return stage.cluster.postgres.start


def _deliver_again(stage: Stage, fault: Fault) -> Step:
    stage.ours |= send(stage.town, some(stage.town, Random(fault.seed), fault.size, stage.ours))
    return _nothing


def _false_records(stage: Stage, fault: Fault) -> Step:
    """Records that are of no use, and damaged ones in the place of what may have been told already."""
    draw = Random(fault.seed)
    for original in some(stage.town, draw, fault.size, stage.ours):
        false = send(stage.town, _false(original))
        stage.false |= false
        stage.ours |= false | send(stage.town, _damaged(original))
    return _nothing


def _false(record: Sent) -> Iterator[Sent]:
    yield replaced(record, headers={}, key=None, value=b"\x00")
    yield replaced(record, headers={"ce_source": "/ledgers/another"})
    yield replaced(record, headers={"ce_position": "many"})
    yield replaced(record, headers={"ce_position": str(10**12)})
    yield replaced(record, partition=(record.partition + 1) % 4)


def _damaged(record: Sent) -> Iterator[Sent]:
    yield replaced(record, value=record.value[:-1])
    yield replaced(record, headers={"ce_id": str(new_id())})
    yield replaced(record, headers={"ce_dataschema": record.headers["ce_dataschema"] + "9"})
    # About to be taken by an event, or just taken.
    soon = str(int(record.headers["ce_position"]) + 1)
    yield replaced(record, headers={"ce_position": soon})


def _move_offsets(stage: Stage, fault: Fault) -> Step:
    """Once the group is empty, as an operator's tool would."""
    projectors = [part for name, part in stage.cluster.products.items() if name.startswith("projector-")]
    for projector in projectors:
        projector.terminate()
    for projector in projectors:
        projector.stop()
    draw = Random(fault.seed)
    move_offsets(stage.town, draw.choice((0, draw.randrange(2_000))))

    def undo() -> None:
        for projector in projectors:
            projector.start()

    return undo


def _rebalance(stage: Stage, fault: Fault) -> Step:
    """A third projector comes and goes while there is much to tell."""
    third = stage.cluster.product(_THIRD, "projector")
    third.start()
    stage.load.burst(fault.size)
    return third.kill if fault.seed % 2 else third.stop


def _nothing() -> None:
    pass


WAYS: Final[Mapping[str, Callable[[Stage, Fault], Step]]] = {
    "kill-relay": _kill_relay,
    "pause-relay": _pause_relay,
    "kill-projector": _kill_target,
    "pause-projector": _pause_projector,
    "kill-api": _kill_target,
    "kill-clock": _kill_target,
    "kill-broker": _kill_target,
    "drop-broker": _drop_broker,
    "drop-broker-for-minutes": _drop_broker,
    "pause-broker": _pause_broker,
    "fill-relay": _fill_relay,
    "kill-postgres": _kill_target,
    "abort-postgres": _abort_postgres,
    "deliver-again": _deliver_again,
    "move-offsets": _move_offsets,
    "false-records": _false_records,
    "rebalance": _rebalance,
}
