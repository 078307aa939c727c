"""The values of measures, made from counts of facts."""

from collections.abc import Iterable
from typing import Any

from services.projections.figures.measures import DUTIES, Measure, percent
from services.projections.figures.tallies import Counts
from shared.events.vocabulary import LEVELS


def count_value(counts: Counts, facts: Iterable[str]) -> int:
    return sum(counts[fact, None] for fact in facts)


def urgent_value(counts: Counts, facts: Iterable[str], unclassified: Iterable[str]) -> dict[str, Any]:
    return urgent_count(count_value(counts, facts), count_value(counts, unclassified))


def urgent_count(known: int, missing: int) -> dict[str, Any]:
    """A count that can't be known while some cases are unclassified: then at least so many."""
    if missing:
        return {"value": None, "at_least": known, "unclassified": missing}
    return {"value": known}


def ratio(numerator: int, denominator: int) -> dict[str, Any]:
    return {
        "numerator": numerator,
        "denominator": denominator,
        "percent": percent(numerator, denominator),
    }


def measure_value(measure: Measure, counts: Counts) -> Any:
    """The value of any measure but coverage."""
    if measure.kind == "URGENT":
        return urgent_value(counts, measure.facts, measure.unclassified)
    if measure.kind == "RATIO":
        return _ratio_of_known(measure, counts)
    if measure.kind in ("LEVELS", "TIMERS"):
        return {
            each: ratio(
                sum(counts[fact, each] for fact in measure.facts),
                sum(counts[fact, each] for fact in measure.over),
            )
            for each in (LEVELS if measure.kind == "LEVELS" else DUTIES)
        }
    return count_value(counts, measure.facts)


def _ratio_of_known(measure: Measure, counts: Counts) -> dict[str, Any]:
    """The ratio; `unclassified` beside it says how many more the numerator may turn out to be."""
    value = ratio(count_value(counts, measure.facts), count_value(counts, measure.over))
    missing = count_value(counts, measure.unclassified)
    return {**value, "unclassified": missing} if missing else value
