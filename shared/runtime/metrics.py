"""What `/metrics` shows of this process."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

MEDIA_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
_LATENCIES_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

REGISTRY = CollectorRegistry()

_requests = Histogram(
    "anjie_request_seconds",
    "Requests by route, method and status.",
    ("route", "method", "status"),
    buckets=_LATENCIES_S,
    registry=REGISTRY,
)
_batch_commands = Histogram(
    "anjie_append_batch_commands",
    "Commands stored together in one commit.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
    registry=REGISTRY,
)
_batch_seconds = Histogram(
    "anjie_append_seconds", "Time of one commit.", buckets=_LATENCIES_S, registry=REGISTRY
)
_sign_ins = Counter(
    "anjie_sign_ins", "Attempts to sign in on a page, by how they ended.", ("outcome",), registry=REGISTRY
)

_request_children: dict[tuple[str, str, int], Histogram] = {}


def observe_request(route: str, method: str, status: int, seconds: float) -> None:
    """Counts one request; `route` is the template of its path, never the path itself."""
    key = (route, method, status)
    child = _request_children.get(key)
    if child is None:
        child = _request_children[key] = _requests.labels(route, method, str(status))
    child.observe(seconds)


def observe_append(commands: int, seconds: float) -> None:
    """Counts one commit of the ledger."""
    _batch_commands.observe(commands)
    _batch_seconds.observe(seconds)


def count_sign_in(outcome: str) -> None:
    """Counts one attempt to sign in on a page: `signed_in`, `refused` or `too_often`."""
    _sign_ins.labels(outcome).inc()


class _Gauges(Collector):
    """Gauges that are read when `/metrics` is."""

    def __init__(self, read: Callable[[], Iterable[GaugeMetricFamily]]) -> None:
        self._read = read

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return self._read()


def add_gauges(read: Callable[[], Iterable[GaugeMetricFamily]]) -> None:
    """Has gauges made at each reading of `/metrics`."""
    REGISTRY.register(_Gauges(read))


def exposition(gauges: Iterable[GaugeMetricFamily] = ()) -> bytes:
    """Everything in the text format, with gauges that were read for this one time."""
    once = CollectorRegistry()
    once.register(_Gauges(lambda: gauges))
    return generate_latest(REGISTRY) + generate_latest(once)
