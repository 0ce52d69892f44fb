"""What the parent of a sweep shows: scores over seeds, and the best bundle as a model."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from conflictnlp.commands.train import TrainResult
from conflictnlp.config import EvaluationConfig
from conflictnlp.evaluation.aggregate import COVERS, Spread, spread, spread_table
from conflictnlp.files import write_json, write_text

if TYPE_CHECKING:
    from conflictnlp.commands.sweep import Job
    from conflictnlp.tracking.store import Store

log = logging.getLogger(__name__)
SCORES = ("test/macro_f1", "val/macro_f1", "cv/macro_f1", "test/accuracy", "test/ece")
CHOOSES = "val/macro_f1"
_NOT_IN_A_NAME = re.compile(r"[^\w\-. :]+")


def summarise(jobs: Sequence[Job], parent: Any, store: Store, evaluation: EvaluationConfig) -> None:
    """Write table, picture and metrics of a sweep into its parent run, and log the best bundle of each task.

    Args:
        jobs: with their results.
        parent: the open parent run.
        store: where the runs are.
        evaluation: the level of the intervals, and whether pictures are drawn.
    """
    done = [job for job in jobs if job.result is not None]
    if not done:
        return
    spreads = spreads_of(done, evaluation.confidence)
    best = log_best(done, store)
    table = spread_table(spreads, evaluation.confidence)
    text = f"{table}\n\n{COVERS}\n"
    for task, job in best.items():
        assert isinstance(job.result, TrainResult)
        score = job.result.metrics[CHOOSES]
        text += f"\nBest of {task} by {CHOOSES} ({score:.3f}): run {job.result.run_id}, {' '.join(job.words)}\n"
    log.info("sweep\n%s", text)
    write_text(parent.folder / "summary.md", text)
    write_json(
        parent.folder / "summary.json",
        {
            "level": evaluation.confidence,
            "covers": COVERS,
            "configurations": {
                label: {name: found.to_dict() for name, found in scores.items()} for label, scores in spreads.items()
            },
            "jobs": [_job_to_dict(job) for job in jobs],
            "best": {task: job.result.run_id for task, job in best.items() if job.result},
        },
    )
    parent.log_metrics(metrics_of(spreads))
    parent.note(text)
    if evaluation.plots:
        from conflictnlp.evaluation.spread_plot import draw_spreads

        for name in ("test/macro_f1", "val/macro_f1", "cv/macro_f1"):
            if found := {label: scores[name] for label, scores in spreads.items() if name in scores}:
                draw_spreads(found, name, evaluation.confidence, parent.folder / "figures")


def spreads_of(jobs: Sequence[Job], level: float) -> dict[str, dict[str, Spread]]:
    """Summarise each configuration's scores over its seeds.

    Args:
        jobs: with results.
        level: coverage of the intervals.

    Returns:
        spreads by configuration and score.
    """
    values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for job in jobs:
        assert job.result is not None
        for name in SCORES:
            if name in job.result.metrics:
                values[job.label][name].append(job.result.metrics[name])
    return {label: {name: spread(found, level) for name, found in scores.items()} for label, scores in values.items()}


def metrics_of(spreads: Mapping[str, Mapping[str, Spread]]) -> dict[str, float]:
    """Return spreads as MLflow metrics, for instance `model:tfidf/test/macro_f1_mean`."""
    metrics: dict[str, float] = {}
    for label, scores in spreads.items():
        name = _NOT_IN_A_NAME.sub("-", label.replace("=", ":"))[:150].strip(" .")
        for score, found in scores.items():
            parts = {"mean": found.mean, "sd": found.sd, "low": found.low, "high": found.high}
            metrics |= {f"{name}/{score}_{part}": value for part, value in parts.items() if value is not None}
            metrics[f"{name}/seeds"] = float(len(found.values))
    return metrics


def log_best(jobs: Sequence[Job], store: Store) -> dict[str, Job]:
    """Log the bundle with the best validation macro-F1 of each task as an MLflow model.

    Args:
        jobs: with results.
        store: where their runs are.

    Returns:
        the best job by task; cross-validations have none.
    """
    from conflictnlp.tracking.model import log_run_model

    best: dict[str, Job] = {}
    for job in jobs:
        if not isinstance(job.result, TrainResult) or job.config is None:
            continue
        task, held = job.config.task.name, best.get(job.config.task.name)
        if held is None or job.result.metrics[CHOOSES] > held.result.metrics[CHOOSES]:  # type: ignore[union-attr]
            best[task] = job
    for job in best.values():
        assert isinstance(job.result, TrainResult)
        log_run_model(store, job.result.run_id, job.result.bundle)
    return best


def _job_to_dict(job: Job) -> dict[str, Any]:
    told: dict[str, Any] = {
        "words": job.words,
        "configuration": job.label,
        "seed": job.config.seed if job.config else None,
    }
    if job.fault is not None:
        told["fault"] = " ".join(str(job.fault).split())
    if job.result is not None:
        told["run_id"] = job.result.run_id
        told["metrics"] = {name: job.result.metrics[name] for name in SCORES if name in job.result.metrics}
    return told
