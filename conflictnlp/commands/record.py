"""What a run says of itself: tags, parameters worth comparing, data sets, and its description."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from conflictnlp import processes
from conflictnlp.config import Config, TransformerConfig
from conflictnlp.data import Example, Splits
from conflictnlp.files import sha256_json
from conflictnlp.task import Task
from conflictnlp.tracking.experiment import VIEW

PARENT_RUN = "CONFLICTNLP_PARENT_RUN_ID"
# What other tags say already, or where and how a run is carried out.
_NO_SETTING = re.compile(r"[+~]*(task|model|data|seed|name|resume|resume_run|threads|device|(hydra|tracking)\.[^=]*)=")


def run_record(
    config: Config, task: Task, splits: Splits, overrides: Sequence[str], parent: str | None = None
) -> dict[str, Any]:
    """Gather what the store is told before training begins.

    Args:
        config: the experiment.
        task: its task.
        splits: checked data.
        overrides: the words that the config was composed from.
        parent: id of the run that this one belongs under; None for the one that the environment names, if any.

    Returns:
        experiment, about, name, note, tags, params, datasets, and log_model: whether the bundle becomes an MLflow
        model, which under a parent is decided once all its runs are there.
    """
    prints = splits.fingerprints
    tags = {
        "task": task.name,
        "model": config.model.name,
        "data": config.data.name,
        "seed": str(config.seed),
        "command": shlex.join(["conflictnlp", "train", *overrides]),
        "identity": _identity(config, prints),
        **config.tracking.tags,
    }
    if settings := settings_in(overrides):
        tags["settings"] = settings
    if commit := _git_commit():
        tags["git_commit"] = commit
    if parent := parent or os.environ.get(PARENT_RUN):
        tags["mlflow.parentRunId"] = parent
    return {
        "experiment": config.tracking.experiment or task.name,
        "about": about(task),
        "name": config.run_name,
        "note": _note(config, task, splits),
        "tags": tags,
        "params": _params(config, splits),
        "log_model": not parent,
        "datasets": _datasets(config, splits, prints),
    }


def settings_in(words: Sequence[str]) -> str:
    """Return the words that no other tag tells, for instance `model.C=10`: what sets runs of one name apart."""
    return " ".join(word for word in words if not _NO_SETTING.match(word))


def about(task: Task) -> str:
    """Describe an experiment: the question, the codebook, and what the columns mean.

    Args:
        task: the experiment's task.

    Returns:
        Markdown.
    """
    columns = (
        "`test/macro_f1` is the score to report, with the ends of its bootstrap interval (`_low`, `_high`); settings "
        "are chosen by `val/macro_f1`. A sweep, a search or a cross-validation is one run with its own runs under it."
    )
    return "\n\n".join([task.description, task.codebook, f"**Columns** (view `{VIEW}`): {columns}"])


def scored_note(note: str, metrics: Mapping[str, float]) -> str:
    """Put the scores before a run's description, where the UI shows them at once.

    Args:
        note: the description.
        metrics: final metrics by name.

    Returns:
        Markdown.
    """
    told = []
    for prefix, split in (("test", "test"), ("val", "validation")):
        if (score := metrics.get(f"{prefix}/macro_f1")) is not None:
            ends = [metrics.get(f"{prefix}/macro_f1_{end}") for end in ("low", "high")]
            interval = "" if None in ends else f" [{ends[0]:.3f}, {ends[1]:.3f}]"
            told.append(f"{split} macro-F1 **{score:.3f}**{interval}")
    return f"{', '.join(told)}\n\n{note}"


def _note(config: Config, task: Task, splits: Splits) -> str:
    data = config.data
    lines = [f"**Data** `{data.name}`: {data.description or 'the user’s own files.'}"]
    if data.terms:
        lines.append(f"Terms: {data.terms}.")
    lines += ["", "| split | rows | labels |", "|---|---|---|"]
    for name, rows in splits.items():
        counts = ", ".join(f"{label} {n}" for label, n in splits.report.labels.get(name, {}).items())
        lines.append(f"| {name} | {len(rows)} | {counts} |")
    return "\n".join([*lines, "", f"**Codebook** {task.description}", "", task.codebook])


def _datasets(config: Config, splits: Splits, prints: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return what is told of each set of rows: the splits, then those of other tasks."""
    sets: list[tuple[str, str, str, str, Sequence[Example]]] = [
        (name, f"{config.data.name}-{name}", name, str(getattr(config.data, name) or config.data.train), rows)
        for name, rows in splits.items()
    ]
    sets += [(s.name, s.name.replace("@", "-"), "auxiliary", s.name, s.examples) for s in splits.auxiliary]
    return [
        {
            "name": name,
            "split": split,
            "fingerprint": prints[key],
            "source": source,
            "rows": len(rows),
            "labels": splits.report.labels.get(key, {}),
        }
        for key, name, split, source, rows in sets
    ]


def _identity(config: Config, fingerprints: Mapping[str, str]) -> str:
    """Name what is computed: batches of another size, as several processes have, are another computation."""
    several = [processes.count()] if processes.count() > 1 else []
    return sha256_json([config.identity(), fingerprints, *several])


def _params(config: Config, splits: Splits) -> dict[str, Any]:
    """Return what is worth comparing between runs, not the whole config (which is an artifact)."""
    params: dict[str, Any] = {"task": config.task.name, "data": config.data.name, "seed": config.seed}
    params |= {f"model.{key}": value for key, value in asdict(config.model).items()}
    if isinstance(config.model, TransformerConfig):
        keys: tuple[str, ...] = (
            "epochs",
            "examples_seen",
            "max_steps",
            "batch_size",
            "gradient_accumulation",
            "weight_decay",
            "warmup",
        )
        keys += ("loss", "class_weights", "label_smoothing", "patience", "precision")
        params |= {f"trainer.{key}": getattr(config.trainer, key) for key in keys}
        params["processes"] = processes.count()
    params |= {f"rows.{name}": len(rows) for name, rows in splits.items()}
    if splits.auxiliary:
        params["rows.auxiliary"] = sum(len(beside.examples) for beside in splits.auxiliary)
        params["data.auxiliary"] = " ".join(beside.name for beside in splits.auxiliary)
    return params | {"data.limit": config.data.limit, "data.share": config.data.share}


def _git_commit() -> str | None:
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
