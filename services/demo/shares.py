"""Dividing a whole among many, so that the parts sum to it exactly."""

from collections.abc import Sequence


def shares(whole: int, weights: Sequence[float]) -> list[int]:
    """Whole numbers in proportion to the weights that sum to `whole`, by largest remainder."""
    total = sum(weights)
    exact = [whole * weight / total for weight in weights]
    parts = [int(part) for part in exact]
    by_remainder = sorted(range(len(parts)), key=lambda index: (parts[index] - exact[index], index))
    for index in by_remainder[: whole - sum(parts)]:
        parts[index] += 1
    return parts
