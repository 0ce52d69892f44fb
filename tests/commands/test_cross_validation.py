import json
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient
from sklearn.metrics import f1_score

import conflictnlp
from conflictnlp.commands.runs import list_runs
from tests.commands.conftest import QUICK, Run

WORDS = ("task=topic", *QUICK, "evaluation.folds=3")


@pytest.fixture
def client(workplace: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{workplace}/mlflow.db")


def test_folds_run_under_one_parent_and_are_scored_together(run: Run, client: MlflowClient) -> None:
    said = run("train", *WORDS)
    assert said.status == 0, said.err
    names = [line.partition(": ")[0] for line in said.out.splitlines()]
    assert names == ["run_id", "bundle"] * 3 + ["parent_run_id"]
    *_, parent_id = [line.partition(": ")[2] for line in said.out.splitlines()]
    runs = [client.get_run(line.partition(": ")[2]) for line in said.out.splitlines()[:-1:2]]
    assert {one.data.tags["mlflow.parentRunId"] for one in runs} == {parent_id}
    assert [one.info.run_name for one in runs] == [f"tfidf-sample-s1-fold{number}" for number in (1, 2, 3)]
    assert not any(one.outputs and one.outputs.model_outputs for one in runs)

    parent = client.get_run(parent_id)
    assert (parent.info.status, parent.info.run_name) == ("FINISHED", "tfidf-sample-s1-cv3")
    folder = Path(parent.data.tags["run_folder"])
    pooled = pd.read_parquet(folder / "predictions.parquet")
    assert len(pooled) == 60 + 51 and sorted(set(pooled["fold"])) == [1, 2, 3]
    labels = sorted(set(pooled["gold"]))
    expected = f1_score(pooled["gold"], pooled["prediction"], labels=labels, average="macro", zero_division=0)
    metrics = parent.data.metrics
    assert metrics["cv/macro_f1"] == pytest.approx(expected)
    assert {"cv/macro_f1_low", "cv/macro_f1_high"} <= set(metrics)
    (listed,) = list_runs(query="tags.kind = 'cross-validation'")
    assert (listed["run_id"], listed["macro_f1"]) == (parent_id, metrics["cv/macro_f1"])
    history = client.get_metric_history(parent_id, "cv/fold_macro_f1")
    own = [(number, one.data.metrics["test/macro_f1"]) for number, one in enumerate(runs, start=1)]
    assert [(entry.step, entry.value) for entry in history] == own
    artifacts = {file.path for file in client.list_artifacts(parent_id)}
    assert {"predictions.parquet", "evaluation.json", "config.json", "risk_coverage.csv"} <= artifacts
    assert "folds" not in artifacts
    assert "| 2 | " in parent.data.tags["mlflow.note.content"]


def test_one_that_was_cut_off_goes_on(workplace: Path, client: MlflowClient) -> None:
    from conflictnlp.models import TfidfClassifier

    fit, fitted = TfidfClassifier.fit, []

    def interrupted(self, *arguments, **named):
        fitted.append(1)
        if len(fitted) == 2:
            raise KeyboardInterrupt
        return fit(self, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TfidfClassifier, "fit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            conflictnlp.train(WORDS)
        result = conflictnlp.train(WORDS)
    assert len(fitted) == 4
    assert [one.metrics["test/macro_f1"] for one in result.folds] == [
        entry.value for entry in client.get_metric_history(result.run_id, "cv/fold_macro_f1")
    ]
    assert len(client.search_runs(["1"])) == 4


def test_one_fold_alone_has_the_folds_score(workplace: Path) -> None:
    whole = conflictnlp.train(WORDS)
    alone = conflictnlp.train([*WORDS, "evaluation.fold=2"])
    assert alone.metrics["test/macro_f1"] == whole.folds[1].metrics["test/macro_f1"]
    assert json.loads((whole.folder / "result.json").read_text())["folds"][1]["run_id"] == whole.folds[1].run_id


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("evaluation.folds=1",), "evaluation.folds=1: must be 2 or more"),
        (("evaluation.fold=2",), "evaluation.fold=2: must be one of the evaluation.folds=None"),
        (("evaluation.folds=3", "evaluation.fold=4"), "evaluation.fold=4: must be one of"),
        (("evaluation.folds=500",), "evaluation.folds=500: the 111 rows form "),
        (("evaluation.folds=3", "evaluation.folds_over=test"), "must be one of train, all"),
        (("evaluation.folds=3", "evaluation.test=false"), "cross-validation scores what each fold holds out"),
    ],
)
def test_faults_are_told(run: Run, workplace: Path, words: tuple[str, ...], told: str) -> None:
    assert told in run("train", "task=topic", *QUICK, *words).refusal
    assert not (workplace / "outputs").exists()
