"""What a run says of itself: tags, parameters worth comparing, data sets."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from conflictnlp.config import Config, TransformerConfig
from conflictnlp.data import Splits
from conflictnlp.files import sha256_json
from conflictnlp.task import Task

PARENT_RUN = "CONFLICTNLP_PARENT_RUN_ID"


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
        experiment, name, note, tags, params, datasets, and log_model: whether the bundle becomes an MLflow model,
        which under a parent is decided once all its runs are there.
    """
    prints = splits.fingerprints
    tags = {
        "task": task.name,
        "model": config.model.name,
        "data": config.data.name,
        "seed": str(config.seed),
        "command": shlex.join(["conflictnlp", "train", *overrides]),
        "identity": sha256_json([config.identity(), prints]),
        **config.tracking.tags,
    }
    if commit := _git_commit():
        tags["git_commit"] = commit
    if parent := parent or os.environ.get(PARENT_RUN):
        tags["mlflow.parentRunId"] = parent
    return {
        "experiment": config.tracking.experiment or task.name,
        "name": config.run_name,
        "note": _note(config, task),
        "tags": tags,
        "params": _params(config, splits),
        "log_model": not parent,
        "datasets": [
            {
                "name": f"{config.data.name}-{name}",
                "split": name,
                "fingerprint": prints[name],
                "source": str(getattr(config.data, name) or config.data.train),
                "rows": len(rows),
                "labels": splits.report.labels.get(name, {}),
            }
            for name, rows in splits.items()
        ],
    }


def _note(config: Config, task: Task) -> str:
    lines = [task.description, "", "| label | definition |", "|---|---|"]
    lines += [f"| {label.name} | {label.definition} |" for label in task.labels]
    lines += ["", f"**Data** `{config.data.name}`: {config.data.description or 'the user’s own files'}"]
    return "\n".join(lines)


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
    params |= {f"rows.{name}": len(rows) for name, rows in splits.items()}
    return params | {"data.limit": config.data.limit, "data.share": config.data.share}


def _git_commit() -> str | None:
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
