"""`evaluation.folds=5`: one run a fold under one parent, their held-out predictions scored together."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conflictnlp.commands.record import run_record
from conflictnlp.commands.train import RESULT, TrainResult, check_model, log_file, train_once
from conflictnlp.config import Config
from conflictnlp.data import Splits
from conflictnlp.data.folds import Folds, load_folds
from conflictnlp.errors import TrackingError
from conflictnlp.files import write_json

if TYPE_CHECKING:
    from conflictnlp.evaluation.aggregate import Spread
    from conflictnlp.tracking.store import Store

log = logging.getLogger(__name__)
_SCOPE = (
    "The interval is a bootstrap over groups or texts of the pooled predictions, each made by the model that had not "
    "seen the row. It does not cover that the folds' models share most of their training rows, nor the draw of the "
    "folds and the seed."
)


@dataclass(frozen=True)
class CrossValidationResult:
    """What a cross-validation left.

    Attributes:
        run_id: the parent run's.
        folder: its folder, with the pooled predictions.
        metrics: `cv/…` scores of the pooled predictions, by name.
        folds: each fold's run.
    """

    run_id: str
    folder: Path
    metrics: dict[str, float] = field(default_factory=dict)
    folds: tuple[TrainResult, ...] = ()


def cross_validate(config: Config, folder: Path, overrides: Sequence[str]) -> CrossValidationResult:
    """Train on each fold's other rows, and score the held-out predictions of all folds together.

    One that was cut off goes on when it is started again: finished folds are not trained again.

    Args:
        config: the experiment, with `evaluation.folds`.
        folder: the parent run's folder; it is made, the folds' lie in it.
        overrides: the words that the config was composed from.

    Returns:
        the parent's run id, folder and metrics, and each fold's result.

    Raises:
        InputError: the config or the data cannot be used.
        TrackingError: the store was lost on the way.
    """
    from conflictnlp.tracking.folder import discard_unused
    from conflictnlp.tracking.parents import finished, open_parent
    from conflictnlp.tracking.run import FOLDS, TAG_PARENT
    from conflictnlp.tracking.store import Store, check_store

    started = time.time()
    task = config.to_task()
    check_store(config.tracking)
    folds = load_folds(config, task)
    # Each row is scored in its turn.
    check_model(config, Splits(test=folds.pool.train))
    store = Store(config.tracking)
    record = _record(config, folds, overrides)
    if TAG_PARENT in record["tags"] and (done := finished(store, record, RESULT)):
        log.info("already finished: %s", done)
        return _result_in(done)
    assert config.evaluation.folds is not None
    try:
        with open_parent(store, folder, record) as run, log_file(run.folder):
            results = []
            for number in range(1, config.evaluation.folds + 1):
                one = replace(config, evaluation=replace(config.evaluation, fold=number), resume_run=None)
                words = [*overrides, f"evaluation.fold={number}"]
                splits = folds.splits(number)
                results.append(train_once(one, run.folder / FOLDS / str(number), words, run.run_id, splits))
            metrics = _score(config, results, run)
            metrics["duration_seconds"] = time.time() - started
            run.log_metrics(metrics)
            result = CrossValidationResult(run.run_id, run.folder, metrics, tuple(results))
            write_json(run.folder / RESULT, _to_dict(result))
            run.note(_note(record["note"], metrics, results))
            run.end("FINISHED")
    except TrackingError as error:
        # A fold's own result is no result of the whole.
        error.__dict__.pop("result", None)
        raise
    finally:
        discard_unused(folder)
    return result


def folds_under(config: Config, parent: str, store: Store) -> CrossValidationResult | None:
    """Return what a finished cross-validation of a config and its data left under a sweep's parent.

    Args:
        config: the experiment, with `evaluation.folds`.
        parent: id of the sweep's run.
        store: where to look.

    Returns:
        its result; None if there is none.
    """
    from conflictnlp.tracking.parents import finished

    done = finished(store, _record(config, load_folds(config, config.to_task()), (), parent), RESULT)
    return _result_in(done) if done else None


def _record(config: Config, folds: Folds, overrides: Sequence[str], parent: str | None = None) -> dict[str, Any]:
    record = run_record(config, folds.task, folds.pool, overrides, parent)
    record["tags"]["kind"] = "cross-validation"
    record["name"] = f"{config.run_name}-cv{config.evaluation.folds}"
    record["params"] |= {"folds": config.evaluation.folds, "folds_over": config.evaluation.folds_over}
    record["params"] |= {"rows": len(folds.pool.train)}
    for split in ("train", "validation", "test"):
        del record["params"][f"rows.{split}"]
    pool = next(entry for entry in record["datasets"] if entry["split"] == "train")
    record["datasets"] = [{**pool, "name": f"{config.data.name}-pool", "split": "pool"}]
    return record


def _score(config: Config, results: Sequence[TrainResult], run: Any) -> dict[str, float]:
    """Score the pooled predictions; they, their pictures and the folds' own scores go into the parent's folder."""
    from conflictnlp.evaluation.predictions import pool_predictions, predictions_file
    from conflictnlp.evaluation.report import evaluate_outcome
    from conflictnlp.evaluation.selective import CURVE, write_curves

    files = [result.bundle.parent / predictions_file() for result in results]
    outcome = pool_predictions(files, run.folder / "predictions.parquet")
    evaluation = evaluate_outcome(outcome, config.evaluation, config.to_task().coarser)
    log.info("pooled predictions of %d folds\n%s", len(results), evaluation.to_text())
    spreads = _fold_spreads(results)
    for name, found in spreads.items():
        log.info("folds' own %s: %s (mean %.3f)", name, ", ".join(f"{v:.3f}" for v in found.values), found.mean)
    write_json(run.folder / "config.json", asdict(config))
    write_json(
        run.folder / "evaluation.json",
        {
            "cv": evaluation.to_dict(),
            "covers": _SCOPE,
            "folds": [
                {"fold": number, "run_id": result.run_id, "metrics": result.metrics}
                for number, result in enumerate(results, start=1)
            ],
        },
    )
    write_curves(run.folder / CURVE, {"cv": outcome})
    if config.evaluation.plots:
        evaluation.draw(run.folder / "figures", config.evaluation.bins)
    for number, result in enumerate(results, start=1):
        run.log_metrics({"cv/fold_macro_f1": result.metrics["test/macro_f1"]}, number)
    metrics = evaluation.metrics("cv")
    for name, found in spreads.items():
        metrics[f"cv/folds_{name}_mean"] = found.mean
        metrics[f"cv/folds_{name}_sd"] = found.sd or 0.0
    return metrics


def _fold_spreads(results: Sequence[TrainResult]) -> dict[str, Spread]:
    from conflictnlp.evaluation.aggregate import spread

    return {name: spread([result.metrics[f"test/{name}"] for result in results]) for name in ("macro_f1", "accuracy")}


def _note(note: str, metrics: dict[str, float], results: Sequence[TrainResult]) -> str:
    interval = ""
    if "cv/macro_f1_low" in metrics:
        interval = f" [{metrics['cv/macro_f1_low']:.3f}, {metrics['cv/macro_f1_high']:.3f}]"
    lines = [f"**macro-F1 of the pooled predictions {metrics['cv/macro_f1']:.3f}**{interval}. {_SCOPE}", ""]
    lines += ["| fold | macro-F1 | run |", "|---|---|---|"]
    for number, result in enumerate(results, start=1):
        lines.append(f"| {number} | {result.metrics['test/macro_f1']:.3f} | {result.run_id} |")
    return "\n".join([*lines, "", note])


def _to_dict(result: CrossValidationResult) -> dict[str, Any]:
    folds = [{"run_id": one.run_id, "bundle": str(one.bundle), "metrics": one.metrics} for one in result.folds]
    return {"parent_run_id": result.run_id, "metrics": result.metrics, "folds": folds}


def _result_in(folder: Path) -> CrossValidationResult:
    import json

    values = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    folds = tuple(TrainResult(one["run_id"], Path(one["bundle"]), one["metrics"]) for one in values["folds"])
    return CrossValidationResult(values["parent_run_id"], folder, values["metrics"], folds)
