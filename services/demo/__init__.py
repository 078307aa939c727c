"""Demo sets: made-up data that goes in through the public interface like anybody's."""

from services.demo.loader import LoadFailed, load
from services.demo.people import people
from services.demo.progress import Progress, gauges, read_progress
from services.demo.sets import SETS
from services.demo.stories import STORY_CASES

__all__ = ["SETS", "STORY_CASES", "LoadFailed", "Progress", "gauges", "load", "people", "read_progress"]
