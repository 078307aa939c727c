"""Clocks as people say them."""

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from services.pages import clock_words as module
from services.pages.clock_words import clock_words
from shared.web.words import Words

WORDS: Final = Words([Path(module.__file__).parent / "commands" / "words.yaml"])
NOW: Final = datetime.fromisoformat("2026-11-27T19:22:00+08:00")


@pytest.mark.parametrize(
    ("state", "due", "zh", "en"),
    [
        (
            "BREACHED",
            "2026-11-27",
            "已逾期1天，应于11月26日24:00前办完",
            "Overdue by 1 day, was due by 26 Nov 24:00",
        ),
        (
            "BREACHED",
            "2025-10-28",
            "已逾期396天，应于2025年10月27日24:00前办完",
            "Overdue by 396 days, was due by 27 Oct 2025 24:00",
        ),
        ("RUNNING", "2026-12-01", "计至周一24:00", "Counts until Monday 24:00"),
        ("RUNNING", "2026-12-31", "计至12月30日24:00", "Counts until 30 Dec 24:00"),
        ("RUNNING", "2027-01-16", "计至2027年1月15日24:00", "Counts until 15 Jan 2027 24:00"),
    ],
)
def test_a_day_says_its_year_where_it_is_another_one(state: str, due: str, zh: str, en: str) -> None:
    clock = {"state": state, "due_at": f"{due}T00:00:00+08:00", "left": None}
    told = [clock_words(clock, NOW, partial(WORDS.say, language)).told for language in ("zh", "en")]
    assert told == [zh, en]
