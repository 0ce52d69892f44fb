"""From checked splits to a saved, scored bundle."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conflictnlp import processes
from conflictnlp.config import Config, ModelConfig, TransformerConfig
from conflictnlp.data import Splits
from conflictnlp.data.lineage import Lineage, text_hashes
from conflictnlp.data.tagged import TaggedText
from conflictnlp.files import write_json
from conflictnlp.task import Task

if TYPE_CHECKING:
    from conflictnlp.models.auxiliary import AuxiliaryTask

log = logging.getLogger(__name__)
Watch = Callable[[dict[str, float], int], None]


def fit_and_score(
    config: Config,
    task: Task,
    splits: Splits,
    folder: Path,
    run: Any,
    started: float,
    watch: Watch | None = None,
    tagger_texts: list[TaggedText] | None = None,
    lineage: Lineage | None = None,
) -> dict[str, float]:
    """Fit, calibrate, save and score; every file of it lies in the run's folder afterwards.

    Args:
        config: the experiment.
        task: its task.
        splits: checked data.
        folder: the run's folder.
        run: the tracked run, which takes the metrics.
        started: when the command began, in seconds since the epoch.
        watch: called with every metric while the model is fitted, and the step; it may end the training early.
        tagger_texts: what a tagger of actors learns from; None for a model without one.
        lineage: what the encoder has read before.

    Returns:
        final metrics by name, for instance `test/macro_f1`.
    """
    from conflictnlp.bundle import add_to_bundle, read_manifest, save_bundle
    from conflictnlp.commands.fit_tagger import fit_tagger, score_tagger
    from conflictnlp.evaluation.card import model_card
    from conflictnlp.evaluation.predictions import predictions_file, write_predictions
    from conflictnlp.evaluation.report import evaluate_model, gold_targets
    from conflictnlp.evaluation.selective import CURVE, write_curves
    from conflictnlp.inference.calibration import fit_temperature, tune_thresholds
    from conflictnlp.inference.model import Model
    from conflictnlp.models.base import sigmoid

    def log_metrics(metrics: dict[str, float], step: int) -> None:
        run.log_metrics(metrics, step)
        if watch is not None:
            watch(metrics, step)

    estimator = make_estimator(config, task, checkpoints=folder / "checkpoints", resume=config.resume, log=log_metrics)
    passages = {name: [example.passage(task) for example in rows] for name, rows in splits.items() if name != "test"}
    labels = {
        name: [list(row.labels or ()) if task.is_multi else row.chances or row.label for row in rows]
        for name, rows in splits.items()
    }
    log.info("fitting %s on %d examples, %d of other sets", config.model.name, len(splits.train), len(splits.extra))
    fit_started = time.time()
    fit = estimator.fit
    if isinstance(config.model, TransformerConfig):
        fit = partial(processes.fit_together, estimator)
    fit(
        passages["train"],
        labels["train"],
        validation=(passages["validation"], labels["validation"]),
        extra=(passages["extra"], labels["extra"]) if splits.extra else None,
        auxiliary=_auxiliary_tasks(splits),
    )
    fit_seconds = time.time() - fit_started
    logits = estimator.decision_function(passages["validation"])
    targets = gold_targets(splits.validation, task)
    temperature = fit_temperature(logits, targets, task.is_multi)
    thresholds = {}
    if task.is_multi:
        thresholds = dict(zip(task.label_names, tune_thresholds(sigmoid(logits / temperature), targets), strict=True))
    tagger = None if tagger_texts is None else fit_tagger(config, tagger_texts)
    facts = _training_facts(config, splits, run.run_id)
    if tagger is not None:
        facts["tagger"] = tagger.facts()
    learnt = _learnt(splits, tagger_texts or [], lineage or Lineage())
    save_bundle(folder / "bundle", estimator, task, temperature, thresholds, facts, tagger, learnt)
    # What is scored is the saved bundle, through the road that users take.
    model = Model(folder / "bundle", device=config.device)
    scored = {"val": splits.validation, **({"test": splits.test} if config.evaluation.test else {})}
    evaluations = {name: evaluate_model(model, rows, config.evaluation) for name, rows in scored.items()}
    metrics: dict[str, float] = {}
    for prefix, evaluation in evaluations.items():
        metrics |= evaluation.metrics(prefix)
    if tagger is not None:
        for prefix, rows in scored.items():
            metrics |= score_tagger(model.tagger, rows, task, prefix)
    metrics |= _costs(estimator, config, len(splits.train) + len(splits.extra), fit_seconds, started)
    run.log_metrics(metrics, getattr(estimator, "steps_", 0))
    # The last split that was scored; a search sees no test.
    split = "test" if config.evaluation.test else "validation"
    last = list(evaluations.values())[-1]
    log.info("%s split\n%s", split, last.to_text())
    if config.evaluation.plots:
        last.draw(folder / "figures", config.evaluation.bins)
    write_json(folder / "evaluation.json", {name: value.to_dict() for name, value in evaluations.items()})
    write_curves(folder / CURVE, {name: value.outcome for name, value in evaluations.items()})
    write_predictions(folder / predictions_file(split), model, getattr(splits, split), last.outcome)
    data = {"name": config.data.name, "description": config.data.description, "terms": config.data.terms}
    card = model_card(read_manifest(folder / "bundle"), last, splits.report, data, asdict(config), split)
    add_to_bundle(folder / "bundle", {"run_id": run.run_id, "metrics": metrics}, card)
    return metrics


def make_estimator(config: Config, task: Task, **running: Any) -> Any:
    """Build the estimator that a config names.

    Args:
        config: its model and trainer parts are the parameters.
        task: labels and spans.
        **running: checkpoints, resume and log, for estimators that train in steps.

    Returns:
        an estimator, not fitted.
    """
    shared: dict[str, Any] = {"labels": task.label_names, "multi": task.is_multi, "spans": task.spans}
    own = {f.name: getattr(config.model, f.name) for f in fields(config.model)}
    for base in fields(ModelConfig):
        own.pop(base.name)
    if isinstance(config.model, TransformerConfig):
        from conflictnlp.models import TransformerClassifier

        if not task.spans:
            own["split_length"] = None
        if task.names_matter:
            own |= {"renamed_copies": 0, "mask": None}
        own["background"] = task.background
        settings = {**own, **asdict(config.trainer), **running, "device": config.device, "seed": config.seed}
        return TransformerClassifier(**shared, **settings)
    from conflictnlp.models import TfidfClassifier

    return TfidfClassifier(**shared, **own, seed=config.seed)


def _auxiliary_tasks(splits: Splits) -> tuple[AuxiliaryTask, ...]:
    from conflictnlp.models.auxiliary import AuxiliaryTask

    return tuple(
        AuxiliaryTask(
            beside.name,
            beside.task.label_names,
            [example.passage(beside.task) for example in beside.examples],
            [str(example.label) for example in beside.examples],
            beside.task.spans,
        )
        for beside in splits.auxiliary
    )


def _costs(estimator: Any, config: Config, examples: int, fit_seconds: float, started: float) -> dict[str, float]:
    import resource

    metrics = {
        "fit_seconds": fit_seconds,
        "duration_seconds": time.time() - started,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    steps = getattr(estimator, "steps_", None)
    if steps is None:
        metrics["examples_per_second"] = examples / max(fit_seconds, 1e-9)
        return metrics
    seen = steps * estimator.batch_size_ * config.trainer.gradient_accumulation * processes.count()
    metrics["examples_per_second"] = seen / max(fit_seconds, 1e-9)
    metrics["windowed_share"] = estimator.windowed_share_
    return metrics


def _learnt(splits: Splits, tagger_texts: list[TaggedText], lineage: Lineage) -> frozenset[bytes]:
    """Return the hashes of all that the model has seen but the test; what its encoder has read stays known."""
    rows = (*splits.train, *splits.validation, *splits.extra, *(row for s in splits.auxiliary for row in s.examples))
    return lineage.hashes | text_hashes([*(row.text for row in rows), *(text.text for text in tagger_texts)])


def _training_facts(config: Config, splits: Splits, run_id: str) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "base_model": getattr(config.model, "encoder", None),
        "data": config.data.name,
        "extra_before": config.data.extra_before,
        "fingerprints": splits.fingerprints,
        "dropped": splits.report.dropped,
        "seed": config.seed,
        "processes": processes.count(),
    }
