"""Windows at sentence borders, for texts longer than a model reads at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of units (sentences, or pieces of an over-long one) read at once.

    Attributes:
        first: index of its first unit.
        last: index after its last unit.
    """

    first: int
    last: int


def plan_windows(lengths: Sequence[int], budget: int, overlap: int = 0) -> list[Window]:
    """Pack consecutive units into as few windows as fit a budget.

    Args:
        lengths: tokens of each unit, each at most `budget`.
        budget: tokens that a window holds.
        overlap: a window begins with whole units of its predecessor's end, at most this many tokens of them.

    Returns:
        windows in order that together hold every unit.

    Raises:
        ValueError: a unit is longer than the budget.
    """
    if any(length > budget for length in lengths):
        raise ValueError(f"a unit of {max(lengths)} tokens does not fit a window of {budget}; split it first")
    windows: list[Window] = []
    first = 0
    while first < len(lengths):
        last, used = first, 0
        while last < len(lengths) and used + lengths[last] <= budget:
            used += lengths[last]
            last += 1
        windows.append(Window(first, last))
        if last == len(lengths):
            break
        # Step back over whole units for the overlap, but always leave the next unit room.
        back, shared = last, 0
        while back - 1 > first and shared + lengths[back - 1] <= min(overlap, budget - lengths[last]):
            back -= 1
            shared += lengths[back]
        first = back
    return windows
