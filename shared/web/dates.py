"""Days and instants as people in China say them, in Chinese and English."""

from datetime import date, datetime

from shared.policy.moments import SHANGHAI


def local(instant: str | datetime) -> datetime:
    """An instant by the clock in Shanghai."""
    when = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    return when.astimezone(SHANGHAI)


def day_in_words(language: str, day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日" if language == "zh" else f"{day.day} {day:%b %Y}"


def moment_in_words(language: str, instant: str | datetime) -> str:
    """To the minute."""
    when = local(instant)
    return f"{day_in_words(language, when.date())} {when:%H:%M}"
