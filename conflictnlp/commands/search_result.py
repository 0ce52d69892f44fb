"""What a search leaves: the best config as an experiment file, the trials and their picture in the parent run."""

from __future__ import annotations

import logging
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conflictnlp.commands.experiment_file import write_experiment
from conflictnlp.commands.space import to_words
from conflictnlp.commands.study import Study
from conflictnlp.commands.sweep_summary import CHOOSES
from conflictnlp.commands.train import BUNDLE
from conflictnlp.config import Config
from conflictnlp.data import Splits
from conflictnlp.errors import ConflictNLPError, IncompleteError, InputError
from conflictnlp.files import write_json, write_text

if TYPE_CHECKING:
    from conflictnlp.tracking.store import Store

log = logging.getLogger(__name__)
EXPERIMENT = "best"


@dataclass(frozen=True)
class SearchResult:
    """What a search left.

    Attributes:
        parent_run_id: the run that the trials lie under.
        run_id: the best trial's run.
        bundle: its model.
        value: its validation macro-F1.
        params: its values by name.
        experiment: the experiment file of its config.
    """

    parent_run_id: str
    run_id: str
    bundle: Path
    value: float
    params: dict[str, Any]
    experiment: Path


@dataclass(frozen=True)
class Search:
    """What stays the same from trial to trial.

    Attributes:
        words: Hydra's words.
        config: without test and pictures.
        splits: the data.
        folder: of the search.
        study: the trials.
        store: where they are tracked.
        record: what the parent run is.
        parent_id: its id.
        plots: whether pictures are wanted.
    """

    words: list[str]
    config: Config
    splits: Splits
    folder: Path
    study: Study
    store: Store
    record: dict[str, Any]
    parent_id: str
    plots: bool


def finish(job: Search) -> SearchResult:
    """Write the best config and the table of trials into the parent, and close it if nobody else is at work.

    Args:
        job: the search, whose trials came to an end.

    Returns:
        the best trial.

    Raises:
        InputError: no trial was finished, each by a fault of the input.
        IncompleteError: no trial was finished.
    """
    from conflictnlp.evaluation.trials_plot import draw_trials
    from conflictnlp.tracking.model import log_run_model
    from conflictnlp.tracking.parents import open_parent

    with job.study.lock:
        best = job.study.best()
        if best is None:
            if not job.study.others_at_work():
                job.store.client.set_terminated(job.parent_id, "FAILED")
            raise _nothing(job)
        bundle = Path(best.user_attrs["folder"]) / BUNDLE
        conf = job.folder / "conf"
        value = best.value or 0.0
        paths = [word for word in job.words if word.startswith("hydra.searchpath=")]
        again = shlex.join(["conflictnlp", "train", "--config-dir", str(conf), f"experiment={EXPERIMENT}", *paths])
        made_by = shlex.join(["conflictnlp", "search", *job.words])
        comment = f"{again}\nTrial {best.number}, {CHOOSES} {value:.4f}, of: {made_by}"
        path = conf / "experiment" / f"{EXPERIMENT}.yaml"
        write_experiment(path, [*job.words, *to_words(best.params)], comment)
        result = SearchResult(job.parent_id, best.user_attrs["run_id"], bundle, value, dict(best.params), path)
        if job.study.others_at_work():
            log.info("another worker is still at work; the best so far is trial %d (%.4f)", best.number, value)
            return result
        log_run_model(job.store, result.run_id, bundle)
        with open_parent(job.store, job.folder / "summary", job.record, job.parent_id) as parent:
            write_text(parent.folder / path.name, path.read_text(encoding="utf-8"))
            write_json(parent.folder / "trials.json", job.study.to_list())
            if job.plots:
                draw_trials(job.study.to_list(), parent.folder / "figures")
            parent.log_metrics({"search/best_val_macro_f1": value, **job.study.counts()})
            parent.note(_note(result, best.number, again, job.study))
            parent.end("FINISHED")
    log.info("best: trial %d, %s %.4f: %s\ntrain it with: %s", best.number, CHOOSES, value, best.params, again)
    return result


def _note(result: SearchResult, number: int, again: str, study: Study) -> str:
    counts = ", ".join(f"{name.rpartition('/')[2]} {int(found)}" for name, found in study.counts().items())
    lines = [f"**{CHOOSES} {result.value:.4f}**, trial {number}, run {result.run_id}. Trials: {counts}.", ""]
    lines += [f"- `{name}` {value}" for name, value in result.params.items()]
    lines += ["", "Chosen on the validation split: this score is the highest of many, and flatters. The test split was"]
    lines += ["not scored. To score it:"]
    return "\n".join([*lines, "", f"    {again}", ""])


def _nothing(job: Search) -> ConflictNLPError:
    failed = [trial for trial in job.study.ended() if "error" in trial.user_attrs]
    if not failed:
        return IncompleteError("search: no trial was finished; start it again to go on")
    told = f"search: none of {len(failed)} trials was finished; the first: {failed[0].user_attrs['error']}"
    return (InputError if all(trial.user_attrs.get("input") for trial in failed) else IncompleteError)(told)
