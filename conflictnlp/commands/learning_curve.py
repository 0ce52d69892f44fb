"""`conflictnlp learning-curve`: score against the number of training rows."""

from __future__ import annotations

import copy
import logging
import shlex
import signal
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conflictnlp.commands.application import terminated
from conflictnlp.commands.record import run_record
from conflictnlp.commands.train import BUNDLE, check_model, result_in, train_once
from conflictnlp.composition import compose
from conflictnlp.config import Config
from conflictnlp.data import Splits, load_splits
from conflictnlp.data.splits import check_usable
from conflictnlp.data.subset import with_share
from conflictnlp.errors import InputError
from conflictnlp.files import sha256_json, write_json, write_text

if TYPE_CHECKING:
    from conflictnlp.evaluation.learning_curve import LearningCurve

log = logging.getLogger(__name__)
RESULT = "learning_curve.json"
KIND = "learning_curve"
SCORE = "test/macro_f1"
_FOLDER = (
    "hydra.run.dir='outputs/${task.name}/learning-curve-${model.name}-${data.name}/"
    "${now:%Y-%m-%d_%H-%M-%S-%f}-${conflictnlp_pid:}'"
)


@dataclass(frozen=True)
class LearningCurveResult:
    """What a learning curve left.

    Attributes:
        run_id: the parent's.
        result: learning_curve.json; CSV, Markdown and pictures lie beside it.
        curve: the points and what they foretell.
    """

    run_id: str
    result: Path
    curve: LearningCurve


@dataclass(frozen=True)
class _Job:
    share: float
    seed: int
    config: Config
    splits: Splits
    words: list[str]
    record: dict[str, Any]

    @property
    def place(self) -> str:
        return f"share-{self.share:g}-seed-{self.seed}"


def learning_curve(overrides: Sequence[str] = ()) -> LearningCurveResult:
    """Train on growing shares of the training rows, with several seeds, and extrapolate.

    Every training is a child run. One that is finished, under whatever parent, is not repeated: a curve that was
    interrupted goes on where it stopped, and one with a further share or seed trains only what is new.

    Args:
        overrides: Hydra's words, as for `train`, and `learning_curve.shares`, `.seeds`, `.target`, `.resamples`.

    Returns:
        the parent's id, the result's file and the curve.

    Raises:
        InputError: the config or the data cannot be used; nothing was done.
        TrackingError: the store was lost on the way; what was done lies in the runs' folders.
    """
    from conflictnlp.tracking.folder import discard_unused
    from conflictnlp.tracking.parents import open_parent
    from conflictnlp.tracking.run import SHARES
    from conflictnlp.tracking.store import Store, check_store

    config, hydra_node = compose([_FOLDER, *overrides])
    _refuse(config)
    task = config.to_task()
    check_store(config.tracking)
    splits = load_splits(config.data, task)
    check_model(config, splits)
    jobs = _jobs(config, splits, overrides)
    store = Store(config.tracking)
    record = _record(config, splits, overrides, jobs)
    folder = Path(hydra_node.run.dir).absolute()
    try:
        with open_parent(store, folder, record) as parent:
            trials = [_trial(job, parent.folder / SHARES / job.place, store, parent.run_id) for job in jobs]
            curve = _curve(config, jobs, trials)
            _log(parent, curve)
            log.info("learning curve\n%s", curve.to_text())
            _write(curve, config, parent.run_id, parent.folder)
            parent.end("FINISHED")
    finally:
        discard_unused(folder)
    return LearningCurveResult(parent.run_id, parent.folder / RESULT, curve)


def main(arguments: Sequence[str]) -> int:
    """Run `conflictnlp learning-curve`.

    Args:
        arguments: Hydra's words.

    Returns:
        the exit status.
    """
    signal.signal(signal.SIGTERM, terminated)
    result = learning_curve(arguments)
    print(f"parent_run_id: {result.run_id}\nresult: {result.result}")
    return 0


def _refuse(config: Config) -> None:
    if config.data.share < 1:
        raise InputError(f"data.share={config.data.share}: the curve sets the shares itself; use learning_curve.shares")
    if config.evaluation.folds is not None or not config.evaluation.test:
        raise InputError("learning-curve: scores the test split; leave evaluation.folds and evaluation.test=false out")
    if config.resume_run is not None:
        raise InputError("resume_run: the curve goes on by itself where it was interrupted; leave resume_run out")


