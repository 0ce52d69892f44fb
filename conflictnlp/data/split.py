"""Splits that are made rather than given: by group, by date or stratified, always seeded."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from conflictnlp.data.example import Example
from conflictnlp.data.near_duplicates import near_duplicates, normalise
from conflictnlp.errors import InputError
from conflictnlp.task import Task

_ISO_DATE = re.compile(r"\d{4}(-\d\d){0,2}([T ]|$)")


def cut(
    examples: Sequence[Example], share: float, method: str, seed: int, task: Task, threshold: float
) -> tuple[list[Example], list[Example]]:
    """Cut a share off a list of examples; what depends on one another stays together.

    Rows with the same or nearly the same text never part. "group" keeps rows of one group together as well;
    "date" cuts the latest rows off; all but "date" balance the labels.

    Args:
        examples: labelled examples.
        share: part to cut off, between 0 and 1.
        method: group, date or stratified.
        seed: makes the cut repeatable.
        task: tells the labels.
        threshold: similarity from which texts are nearly the same.

    Returns:
        (kept, cut off), both in their old order.

    Raises:
        InputError: there are too few independent examples, or a date is missing.
    """
    components = components_of(examples, use_groups=method != "stratified", threshold=threshold)
    if len(components) < 2:
        raise InputError(
            f"data: cannot cut a split of {share:.0%}: the {len(examples)} rows form {len(components)} group(s); "
            "give the split as a file (data.validation=..., data.test=...) or choose data.split.method=stratified"
        )
    if method == "date":
        chosen = _latest(examples, components, share)
    else:
        chosen = _balanced(examples, components, share, seed, task)
    taken = {index for number in chosen for index in components[number]}
    kept = [example for index, example in enumerate(examples) if index not in taken]
    return kept, [examples[index] for index in sorted(taken)]


def components_of(examples: Sequence[Example], use_groups: bool, threshold: float) -> list[list[int]]:
    """Join rows that share a group or nearly a text, directly or through others (union-find).

    Args:
        examples: the rows.
        use_groups: whether rows of one group belong together.
        threshold: similarity from which texts are nearly the same.

    Returns:
        the row numbers of each component.
    """
    parent = list(range(len(examples)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first: dict[tuple[str, str], int] = {}
    texts: dict[str, int] = {}
    for index, example in enumerate(examples):
        text = normalise(example.text)
        keys = [("text", text)]
        if use_groups and example.group is not None:
            keys.append(("group", example.group))
        for key in keys:
            parent[root(index)] = root(first.setdefault(key, index))
        texts.setdefault(text, index)
    rows = list(texts.values())
    for one, other in near_duplicates(list(texts), threshold):
        parent[root(rows[one])] = root(rows[other])
    members: dict[int, list[int]] = defaultdict(list)
    for index in range(len(examples)):
        members[root(index)].append(index)
    return sorted(members.values())


def _latest(examples: Sequence[Example], components: list[list[int]], share: float) -> list[int]:
    dates = []
    for rows in components:
        stated = [examples[index].date for index in rows]
        missing = next((index for index in rows if not examples[index].date), None)
        if missing is not None:
            raise InputError(f"{examples[missing].where}: no date, which data.split.method=date needs")
        wrong = next((index for index in rows if not _ISO_DATE.match(examples[index].date or "")), None)
        if wrong is not None:
            raise InputError(
                f"{examples[wrong].where}: date {examples[wrong].date!r} is not ISO (YYYY-MM-DD), "
                "which data.split.method=date needs"
            )
        dates.append(max(date for date in stated if date))
    order = sorted(range(len(components)), key=lambda number: (dates[number], number), reverse=True)
    chosen: list[int] = []
    size = 0
    for number in order:
        if size >= share * len(examples) or len(chosen) == len(components) - 1:
            break
        chosen.append(number)
        size += len(components[number])
    return chosen


def _balanced(
    examples: Sequence[Example], components: list[list[int]], share: float, seed: int, task: Task
) -> list[int]:
    wanted = min(max(1, round(share * len(components))), len(components) - 1)
    if task.is_multi:
        from iterstrat.ml_stratifiers import MultilabelStratifiedShuffleSplit

        column = {label: number for number, label in enumerate(task.label_names)}
        matrix = np.zeros((len(components), len(column) + 1), dtype=int)
        for number, rows in enumerate(components):
            for index in rows:
                for label in examples[index].labels or ():
                    matrix[number, column[label]] = 1
            matrix[number, -1] = not matrix[number].any()
        splitter = MultilabelStratifiedShuffleSplit(n_splits=1, test_size=wanted, random_state=seed)
        chosen = [int(number) for number in next(splitter.split(matrix, matrix))[1]]
        # With few rows it may leave one side empty.
        return chosen if 0 < len(chosen) < len(components) else _drawn(len(components), wanted, seed)
    from sklearn.model_selection import StratifiedShuffleSplit

    label_of = [Counter(examples[index].label for index in rows).most_common(1)[0][0] for rows in components]
    frequency = Counter(label_of)
    # A stratum needs two members, and the cut off part room for every stratum.
    strata = [label if frequency[label] > 1 else "(rare)" for label in label_of]
    if Counter(strata)["(rare)"] == 1:
        strata = [stratum if stratum != "(rare)" else max(frequency, key=lambda k: frequency[k]) for stratum in strata]
    if wanted < len(set(strata)) or len(components) - wanted < len(set(strata)):
        return _drawn(len(components), wanted, seed)
    splitter = StratifiedShuffleSplit(n_splits=1, test_size=wanted, random_state=seed)
    return [int(number) for number in next(splitter.split(strata, strata))[1]]


def _drawn(size: int, wanted: int, seed: int) -> list[int]:
    return sorted(int(number) for number in np.random.default_rng(seed).choice(size, wanted, replace=False))
