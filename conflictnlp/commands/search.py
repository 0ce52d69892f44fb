"""`conflictnlp search`: hyper-parameters chosen on validation, in a study that can be stopped and gone on with."""

from __future__ import annotations

import logging
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conflictnlp.commands.record import about
from conflictnlp.commands.search_result import Search, SearchResult, finish
from conflictnlp.commands.space import ends, read_space, to_words
from conflictnlp.commands.study import Study, require_optuna
from conflictnlp.commands.sweep_summary import CHOOSES
from conflictnlp.commands.train import check_model, train_once
from conflictnlp.composition import compose
from conflictnlp.config import Config, SearchConfig
from conflictnlp.data import Splits, load_splits
from conflictnlp.errors import ConflictNLPError, InputError, PrunedError, TrackingError
from conflictnlp.files import sha256_json

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

    from conflictnlp.tracking.store import Store

log = logging.getLogger(__name__)
# Set for the processes that `search.workers` starts; they end when the one that started them does.
_HELPER_OF = "CONFLICTNLP_SEARCH_HELPER_OF"


def search(overrides: Sequence[str] = ()) -> SearchResult:
    """Search hyper-parameters by validation macro-F1; the test split is never scored.

    Started again with the same words it goes on; started twice in one folder, two processes share the trials.

    Args:
        overrides: Hydra's words; `search.trials`, `search.timeout` and `search.workers` may change between starts.

    Returns:
        the best trial.

    Raises:
        InputError: the config, the space or the data cannot be used, or Optuna is not installed.
        IncompleteError: no trial came to an end.
        TrackingError: the store was lost on the way.
    """
    from conflictnlp.tracking.store import Store, check_store

    require_optuna()
    words = list(overrides)
    asked, _ = compose(words)
    if asked.evaluation.folds is not None:
        raise InputError("search: evaluation.folds is for train; a search scores the validation split")
    space = read_space(asked.search.space, asked.model.kind)
    for name, values in space.items():
        _check_name(name)
        _check_fits(name, values, words)
    config = _quiet(asked)
    task = config.to_task()
    check_store(config.tracking)
    splits = load_splits(config.data, task)
    check_model(config, splits)
    store = Store(config.tracking)
    # More trials, a later end or another number of workers are the same search.
    known = [config.identity(), {name: repr(found) for name, found in space.items()}, splits.fingerprints]
    identity = sha256_json(["search", known])
    name = f"search-{config.model.name}-{config.data.name}-s{config.seed}-{identity[:8]}"
    folder = Path("outputs").absolute() / task.name / name
    study = Study(folder, space, asked.search, config.seed)
    try:
        record = _record(asked, identity, words, name)
        parent_id = _open(study, store, folder, record)
        job = Search(words, config, splits, folder, study, store, record, parent_id, asked.evaluation.plots)
        with _helpers(words, asked.search.workers) as helpers:
            try:
                _work(job, asked.search.timeout)
                for helper in helpers:
                    helper.wait()
            except (KeyboardInterrupt, SystemExit):
                if not study.others_at_work():
                    store.client.set_terminated(parent_id, "KILLED")
                raise
        return finish(job)
    finally:
        study.close()


def _quiet(asked: Config) -> Config:
    """Return the config of a trial: no test, no pictures."""
    evaluation = replace(asked.evaluation, test=False, plots=False)
    return replace(asked, evaluation=evaluation, search=SearchConfig(), resume=False, resume_run=None)


def _check_name(name: str) -> None:
    if name.split(".")[0] not in ("model", "trainer", "data") or "." not in name:
        raise InputError(f"search.space.{name}: must name a key of model, trainer or data, for instance model.C")
    if name.startswith(("data.validation", "data.test", "data.split", "data.limit_test")):
        raise InputError(f"search.space.{name}: trials must be scored on the same rows")


def _check_fits(name: str, values: BaseDistribution, words: Sequence[str]) -> None:
    """Refuse a name of which no value fits the config: each of its trials would fail."""
    faults = []
    for value in ends(values):
        try:
            compose([*words, *to_words({name: value})])
        except InputError as error:
            faults.append(error)
        else:
            return
    raise InputError(f"search.space.{name}: {faults[0]}") from faults[0]


