"""Folds for cross-validation: stratified, and what depends on one another stays together."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from conflictnlp.config import Config, DataConfig
from conflictnlp.data.check import label_counts
from conflictnlp.data.example import Example
from conflictnlp.data.load import complete, limited, load_given, tell_dropped
from conflictnlp.data.split import components_of, cut
from conflictnlp.data.splits import Splits
from conflictnlp.errors import InputError
from conflictnlp.task import Task


@dataclass(frozen=True)
class Folds:
    """Rows and the fold that holds each of them out.

    Attributes:
        pool: the checked rows, all of them in `train`.
        numbers: the fold of each, from 1, array (n,).
        config: the data config.
        task: the task.
    """

    pool: Splits
    numbers: NDArray[np.int64]
    config: DataConfig
    task: Task

    def splits(self, fold: int) -> Splits:
        """Return the splits of one fold: its rows are the test; validation is cut from the others.

        Args:
            fold: its number, from 1.

        Returns:
            the splits.

        Raises:
            InputError: no validation can be cut, or the training rows are of one class.
        """
        rows = self.pool.train
        held_out = [example for example, number in zip(rows, self.numbers, strict=True) if number == fold]
        others = [example for example, number in zip(rows, self.numbers, strict=True) if number != fold]
        made = self.config.split
        method = "group" if made.method == "date" else made.method
        train, validation = cut(others, made.validation, method, made.seed, self.task, self.config.near_duplicate)
        splits = Splits(limited(train, self.config, "train"), validation, held_out, deepcopy(self.pool.report))
        splits.report.rows = {name: len(examples) for name, examples in splits.items()}
        splits.report.labels = {name: label_counts(examples, self.task) for name, examples in splits.items()}
        complete(splits, self.config, self.task)
        return splits


def load_folds(config: Config, task: Task) -> Folds:
    """Read and check the data of a cross-validation and deal its rows to folds.

    `evaluation.folds_over=train` takes the rows of train and validation and leaves a test file untouched; `all` takes
    the test's as well. `data.split.seed` draws the folds; rows of one group, or with nearly the same text, share one.

    Args:
        config: the experiment; `evaluation.folds` says how many.
        task: the task.

    Returns:
        the folds.

    Raises:
        InputError: the data cannot be used, or forms fewer independent groups than folds.
    """
    assert config.evaluation.folds is not None
    with_test = config.evaluation.folds_over == "all"
    # Between rows that go into one pool nothing leaks: near-duplicates share a fold.
    given = load_given(replace(config.data, on_leak="keep") if with_test else config.data, task)
    tell_dropped(given)
    rows = given.train + given.validation + (given.test if with_test else [])
    pool = Splits(train=rows, report=given.report)
    return Folds(pool, deal(rows, config.evaluation.folds, config.data, task), config.data, task)


def load_fold(config: Config, task: Task) -> Splits:
    """Return the splits of the one fold that `evaluation.fold` names.

    Args:
        config: the experiment.
        task: the task.

    Returns:
        the splits.

    Raises:
        InputError: as `load_folds`.
    """
    assert config.evaluation.fold is not None
    return load_folds(config, task).splits(config.evaluation.fold)


def deal(examples: Sequence[Example], folds: int, config: DataConfig, task: Task) -> NDArray[np.int64]:
    """Deal rows to folds, stratified by label.

    Sources: scikit-learn's StratifiedGroupKFold; for several labels iterative stratification (Sechidis et al. 2011)
    of whole groups.

    Args:
        examples: labelled rows.
        folds: how many.
        config: `split.seed`, `split.method` (stratified lets groups part) and `near_duplicate`.
        task: tells the labels.

    Returns:
        the fold of each row, from 1, array (n,).

    Raises:
        InputError: there are fewer independent groups than folds.
    """
    groups = components_of(examples, config.split.method != "stratified", config.near_duplicate)
    if len(groups) < folds:
        raise InputError(
            f"evaluation.folds={folds}: the {len(examples)} rows form {len(groups)} group(s) of dependent rows; "
            "choose fewer folds, or data.split.method=stratified if rows of one group may part"
        )
    numbers = np.zeros(len(examples), dtype=np.int64)
    if task.is_multi:
        from iterstrat.ml_stratifiers import MultilabelStratifiedKFold

        matrix = np.array([_indicators([examples[index] for index in rows], task) for rows in groups])
        dealer = MultilabelStratifiedKFold(folds, shuffle=True, random_state=config.split.seed)
        for number, (_, chosen) in enumerate(dealer.split(matrix, matrix), start=1):
            for group in chosen:
                numbers[groups[group]] = number
    else:
        from sklearn.model_selection import StratifiedGroupKFold

        group_of = np.zeros(len(examples), dtype=np.int64)
        for group, rows in enumerate(groups):
            group_of[rows] = group
        labels = [example.label for example in examples]
        # It refuses only where no class has a case for each fold; then they cannot be balanced.
        strata = labels if max(Counter(labels).values()) >= folds else [""] * len(labels)
        stratified = StratifiedGroupKFold(folds, shuffle=True, random_state=config.split.seed)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The least populated class")
            for number, (_, chosen) in enumerate(stratified.split(strata, strata, group_of), start=1):
                numbers[chosen] = number
    empty = sorted(set(range(1, folds + 1)) - set(numbers.tolist()))
    if empty:
        raise InputError(
            f"evaluation.folds={folds}: fold {empty[0]} would be empty: too few groups, or one that is too large; "
            "choose fewer folds"
        )
    return numbers


def _indicators(examples: Sequence[Example], task: Task) -> list[int]:
    """Return which labels stand in a group, and at last whether none does."""
    found = {label for example in examples for label in example.labels or ()}
    return [int(label in found) for label in task.label_names] + [int(not found)]
