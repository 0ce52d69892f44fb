"""A share of the training rows: nested, so that a larger share holds the smaller ones."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from conflictnlp.data.check import label_counts
from conflictnlp.data.example import Example
from conflictnlp.data.splits import Splits
from conflictnlp.task import Task


def take_share(examples: Sequence[Example], share: float, seed: int) -> list[Example]:
    """Draw a share of the examples at random; rows of one group, or of one text, stay together.

    The groups are shuffled once for a seed and taken from the front until the share is reached, so that of two
    shares with one seed the larger holds the smaller. Labels are not balanced: who codes more articles does not
    choose their labels either.

    Args:
        examples: what is drawn from.
        share: of the rows, above 0 and at most 1; whole groups may make it a little more.
        seed: of the order.

    Returns:
        the drawn examples in their old order.
    """
    if share >= 1:
        return list(examples)
    clusters: dict[str, list[int]] = defaultdict(list)
    for index, example in enumerate(examples):
        clusters[example.cluster].append(index)
    order = list(clusters)
    random.Random(seed).shuffle(order)
    wanted = max(1, round(share * len(examples)))
    taken: list[int] = []
    for name in order:
        if len(taken) >= wanted:
            break
        taken += clusters[name]
    return [examples[index] for index in sorted(taken)]


def with_share(splits: Splits, share: float, seed: int, task: Task) -> Splits:
    """Return the splits with a share of their training rows, and a report that says so.

    Args:
        splits: complete.
        share: as for `take_share`.
        seed: as for `take_share`.
        task: tells the labels to count.

    Returns:
        new splits; the validation and test rows are the same.
    """
    train = take_share(splits.train, share, seed)
    report = replace(
        splits.report,
        rows={**splits.report.rows, "train": len(train)},
        labels={**splits.report.labels, "train": label_counts(train, task)},
    )
    return replace(splits, train=train, report=report)
