import csv
import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from conflictnlp.commands.learning_curve import _child, learning_curve
from conflictnlp.composition import compose
from conflictnlp.tracking.store import Store
from tests.commands.conftest import QUICK, Run, Said, say

SMALL = ("learning_curve.shares=[0.5,1]", "learning_curve.seeds=[1,2]")


def run_ids(said: Said) -> tuple[str, Path]:
    assert said.status == 0, said.err
    parent, result = (line.partition(": ")[2] for line in said.out.splitlines())
    return parent, Path(result)


def runs_named(kind: str) -> list[Any]:
    client = Store().client
    return [run for run in client.search_runs(["1"]) if run.info.run_name.startswith(kind)]


@pytest.fixture
def interrupted(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Said:
    """A curve of four trainings that is stopped in the third."""
    from conflictnlp.models.tfidf import TfidfClassifier

    fit, calls = TfidfClassifier.fit, []

    def stop(self: Any, *words: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return fit(self, *words, **named)

    with monkeypatch.context() as patch:
        patch.setattr(TfidfClassifier, "fit", stop)
        return say("learning-curve", "task=topic", *QUICK, *SMALL)


def test_a_curve_goes_on_where_it_was_interrupted_and_is_tracked_whole(interrupted: Said, workplace: Path) -> None:
    assert (interrupted.status, interrupted.out) == (130, "")
    (killed,) = runs_named("learning-curve")
    assert killed.info.status == "KILLED"

    parent_id, result = run_ids(say("learning-curve", "task=topic", *QUICK, *SMALL))
    assert parent_id == killed.info.run_id
    (parent,) = runs_named("learning-curve")
    assert (parent.info.status, parent.info.run_name) == ("FINISHED", "learning-curve-tfidf-sample")
    assert parent.data.tags["command"] == shlex.join(["conflictnlp", "learning-curve", "task=topic", *QUICK, *SMALL])
    assert "test/macro_f1" not in parent.data.metrics
    client = Store().client
    steps = {metric.step for metric in client.get_metric_history(parent_id, "learning_curve/macro_f1")}
    assert steps == {30, 60}

    children = runs_named("tfidf")
    assert {run.info.run_name for run in children} == {
        f"tfidf-sample-s{seed}-share{share}" for seed in (1, 2) for share in ("0.5", "1")
    }
    assert {(run.info.status, run.data.tags["mlflow.parentRunId"]) for run in children} == {("FINISHED", parent_id)}
    # A curve's models are not kept in the store; validation and test are the same for all.
    assert not any(run.outputs.model_outputs for run in children)
    digests = {(given.dataset.name, given.dataset.digest) for run in children for given in run.inputs.dataset_inputs}
    assert [sum(name == f"sample-{split}" for name, _ in digests) for split in ("train", "validation", "test")] == [
        3,
        1,
        1,
    ]

    values = json.loads(result.read_text())
    assert values["parent_run_id"] == parent_id
    assert [(point["share"], point["size"], point["seeds"]) for point in values["points"]] == [(0.5, 30, 2), (1, 60, 2)]
    scores = {run.info.run_id: run.data.metrics["test/macro_f1"] for run in children}
    trials = [trial for point in values["points"] for trial in point["trials"]]
    assert {trial["run_id"]: trial["score"] for trial in trials} == scores
    assert values["extrapolation"]["reasons"][0].startswith("2 sizes;")
    assert len(list(csv.DictReader((result.parent / "learning_curve.csv").open()))) == 2
    assert "cannot be extrapolated" in (result.parent / "learning_curve.md").read_text()
    files = {f"learning_curve.{suffix}" for suffix in ("json", "csv", "md", "png", "svg")}
    assert files <= {file.path for file in client.list_artifacts(parent_id)}
    assert files <= {path.name for path in result.parent.iterdir()}

    # A further share trains only what is new.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("conflictnlp.models.tfidf.TfidfClassifier.fit", lambda *_, **__: 1 / 0)
        words = ["task=topic", *QUICK, "learning_curve.shares=[0.5]", "learning_curve.seeds=[2]"]
        again = learning_curve(words)
        assert again.curve.points[0].trials[0].run_id == values["points"][0]["trials"][1]["run_id"]
        with pytest.raises(ZeroDivisionError):
            learning_curve([*words, "model.C=2"])


def test_a_training_is_what_its_words_say() -> None:
    own = ["task=topic", *QUICK, "seed=7", "data=files", "data.train=a.csv"]
    config, _ = compose([*own, "learning_curve.target=0.5"])
    child, words = _child(config, 0.1, 2)
    repeated, _ = compose([*own, *words])
    repeated.learning_curve.target = 0.5
    assert repeated == child
    assert (child.seed, child.data.split.seed, child.data.share) == (2, 7, 0.1)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["learning_curve.shares=[0.5,2]"], "learning_curve.shares=[0.5, 2.0]: must be different shares"),
        (["learning_curve.shares=[]"], "learning_curve.shares=[]: must be"),
        (["learning_curve.shares=[0.5,0.5]"], "must be different shares, each above 0 and at most 1"),
        (["learning_curve.seeds=[1,1]"], "learning_curve.seeds=[1, 1]: must be different numbers"),
        (["learning_curve.seeds=[-1]"], "learning_curve.seeds=[-1]: must be different numbers"),
        (["learning_curve.target=80"], "learning_curve.target=80.0: is a macro-F1 between 0 and 1"),
        (["learning_curve.resamples=0"], "learning_curve.resamples=0: must be above zero"),
        (["learning_curve.share=[1]"], "Key 'share' not in 'LearningCurveConfig'"),
        (["learning_curve.shares=[0.001]"], "learning_curve.shares: 0.001 of the rows with seed 1 (1 rows): data: the"),
        (["evaluation.folds=3"], "leave evaluation.folds and evaluation.test=false out"),
        (["evaluation.test=false"], "leave evaluation.folds and evaluation.test=false out"),
        (["--config-dir", "nowhere"], "--config-dir nowhere: no such folder"),
        (["data.share=0.5"], "use learning_curve.shares"),
        (["resume_run=abcdefgh"], "leave resume_run out"),
        (["data=nonsense"], "Could not find 'data/nonsense'"),
        (["-m"], "unrecognized arguments: -m"),
        (["seed=1,2"], "config: "),
    ],
)
def test_faulty_words_are_refused_and_leave_nothing(run: Run, workplace: Path, words: list[str], told: str) -> None:
    said = run("learning-curve", "task=topic", *QUICK, *words)
    if "0.001" not in words[0]:
        assert told in said.refusal
    else:  # Labels that cannot be learnt are warned of before.
        assert (said.status, said.out) == (2, "") and told in said.err
    assert {path.name for path in workplace.iterdir()} <= {"mlflow.db", ".mlflow.lock"}
