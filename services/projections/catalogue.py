"""The read models and what feeds them: which streams are projected, into which tables."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from services.projections.cases.projector import CaseProjector
from services.projections.cases.rows import CASES
from services.projections.deadlines.rows import DEADLINES
from services.projections.figures.facts import FACTS, roster_facts, visit_facts
from services.projections.imports.rows import IMPORTS, ImportProjector
from services.projections.inbox.rows import INBOX, SEEN, SeenProjector
from services.projections.services_ledger.rows import SERVICES, recorded_service
from services.projections.tables import Table
from services.projections.temporal import Projector, Row
from shared.events.base import Event
from shared.events.recorded import Recorded

_ROOM: Final = Path(__file__).parent


class ReadModel(msgspec.Struct, frozen=True, kw_only=True):
    """A folder: its tables, and the indexes that a build from zero makes last."""

    name: str
    folder: str
    tables: tuple[str, ...]
    caches: tuple[str, ...] = ()
    """Tables made from those, which are empty at first and filled by the worker."""

    def statements(self, part: str) -> bytes:
        """The SQL of `tables` or `indexes`, for whatever schema comes first in the search path."""
        return (_ROOM / self.folder / f"{part}.sql").read_bytes()

    @property
    def definition(self) -> str:
        """Digest of its SQL: rows made with another one have to be made anew."""
        return sha256(self.statements("tables") + self.statements("indexes")).hexdigest()


MODELS: Final[Mapping[str, ReadModel]] = {
    model.name: model
    for model in (
        ReadModel(name="cases", folder="cases", tables=("cases",)),
        ReadModel(
            name="figures",
            folder="figures",
            tables=("facts",),
            caches=("tallies", "tallied", "tallied_units"),
        ),
        ReadModel(name="services", folder="services_ledger", tables=("services",)),
        ReadModel(name="deadlines", folder="deadlines", tables=("deadlines",)),
        ReadModel(name="inbox", folder="inbox", tables=("inbox", "seen")),
        ReadModel(name="imports", folder="imports", tables=("imports",)),
        ReadModel(name="actors", folder="actors", tables=("actors",)),
    )
}

VIEWS: Final[Mapping[str, tuple[str, ...]]] = {
    "backlog_by_holder": ("figures",),
    "backlog_by_origin": ("figures",),
    "urgent_board": ("cases", "figures"),
    "deadline_board": ("cases", "deadlines"),
    "inbox": ("cases", "inbox"),
    "visit_coverage": ("figures",),
    "campaign_kpi": ("figures",),
    "service_ledger": ("services",),
}
"""The published views and the read models they are read from; a case's timeline is the ledger itself."""

PUBLISHED_VIEWS: Final = ("case_timeline", *(view for view in VIEWS if view != "inbox"))
"""Those that Kafka has. What waits for a person is told to that person alone, so the inbox is none."""

TABLES: Final[Mapping[str, Table]] = {
    table.name: table for table in (CASES, FACTS, SERVICES, DEADLINES, INBOX, SEEN, IMPORTS)
}
"""The temporal tables; `actors` has a shape of its own."""


class EventProjector:
    """Streams whose rows are a function of their one event."""

    lasting = False

    def __init__(self, rows: Callable[[Recorded, Any], tuple[Row, ...]]) -> None:
        self._rows = rows

    def alone(self, recorded: Recorded, event: Event) -> tuple[Row, ...]:
        return self._rows(recorded, event)

    def evolve(self, state: None, recorded: Recorded, event: Event) -> None:
        return None

    def rows(self, state: None) -> tuple[Row, ...]:
        return ()


PROJECTORS: Final[Mapping[str, Projector[Any]]] = {
    "case": CaseProjector(),
    "visit": EventProjector(visit_facts),
    "roster": EventProjector(roster_facts),
    "service": EventProjector(recorded_service),
    "import": ImportProjector(),
    "inbox": SeenProjector(),
}
"""By the kind of stream, the part of a topic before its first dot; other kinds leave no rows."""


def projector_of(topic: str) -> Projector[Any] | None:
    return PROJECTORS.get(topic.partition(".")[0])
