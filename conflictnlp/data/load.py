"""From a data config to checked splits: read, check, drop, split."""

from __future__ import annotations

import logging
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from conflictnlp.composition import shipped
from conflictnlp.config import DataConfig
from conflictnlp.data.auxiliary import add_auxiliary
from conflictnlp.data.check import (
    FAULTS,
    LEAKS,
    DataReport,
    Finding,
    check_groups,
    check_near_duplicates,
    check_split,
    label_counts,
    shared_texts,
)
from conflictnlp.data.example import Example, parse_row
from conflictnlp.data.extra import add_extra
from conflictnlp.data.sources import named_for, read_rows
from conflictnlp.data.split import cut
from conflictnlp.data.splits import SPLITS, Splits, check_usable
from conflictnlp.data.subset import with_share
from conflictnlp.errors import InputError
from conflictnlp.task import Task

log = logging.getLogger(__name__)


def fitting_sets(task: Task) -> list[str]:
    """Return the names of the shipped data configs that serve a task."""
    return [name for name, values in shipped("data").items() if task.name in (values.get("tasks") or {})] + ["files"]


def read_split(config: DataConfig, task: Task, split: str) -> list[Example]:
    """Read and parse one split as it is given.

    Args:
        config: tells the files and columns.
        task: tells labels and spans.
        split: train, validation or test.

    Returns:
        its examples; none if the config names no file for it.

    Raises:
        InputError: the data does not fit the task, a file cannot be read, or a row cannot be used.
    """
    label_column = config.columns.label
    if config.tasks:
        if task.name not in config.tasks:
            raise InputError(
                f"data={config.name} has no labels for task={task.name}; sets that do: {', '.join(fitting_sets(task))}"
            )
        label_column = label_column or config.tasks[task.name]
    sources = getattr(config, split)
    if sources is None:
        return []
    if config.root == "":
        raise InputError(
            f"data={config.name}: set the environment variable CONFLICTNLP_DATA to the folder that holds "
            f"{str(sources).split('/')[0]}/ (or data.root=...)"
        )
    examples: list[Example] = []
    for source in sources if isinstance(sources, list) else [sources]:
        if not isinstance(source, str):
            raise InputError(f"data.{split}={source!r}: must be a path, a glob or a list of them")
        source = named_for(source, task)
        before = len(examples)
        examples.extend(parse_row(row, task, config.columns, label_column) for row in read_rows(source, config.root))
        if len(examples) == before:
            raise InputError(f"data.{split}={source}: holds no rows")
    return examples


def load_splits(config: DataConfig, task: Task, parts: Sequence[str] = SPLITS, strict: bool = True) -> Splits:
    """Read, check and split the data of an experiment.

    Args:
        config: the data config.
        task: the task.
        parts: the splits that are wanted; `evaluate` wants the test alone.
        strict: False reports everything and stops at nothing, as `data check` does.

    Returns:
        the splits with the report.

    Raises:
        InputError: as `read_split`; or a fault or leak whose policy is `error`.
    """
    splits = load_given(config, task, parts, strict)
    if "train" in parts and strict:
        _make_missing(splits, config, task)
        complete(splits, config, task)
    tell_dropped(splits)
    return splits


def load_given(config: DataConfig, task: Task, parts: Sequence[str] = SPLITS, strict: bool = True) -> Splits:
    """Read and check the splits that are given, and make none.

    Args:
        config: the data config.
        task: the task.
        parts: the splits that are wanted.
        strict: as for `load_splits`.

    Returns:
        the splits with the report; a split that is not given is empty.

    Raises:
        InputError: as `load_splits`.
    """
    given = {name: read_split(config, task, name) for name in parts}
    if "train" in parts:
        given = _by_split_column(given)
        if not given["train"]:
            raise InputError(f"data={config.name}: no training data; set data.train=FILE")
    if "test" in parts:
        given["test"] = _test_rows(given["test"])
    given = {name: limited(rows, config, name) for name, rows in given.items()}
    report = DataReport(
        rows={name: len(rows) for name, rows in given.items() if rows},
        labels={name: label_counts(rows, task) for name, rows in given.items() if rows},
    )
    for name, rows in given.items():
        report.findings.extend(check_split(name, rows, task, config.long_words))
    given = _apply(given, report, FAULTS, config.on_fault, "drop", "data.on_fault", strict)
    leaks = check_near_duplicates(given, config.near_duplicate) + check_groups(given)
    report.findings.extend(leaks)
    if any(finding.kind == "leak" for finding in leaks):
        report.shared = shared_texts(given)
    given = _apply(given, report, LEAKS, config.on_leak, "drop_train", "data.on_leak", strict, leaks)
    return Splits(given.get("train", []), given.get("validation", []), given.get("test", []), report)