def _record(asked: Config, identity: str, words: Sequence[str], name: str) -> dict[str, Any]:
    return {
        "experiment": asked.tracking.experiment or asked.task.name,
        "about": about(asked.to_task()),
        "name": name,
        "note": "A search; its trials lie under it.",
        "tags": {
            **asked.tracking.tags,
            "task": asked.task.name,
            "model": asked.model.name,
            "data": asked.data.name,
            "kind": "search",
            "command": shlex.join(["conflictnlp", "search", *words]),
            "identity": identity,
        },
        "params": {"model": asked.model.name, "data": asked.data.name, "seed": asked.seed},
        "datasets": [],
    }


def _open(study: Study, store: Store, folder: Path, record: dict[str, Any]) -> str:
    from conflictnlp.tracking.parents import open_parent

    key = f"parent of {store.uri}"
    with study.lock:
        known = study.optuna.user_attrs.get(key)
        with open_parent(store, folder / "summary", record, known) as parent:
            study.optuna.set_user_attr(key, parent.run_id)
    return parent.run_id


@contextmanager
def _helpers(words: Sequence[str], workers: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start the other workers, and leave none behind."""
    helping = _HELPER_OF in os.environ
    command = [sys.executable, "-m", "conflictnlp.cli", "search", *words]
    settings = {**os.environ, _HELPER_OF: str(os.getpid())}
    started = [
        subprocess.Popen(command, env=settings, stdout=subprocess.DEVNULL) for _ in range(0 if helping else workers - 1)
    ]
    try:
        yield started
    finally:
        for process in started:
            if process.poll() is None:
                process.terminate()
            process.wait()


def _work(job: Search, timeout: float | None) -> None:
    started = time.monotonic()
    while timeout is None or time.monotonic() - started < timeout:
        if os.environ.get(_HELPER_OF, str(os.getppid())) != str(os.getppid()):
            log.info("the process that started this worker is gone; it ends here")
            return
        trial = job.study.next_trial()
        if trial is None:
            return
        _try(job, trial)


def _try(job: Search, trial: optuna.Trial) -> None:
    """Train one trial and tell the study; one that fails is noted and costs no other."""
    import optuna

    study = job.study.optuna
    log.info("trial %d: %s", trial.number, " ".join(to_words(trial.params)))
    try:
        config, splits = _trial_config(job, trial)
        folder = job.folder / "trials" / str(trial.number)
        words = [*job.words, *to_words(trial.params), "evaluation.test=false", "evaluation.plots=false"]
        result = train_once(config, folder, words, job.parent_id, splits, _watch(trial))
    except PrunedError as end:
        log.info("trial %d: %s", trial.number, end)
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    except TrackingError:
        raise
    except Exception as error:
        trial.set_user_attr("error", f"{type(error).__name__}: {error}"[:1000])
        trial.set_user_attr("input", isinstance(error, InputError))
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
        log.error("trial %d failed: %s", trial.number, error, exc_info=not isinstance(error, ConflictNLPError))
    else:
        trial.set_user_attr("run_id", result.run_id)
        trial.set_user_attr("folder", str(result.bundle.parent))
        study.tell(trial, result.metrics[CHOOSES])
        log.info("trial %d: %s %.4f", trial.number, CHOOSES, result.metrics[CHOOSES])


def _trial_config(job: Search, trial: optuna.Trial) -> tuple[Config, Splits]:
    config = _quiet(compose([*job.words, *to_words(trial.params)])[0])
    tags = {**config.tracking.tags, "kind": "trial", "trial": str(trial.number)}
    tracking = replace(config.tracking, tags=tags)
    splits = job.splits if config.data == job.config.data else load_splits(config.data, config.to_task())
    return replace(config, tracking=tracking, name=f"trial-{trial.number}"), splits


def _watch(trial: optuna.Trial) -> Callable[[dict[str, float], int], None]:
    """Report each evaluation of the validation split; evaluations are counted, since steps differ between trials."""
    seen = 0

    def watch(metrics: dict[str, float], step: int) -> None:
        nonlocal seen
        if CHOOSES not in metrics:
            return
        trial.report(metrics[CHOOSES], seen)
        seen += 1
        if trial.should_prune():
            raise PrunedError(f"pruned at evaluation {seen} (step {step}): {CHOOSES} {metrics[CHOOSES]:.4f}")

    return watch
