"""How much of its data a training reads at once and in all, where the config leaves that open.

Few rows are learnt best in small batches: more steps from the same texts, and in less time (the study
`experiments/training-ways` tells what was measured).
"""

from __future__ import annotations

# Windows of a batch for up to so many rows, and for more.
_BATCHES, _BATCH = {4_000: 8, 10_000: 16}, 32
_SMALL_BATCH = min(_BATCHES.values())
_EXAMPLES_IN_SMALL, _EXAMPLES = 8_000, 20_000


def batch_for(rows: int) -> int:
    """Return how many windows a training batch has."""
    return next((batch for most, batch in _BATCHES.items() if rows <= most), _BATCH)


def examples_for(step: int) -> int:
    """Return how many examples a training sees in all, by the windows of an optimiser step."""
    return _EXAMPLES_IN_SMALL if step <= _SMALL_BATCH else _EXAMPLES


def passes(examples: int, seen: int, least: float, most: float) -> float:
    """Return how often to go through the data: small sets need more passes than large ones.

    Args:
        examples: number of training examples.
        seen: examples to see in all.
        least: passes at least.
        most: passes at most.

    Returns:
        whole passes, unless a bound is not.
    """
    return min(max(round(seen / examples), least), most)
