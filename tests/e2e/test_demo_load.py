"""Loading a demo set into a product that runs: its figures, going on after a cut, and repeating nothing."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import httpx
import pytest
from msgspec.structs import replace

from services.demo.huinan import Campaign, huinan
from services.demo.huinan_places import TOWN, UNITS
from services.demo.lines import SHANGHAI, Line
from services.demo.loader import LoadFailed, load_set
from services.demo.progress import Progress, read_progress, write_progress
from services.demo.sets import DemoSet
from tests.e2e.players import Json, Players, players
from tests.product import Product, anjie, serving
from tests.unit.rehearsal import Rehearsal

SMALL: Final = Campaign(households=900, visits=780, cases=70, resolved=57, urgent=33)
YEAR: Final = {"unit": TOWN.unit_id, "from": "2014-01-01", "to": "2014-12-31"}


class Cut(Exception):
    """What ends a load from outside."""


@dataclass
class Loading:
    """A small campaign, and what its loads reported."""

    data_dir: Path
    lines: list[Line] = field(default_factory=lambda: list(huinan(SMALL)))
    reports: list[Progress] = field(default_factory=list)

    def load(self, product: Product, *, cut_after: int | None = None) -> None:
        token = anjie("token", "--role", "operator", data_dir=self.data_dir).stdout.strip()
        self.reports.clear()

        def lines() -> Iterator[Line]:
            for number, line in enumerate(self.lines):
                if number == cut_after:
                    raise Cut
                yield line

        demo = DemoSet("huinan", lines, len(self.lines), TOWN.name)
        load_set(product.url, token, demo, self.data_dir, self.reports.append)

    @property
    def recorded(self) -> Progress:
        (found,) = read_progress(self.data_dir)
        return found


@pytest.fixture(scope="module")
def loading() -> Iterator[Loading]:
    with tempfile.TemporaryDirectory(prefix="anjie-load-") as directory:
        yield Loading(Path(directory) / "data")


@pytest.fixture(scope="module")
def product(loading: Loading) -> Iterator[Product]:
    """A product into which the campaign was loaded, cut off half-way by the death of everything."""
    with serving(loading.data_dir) as first:
        half = len(loading.lines) // 2
        with pytest.raises(Cut):
            loading.load(first, cut_after=half)
        assert 0 < loading.recorded.lines <= half
        assert loading.recorded.finished_at is None
        first.process.kill()
        first.process.wait()
    with serving(loading.data_dir) as second:
        loading.load(second)
        yield second


@pytest.fixture(scope="module")
def cast(product: Product) -> Iterator[Players]:
    with httpx.Client(base_url=product.url, timeout=30) as http:
        yield players(product, http)


@pytest.fixture(scope="module")
def head(cast: Players, loading: Loading) -> int:
    """The position of the last event of the load."""
    events = cast.http.get("/v1/events", params={"limit": 5000}, headers=cast.token(None)).text.splitlines()
    return len(events)


def kpi(cast: Players, head: int, **parameters: object) -> Json:
    answer = cast.read("/v1/kpi", TOWN.officer(), min_position=head, **parameters)
    measures: Json = answer["measures"]
    return measures


def test_a_cut_load_goes_on_where_it_was_and_ends_whole(product: Product, loading: Loading) -> None:
    assert loading.reports[0].lines > 0, "it didn't begin anew"
    assert loading.recorded.finished_at is not None
    assert loading.recorded.lines == loading.recorded.total == len(loading.lines)
    done = [report.lines for report in loading.reports]
    assert done == sorted(done)


def test_status_and_metrics_show_the_load(product: Product, loading: Loading) -> None:
    told = json.loads(anjie("status", "--json", data_dir=loading.data_dir).stdout)
    assert [(entry["name"], entry["lines"]) for entry in told["demo"]] == [("huinan", len(loading.lines))]
    metrics = httpx.get(f"{product.url}/metrics").text
    assert f'anjie_demo_lines_loaded{{set="huinan"}} {len(loading.lines)}.0' in metrics


def test_the_figures_of_the_year_are_exact(cast: Players, head: int) -> None:
    measures = kpi(cast, head, **YEAR)
    assert measures["registered"] == SMALL.cases
    assert measures["disposition_rate"] == {"numerator": 57, "denominator": 70, "percent": "81.43"}
    assert measures["disposition_rate_net"] == measures["disposition_rate"]
    assert measures["backlog"] == 13
    assert measures["urgent_share_of_resolved"] == {"numerator": 33, "denominator": 57, "percent": "57.89"}
    assert measures["urgent_registered"] == {"value": None, "at_least": 33, "unclassified": 13}
    assert measures["visits"] == SMALL.visits
    backlog = cast.read("/v1/backlog", TOWN.officer(), by="origin", unit=TOWN.unit_id)
    assert (backlog["total"], len(backlog["rows"])) == (13, len(UNITS) + 1)


@pytest.mark.parametrize("month", [2, 3, 5, 8, 11, 12])
def test_any_day_has_the_figures_of_that_day(cast: Players, head: int, loading: Loading, month: int) -> None:
    end_of_day = datetime(2014, month, 18, tzinfo=SHANGHAI) - timedelta(seconds=1)
    then = Rehearsal()
    then.play(line for line in loading.lines if line.at <= end_of_day)
    measures = kpi(cast, head, **YEAR, at_occurred=end_of_day.isoformat())
    cases = then.cases.values()
    resolved = sum(case.is_resolved for case in cases)
    urgent = sum(case.urgent is True for case in cases)
    unknown = sum(case.urgent is None for case in cases)
    assert measures["registered"] == len(cases)
    assert measures["disposition_rate"]["numerator"] == resolved
    assert measures["backlog"] == len(cases) - resolved
    assert measures["visits"] == len(then.visits)
    known = (
        {"value": urgent} if unknown == 0 else {"value": None, "at_least": urgent, "unclassified": unknown}
    )
    assert measures["urgent_registered"] == known


def test_loading_again_repeats_nothing(product: Product, cast: Players, head: int, loading: Loading) -> None:
    before = kpi(cast, head, **YEAR)
    loading.load(product)
    assert loading.reports == [], "it is there already"
    record = loading.data_dir / "demo" / "huinan.json"
    record.unlink()
    loading.load(product)
    assert loading.reports[0].lines == 0
    events = cast.http.get("/v1/events", params={"after": head}, headers=cast.token(None))
    assert events.text == "", "every line was known by its key"
    assert kpi(cast, head, **YEAR) == before


def test_a_record_of_other_lines_is_not_believed(
    product: Product, cast: Players, head: int, loading: Loading
) -> None:
    other = replace(loading.recorded, finished_at=None, lines=500, last_key="huinan/of/another/edition")
    write_progress(loading.data_dir, other)
    loading.load(product)
    assert loading.reports[0].lines == 0
    assert loading.recorded.lines == len(loading.lines)


def test_a_refused_line_ends_the_load_and_is_named(
    product: Product, loading: Loading, tmp_path: Path
) -> None:
    bad = next(line for line in loading.lines if line.request.path == "/v1/cases")
    body = bad.request.body | {"case_id": None, "category": "NO_SUCH", "title": "某某的事"}
    headers = bad.request.headers | {"Idempotency-Key": "huinan/bad"}
    line = bad._replace(request=replace(bad.request, body=body, headers=headers))
    token = anjie("token", "--role", "operator", data_dir=loading.data_dir).stdout.strip()
    with pytest.raises(LoadFailed, match="huinan/bad") as failed:
        load_set(product.url, token, DemoSet("bad", lambda: iter([line]), 1, "-"), tmp_path, lambda _: None)
    assert "某某" not in str(failed.value)
    assert read_progress(tmp_path) == ()
