"""Real runs of the embedded sample: two configurations, one with three seeds and one with one."""

import csv
import json
import shutil
from contextlib import chdir
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient

from conflictnlp.evaluation.predictions import predictions_file
from tests.commands.conftest import QUICK, say
from tests.tracking.conftest import make_run

WORDS = ("task=topic", *QUICK, "data.split.seed=${seed}")
FAST = ("--resamples", "200")


def run_id(said) -> str:
    assert said.status == 0, said.err
    return said.out.splitlines()[0].removeprefix("run_id: ")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> tuple[Path, list[str]]:
    folder = tmp_path_factory.mktemp("compared")
    shutil.copy(empty_database, folder)
    with chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        runs = [run_id(say("train", *WORDS, f"seed={seed}")) for seed in (1, 2, 3)]
        runs.append(run_id(say("train", *WORDS, "model.C=0.01", "name=weak")))
    return folder, runs


@pytest.fixture
def runs(place: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs in a store that is only read."""
    monkeypatch.chdir(place[0])
    return place[1]


@pytest.fixture
def writable(place: tuple[Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs in a store that a test may write to; files that were stored before lie where they lay."""
    shutil.copy(place[0] / "mlflow.db", tmp_path)
    monkeypatch.chdir(tmp_path)
    return place[1]


def copied(run_id: str, digest: str | None = None, **cells: str) -> str:
    """Return a run like another, tested on data with another fingerprint, or with other cells in the fourth row."""
    client = MlflowClient(f"sqlite:///{Path.cwd()}/mlflow.db")
    run = client.get_run(run_id)
    tags = {**run.data.tags, "mlflow.runName": "copied"}
    copy = client.create_run(run.info.experiment_id, tags=tags).info.run_id
    inputs = run.inputs.dataset_inputs
    for given in inputs:
        if digest and given.tags[0].value == "test":
            given.dataset._digest = digest
    client.log_inputs(copy, datasets=inputs)
    frame = pd.read_parquet(client.download_artifacts(run_id, predictions_file()))
    for column, value in cells.items():
        frame.loc[3, column] = value
    frame.to_parquet(predictions_file(), index=False)
    client.log_artifact(copy, predictions_file())
    client.log_artifact(copy, client.download_artifacts(run_id, "config.json"))
    client.set_terminated(copy, "FINISHED")
    return copy


def test_all_that_is_asked_for_is_written(runs: list[str], tmp_path: Path) -> None:
    output = tmp_path / "new" / "compared"
    said = say("compare", runs[0], runs[1][:8], runs[2], "weak", "--output", str(output), *FAST)
    assert said.status == 0, said.err
    values = json.loads(said.out)
    assert values == json.loads((output / "comparison.json").read_text())
    assert values["task"] == "topic"
    assert [(found["name"], found["seeds"]) for found in values["configurations"]] == [("tfidf-sample", 3), ("weak", 1)]
    tables = {f"{n}.{s}" for n in ("models", "configurations", "classes") for s in ("md", "csv", "tex")}
    tables |= {f"these_two_{n}.{s}" for n in ("models", "configurations") for s in ("md", "csv", "tex")}
    plots = {f"forest_{n}.{s}" for n in ("scores", "differences") for s in ("png", "svg")}
    others = {"comparison.json", "disagreements.csv", "disagreements.jsonl"}
    assert {path.name for path in output.iterdir()} == tables | plots | others
    with (output / "disagreements.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == values["disagreements"] > 0
    assert {"id", "gold", "prediction: weak", "prediction: tfidf-sample-s2", "right", "text"} <= set(rows[0])


def test_scores_are_those_that_the_runs_logged(runs: list[str]) -> None:
    values = json.loads(say("compare", runs[0], "weak", *FAST).out)
    client = MlflowClient(f"sqlite:///{Path.cwd()}/mlflow.db")
    for found in values["models"]:
        metrics = client.get_run(found["run_id"]).data.metrics
        assert found["macro_f1"] == pytest.approx(metrics["test/macro_f1"])
        assert found["ece"] == pytest.approx(metrics["test/ece"])
    (pair,) = values["these_two_models"]["pairs"]
    assert pair["difference"] == pytest.approx(values["models"][0]["macro_f1"] - values["models"][1]["macro_f1"])


def test_one_seed_leaves_the_second_question_open(runs: list[str]) -> None:
    said = say("compare", runs[0], "weak", *FAST)
    assert "1 and 1 seeds: 3 or more of each are needed" in said.err
    (pair,) = json.loads(said.out)["these_two_configurations"]["pairs"]
    assert (pair["answered"], pair["p"]) == (False, None)


def test_a_query_finds_finished_runs_with_predictions(writable: list[str]) -> None:
    from conflictnlp.tracking.store import Store

    store = Store()
    make_run(store, Path("empty"))
    make_run(store, Path("other"), experiment="momentum")
    store.client.create_run(store.experiment("topic"), tags={"task": "topic"})
    said = say("compare", "--query", "tags.task = 'topic'", "--task", "topic", *FAST)
    values = json.loads(said.out)
    assert {found["run_id"] for found in values["models"]} == set(writable)
    assert values["notes"] == [
        "left out of what the query found: 1 not finished",
        "left out of what the query found: 1 without test predictions",
    ]


def test_an_evaluation_counts_where_it_is_asked_for(writable: list[str]) -> None:
    for run in writable[:2]:
        assert say("evaluate", f"runs:/{run}/model", "data=sample", "evaluation.plots=false").status == 0
    trained = json.loads(say("compare", "--query", "", *FAST).out)
    assert len(trained["models"]) == 4
    assert "2 evaluations" in trained["notes"][0]
    scored = json.loads(say("compare", "--query", "tags.kind = 'evaluation'", *FAST).out)
    # Their configuration and seeds are those of the runs that trained the models.
    assert [(found["name"], found["seeds"]) for found in scored["configurations"]] == [("tfidf-sample", 2)]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "name two runs or more, or --query"),
        (("weak",), "name two runs or more"),
        (("weak", "nonsense"), "tried a run name"),
        (("weak", "0" * 8), "tried the beginning of a run id, a run name"),
        (("weak", "--query", ""), "give runs or --query, not both"),
        (("weak", "tfidf-sample-s1", "--task", "topic"), "--task goes with --query"),
        (("--query", "metrics.x >"), "the filter 'metrics.x >' is refused"),
        (("--query", "tags.model = 'none'"), "finds 0 runs to compare; two or more are needed"),
        (("weak", "tfidf-sample-s1", "--output", "mlflow.db"), "mlflow.db is a file; name a folder"),
        (("weak", "tfidf-sample-s1", "--resamples", "9"), "9 is not between 100 and 1000000"),
    ],
)
def test_what_cannot_be_compared_is_refused(runs: list[str], words: tuple[str, ...], told: str) -> None:
    assert told in say("compare", *words).refusal