def _jobs(config: Config, splits: Splits, overrides: Sequence[str]) -> list[_Job]:
    """Lay out every training before the first begins: a share that cannot be learnt from is told at once."""
    task = config.to_task()
    jobs = []
    for share in sorted(config.learning_curve.shares):
        for seed in config.learning_curve.seeds:
            part = with_share(splits, share, seed, task)
            # Said before the warnings that a small share may bring.
            log.info("learning curve: share %g with seed %d has %d training rows", share, seed, len(part.train))
            try:
                check_usable(part, task)
            except InputError as error:
                raise InputError(
                    f"learning_curve.shares: {share:g} of the rows with seed {seed} ({len(part.train)} rows): {error}"
                ) from error
            child, words = _child(config, share, seed)
            words = [*(word for word in overrides if not word.startswith("learning_curve")), *words]
            jobs.append(_Job(share, seed, child, part, words, run_record(child, task, part, words)))
    return jobs


def _child(config: Config, share: float, seed: int) -> tuple[Config, list[str]]:
    """Return a training's config, and the words that make the same of the command's own."""
    child = copy.deepcopy(config)
    child.seed = child.data.share_seed = seed
    child.data.share = share
    # Validation and test stay what they are for the command's own seed. data.split.seed follows the seed unless told.
    child.name = f"{config.model.name}-{config.data.name}-s{seed}-share{share:g}"
    child.evaluation.plots = False
    child.resume = False
    words = [
        f"seed={seed}",
        f"data.split.seed={config.data.split.seed}",
        f"data.share={share!r}",
        f"data.share_seed={seed}",
        f"name={child.name}",
        "evaluation.plots=false",
    ]
    return child, words


def _record(config: Config, splits: Splits, overrides: Sequence[str], jobs: Sequence[_Job]) -> dict[str, Any]:
    record = run_record(config, config.to_task(), splits, overrides)
    settings = asdict(config.learning_curve)
    record["name"] = config.name or f"learning-curve-{config.model.name}-{config.data.name}"
    record["params"] |= {f"learning_curve.{key}": value for key, value in settings.items()}
    record["tags"] |= {
        "kind": KIND,
        "command": shlex.join(["conflictnlp", "learning-curve", *overrides]),
        "identity": sha256_json([KIND, settings, [job.record["tags"]["identity"] for job in jobs]]),
    }
    return record


def _trial(job: _Job, folder: Path, store: Any, parent_id: str) -> Any:
    """Train, unless it was done before, under this parent, another or none."""
    from conflictnlp.evaluation.learning_curve import Trial
    from conflictnlp.tracking.parents import finished

    if done := finished(store, job.record, BUNDLE):
        log.info("learning curve: %s is done already: %s", job.place, done)
        result = result_in(done)
    else:
        log.info("learning curve: %s, %d rows", job.place, len(job.splits.train))
        result = train_once(job.config, folder, job.words, parent_id, job.splits)
    return Trial(job.share, job.seed, len(job.splits.train), result.metrics[SCORE], result.run_id)


def _curve(config: Config, jobs: Sequence[_Job], trials: Sequence[Any]) -> LearningCurve:
    from conflictnlp.evaluation.learning_curve import LearningCurve, Point

    level = config.evaluation.confidence
    points = [
        Point(share, tuple(trial for trial in trials if trial.share == share), level)
        for share in dict.fromkeys(job.share for job in jobs)
    ]
    settings = config.learning_curve
    title = f"{config.task.name}, {config.model.name} on {config.data.name}"
    return LearningCurve(title, tuple(points), len(jobs[0].splits.test), settings.target, level, settings.resamples)


def _log(parent: Any, curve: LearningCurve) -> None:
    """Log the points with the number of rows as step, so that MLflow draws the curve too."""
    for point in curve.points:
        row = point.to_dict()
        names = {"mean": "macro_f1", "sd": "macro_f1_sd", "low": "macro_f1_low", "high": "macro_f1_high"}
        metrics = {f"learning_curve/{name}": row[key] for key, name in names.items() if row[key] is not None}
        parent.log_metrics(metrics, round(point.size))


def _write(curve: LearningCurve, config: Config, run_id: str, folder: Path) -> None:
    from conflictnlp.evaluation.learning_curve_plot import draw_learning_curve

    draw_learning_curve(curve, folder)
    write_text(folder / "learning_curve.csv", curve.to_csv())
    write_text(folder / "learning_curve.md", curve.to_markdown())
    write_json(folder / RESULT, {"parent_run_id": run_id, **curve.to_dict(), "config": asdict(config)})