def complete(splits: Splits, config: DataConfig, task: Task) -> None:
    """Finish splits that are all there: rows of other sets and tasks, the share, whether it can be learnt from.

    Args:
        splits: the splits; `train`, `extra`, `auxiliary` and the report are changed.
        config: the data config.
        task: the task.

    Raises:
        InputError: a split is empty, the training rows bear one class, or as `add_extra` and `add_auxiliary`.
    """
    add_extra(splits, config, task)
    splits.extra = limited(splits.extra, config, "train")
    add_auxiliary(splits, config)
    if config.share < 1:
        part = with_share(splits, config.share, config.share_seed, task)
        splits.train, splits.report = part.train, part.report
    check_usable(splits, task)


def tell_dropped(splits: Splits) -> None:
    """Log what the checks dropped."""
    for split, kinds in splits.report.dropped.items():
        log.warning("data: dropped from %s: %s", split, ", ".join(f"{kind} {n}" for kind, n in kinds.items()))


def _by_split_column(given: dict[str, list[Example]]) -> dict[str, list[Example]]:
    """Let a `split` column part the training file when no other file is given."""
    train = given["train"]
    if not any(example.split for example in train):
        return given
    names = {"train": "train", "validation": "validation", "valid": "validation", "val": "validation"}
    names |= {"dev": "validation", "test": "test"}
    parted: dict[str, list[Example]] = {name: [] for name in given}
    for example in train:
        name = names.get((example.split or "train").lower())
        if name is None:
            raise InputError(f"{example.where}: split={example.split!r}; must be train, validation or test")
        if name != "train" and (given.get("validation") or given.get("test")):
            raise InputError(
                f"{example.where}: says split={example.split} but stands in data.train, and other splits are given as "
                "files; name one file alone, or ignore the column with data.columns.split=unused"
            )
        parted[name].append(example)
    return parted


def _test_rows(examples: list[Example]) -> list[Example]:
    """Keep the rows that say they are test, where a file holds several splits."""
    marked = [example for example in examples if (example.split or "").lower() == "test"]
    if marked and len(marked) < len(examples):
        log.info("data: %d of %d rows say split=test; they are the test", len(marked), len(examples))
        return marked
    return examples


def limited(examples: list[Example], config: DataConfig, split: str) -> list[Example]:
    """Return at most `data.limit` rows of train, or `data.limit_test` of the test, drawn by `data.split.seed`."""
    limit = config.limit_test if split == "test" else config.limit if split == "train" else None
    if limit is None or len(examples) <= limit:
        return examples
    chosen = sorted(random.Random(config.split.seed).sample(range(len(examples)), limit))
    return [examples[index] for index in chosen]


def _apply(
    given: dict[str, list[Example]],
    report: DataReport,
    kinds: dict[str, str],
    policy: str,
    drop_word: str,
    key: str,
    strict: bool,
    findings: list[Finding] | None = None,
) -> dict[str, list[Example]]:
    """Stop at findings, drop their rows, or keep them, as the policy says."""
    found = report.of(kinds) if findings is None else [f for f in findings if f.kind in kinds]
    if not found or policy == "keep" or not strict:
        return given
    if policy == "error":
        counts = Counter(finding.kind for finding in found)
        told = "; ".join(f"{kinds[kind]}: {n}" for kind, n in counts.items())
        raise InputError(
            f"{found[0].where}: {kinds[found[0].kind]} ({found[0].detail}). In all: {told}. "
            f"Correct the rows, leave them out with {key}={drop_word}, or allow them with {key}=keep "
            "(`conflictnlp data check` lists them)"
        )
    gone: dict[str, set[int]] = defaultdict(set)
    for finding in found:
        if finding.index not in gone[finding.split]:
            gone[finding.split].add(finding.index)
            kinds_of_split = report.dropped.setdefault(finding.split, {})
            kinds_of_split[finding.kind] = kinds_of_split.get(finding.kind, 0) + 1
    return {
        name: [example for index, example in enumerate(rows) if index not in gone[name]] for name, rows in given.items()
    }


def _make_missing(splits: Splits, config: DataConfig, task: Task) -> None:
    made: dict[str, Any] = config.split.__dict__
    for name in ("test", "validation"):
        # A split that was given and lost all its rows is not made anew.
        if name not in splits.report.rows:
            kept, cut_off = cut(splits.train, made[name], made["method"], made["seed"], task, config.near_duplicate)
            splits.train = kept
            setattr(splits, name, cut_off)
            splits.report.rows["train"] = len(kept)
            splits.report.labels["train"] = label_counts(kept, task)
            splits.report.rows[name] = len(cut_off)
            splits.report.labels[name] = label_counts(cut_off, task)