def test_one_run_under_two_names_is_refused(runs: list[str]) -> None:
    assert f"'weak' and {runs[3]!r} are one run" in say("compare", "weak", runs[3]).refusal


def test_an_unfinished_run_is_refused(writable: list[str]) -> None:
    client = MlflowClient(f"sqlite:///{Path.cwd()}/mlflow.db")
    client.update_run(writable[0], status="FAILED")
    assert f"run {writable[0]!r} is FAILED" in say("compare", writable[0], "weak").refusal


def test_a_run_without_predictions_is_refused(writable: list[str]) -> None:
    from conflictnlp.tracking.store import Store

    store = Store()
    runs = [make_run(store, Path(name)) for name in ("a", "b")]
    assert f"it stored no {predictions_file()}" in say("compare", *runs).refusal


def test_other_tasks_are_refused(writable: list[str]) -> None:
    MlflowClient(f"sqlite:///{Path.cwd()}/mlflow.db").set_tag(writable[1], "task", "event_type")
    refusal = say("compare", *writable[:2]).refusal
    assert "different tasks: topic (tfidf-sample-s1" in refusal
    assert "event_type (tfidf-sample-s2" in refusal


def test_other_test_data_is_refused(writable: list[str]) -> None:
    refusal = say("compare", writable[0], copied(writable[1], digest="0123456789ab" * 2)).refusal
    assert "tested on different data: tfidf-sample-s1" in refusal
    assert "on sample (fingerprint 0123456789ab)" in refusal


@pytest.mark.parametrize(("column", "value"), [("text", "Else."), ("id", "else"), ("group", "else")])
def test_other_test_rows_are_refused(writable: list[str], column: str, value: str) -> None:
    refusal = say("compare", writable[0], copied(writable[1], **{column: value})).refusal
    assert "tested on different rows: row 4" in refusal
    assert f"has another {column}" in refusal


def test_a_copy_of_a_seed_is_no_further_seed(writable: list[str]) -> None:
    said = say("compare", *writable[:3], copied(writable[1]), *FAST)
    assert json.loads(said.out)["configurations"][0]["seed_values"] == [1, 2, 3]
    assert "copied repeats seed 2 of tfidf-sample" in said.err
