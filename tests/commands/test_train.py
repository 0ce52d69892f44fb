import csv
import errno
import json
import logging
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

import conflictnlp
from conflictnlp.data.load import load_splits
from conflictnlp.inference import Model
from tests.commands.conftest import QUICK, Run, Trained

ARTIFACTS = {
    "config.json",
    "data_report.json",
    "evaluation.json",
    "job.log",
    "result.json",
    "risk_coverage.csv",
    "test_predictions.parquet",
}


def test_stdout_is_the_run_and_the_bundle(trained: Trained) -> None:
    assert re.fullmatch(r"run_id: [0-9a-f]{32}\nbundle: /.*/bundle\n", trained.said.out)
    assert trained.bundle.is_dir()


def test_the_result_file_says_the_same(trained: Trained) -> None:
    result = json.loads((trained.bundle.parent / "result.json").read_text())
    assert (result["run_id"], result["bundle"]) == (trained.run_id, str(trained.bundle))
    assert result["metrics"] == json.loads((trained.bundle / "metrics.json").read_text())["metrics"]


def test_the_run_is_finished_under_its_task_and_name(trained: Trained) -> None:
    info = trained.client.get_run(trained.run_id).info
    assert (info.status, info.run_name) == ("FINISHED", "tfidf-sample-s1")
    assert trained.client.get_experiment(info.experiment_id).name == "topic"


def test_the_run_has_the_scores_of_every_label_and_its_costs(trained: Trained) -> None:
    metrics = trained.client.get_run(trained.run_id).data.metrics
    wanted = {"val/macro_f1", "test/macro_f1", "test/ece", "duration_seconds", "examples_per_second", "peak_memory_mb"}
    wanted |= {"val/accuracy_at_80_coverage", "val/threshold_at_80_coverage"}
    wanted |= {f"test/f1/{label}" for label in Model(trained.bundle).labels}
    assert wanted <= set(metrics)
    assert metrics == json.loads((trained.bundle.parent / "result.json").read_text())["metrics"]


def test_the_run_has_params_worth_comparing_and_not_all(trained: Trained) -> None:
    params = trained.client.get_run(trained.run_id).data.params
    assert params["model.max_features"] == "500"
    assert params["data.limit"] == params["rows.train"] == "60"
    assert len(params) <= 60


def test_the_run_has_tags_that_say_what_it_is_and_how_it_was_made(trained: Trained) -> None:
    tags = trained.client.get_run(trained.run_id).data.tags
    assert (tags["task"], tags["model"], tags["data"], tags["seed"]) == ("topic", "tfidf", "sample", "1")
    assert tags["command"] == " ".join(["conflictnlp train task=topic", *QUICK])
    assert "git_commit" not in tags


def test_the_run_has_its_files_as_artifacts(trained: Trained) -> None:
    assert {file.path for file in trained.client.list_artifacts(trained.run_id)} == ARTIFACTS


def test_the_curve_of_risk_and_coverage_ends_with_all_rows_of_each_split(trained: Trained) -> None:
    with (trained.bundle.parent / "risk_coverage.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    last = {row["split"]: (row["coverage"], row["cases"]) for row in rows}
    assert last == {"val": ("1.0", "51"), "test": ("1.0", "52")}


def test_the_job_log_tells_the_data_and_the_scores(trained: Trained) -> None:
    log = (trained.bundle.parent / "job.log").read_text()
    assert "rows: train 60, validation 51, test 52" in log
    assert "macro_f1" not in log and "macro  " in log


def test_the_run_names_its_data_by_digest(trained: Trained) -> None:
    given = trained.client.get_run(trained.run_id).inputs.dataset_inputs
    config = json.loads((trained.bundle.parent / "config.json").read_text())
    from conflictnlp.composition import from_dict

    prints = load_splits(from_dict(config).data, from_dict(config).to_task()).fingerprints
    assert {entry.dataset.name: entry.dataset.digest for entry in given} == {
        f"sample-{name}": value[:32] for name, value in prints.items()
    }


def test_the_run_has_a_logged_model_with_signature_and_example(trained: Trained) -> None:
    (output,) = trained.client.get_run(trained.run_id).outputs.model_outputs
    model = trained.client.get_logged_model(output.model_id)
    scores = {metric.key: metric.value for metric in model.metrics}
    assert scores["test/macro_f1"] == trained.client.get_run(trained.run_id).data.metrics["test/macro_f1"]
    files = {path.name for path in Path(model.artifact_location.removeprefix("file://")).iterdir()}
    assert {"MLmodel", "input_example.json", "artifacts"} <= files


def test_nothing_lies_outside_store_and_outputs(trained: Trained) -> None:
    assert {path.name for path in trained.folder.iterdir()} == {"mlflow.db", ".mlflow.lock", "mlartifacts", "outputs"}


def test_python_trains_by_the_same_words_in_a_checkout(workplace: Path) -> None:
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@b.c"]
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    result = conflictnlp.train(["task=topic", "name=mine", "+tracking.tags.paper=draft", *QUICK])
    run = Trained(workplace, None, result.run_id, result.bundle).client.get_run(result.run_id)
    assert (run.info.run_name, run.data.tags["git_commit"], run.data.tags["paper"]) == ("mine", commit, "draft")
    assert run.data.metrics == result.metrics
    assert result.bundle.parent.parent.parent == workplace / "outputs" / "topic"


def test_the_same_words_give_the_same_scores_and_another_seed_is_another_run(workplace: Path) -> None:
    runs = [conflictnlp.train(["task=momentum", f"seed={seed}", *QUICK]) for seed in (1, 1)]
    assert runs[0].metrics["test/macro_f1"] == runs[1].metrics["test/macro_f1"]
    assert runs[0].run_id != runs[1].run_id


@pytest.fixture
def crashing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make the training fail with an error."""

    def crash(error: BaseException) -> None:
        def fit(*_: Any, **__: Any) -> None:
            raise error

        monkeypatch.setattr("conflictnlp.models.tfidf.TfidfClassifier.fit", fit)

    return crash


def only_run(folder: Path) -> Any:
    (run,) = Trained(folder, None, "", folder).client.search_runs(["1"])
    return run


def test_a_crash_leaves_a_failed_run_with_its_traceback(run: Run, workplace: Path, crashing: Any) -> None:
    crashing(ZeroDivisionError("odd"))
    with pytest.raises(ZeroDivisionError, match="odd"):
        run("train", "task=topic", *QUICK)
    failed = only_run(workplace)
    assert (failed.info.status, failed.data.tags["error"]) == ("FAILED", "ZeroDivisionError: odd")
    trace = Path(failed.info.artifact_uri.removeprefix("file://")) / "traceback.txt"
    assert "in fit_and_score" in trace.read_text()


def test_a_failed_run_is_gone_on_with(run: Run, workplace: Path, crashing: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("conflictnlp.models.tfidf.TfidfClassifier.fit", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run("train", "task=topic", *QUICK)
    run_id = only_run(workplace).info.run_id
    said = run("train", "task=topic", *QUICK, "resume=true")
    assert said.out.startswith(f"run_id: {run_id}\n")
    ended = only_run(workplace)
    assert (ended.info.status, ended.data.tags.get("error")) == ("FINISHED", None)
    refused = run("train", "task=topic", *QUICK, f"resume_run='{run_id}'")
    assert refused.refusal == f"resume_run={run_id}: this run is finished"
    assert len(list((workplace / "outputs" / "topic" / "tfidf-sample-s1").iterdir())) == 1


def test_another_config_does_not_go_on_with_a_run(run: Run, workplace: Path, crashing: Any) -> None:
    crashing(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        run("train", "task=topic", *QUICK)
    run_id = only_run(workplace).info.run_id
    said = run("train", "task=topic", *QUICK, "seed=2", f"resume_run={run_id[:12]}")
    assert "its config or data differ from this command's" in said.refusal


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_in_a_line(run: Run, workplace: Path, crashing: Any, number: int) -> None:
    crashing(OSError(number, "no room", "/data/model.safetensors"))
    said = run("train", "task=topic", *QUICK)
    assert said.status == 1
    assert said.err.splitlines()[-1].startswith("conflictnlp: the disk is full at /data/model.safetensors; free")
    assert only_run(workplace).info.status == "FAILED"


def test_a_full_disk_is_told_through_other_errors(run: Run, crashing: Any) -> None:
    crashing(RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"))
    said = run("train", "task=topic", *QUICK)
    assert said.err.splitlines()[-1] == "conflictnlp: the disk is full; free some space and start again"


def test_an_interruption_is_status_130_and_a_killed_run(run: Run, workplace: Path, crashing: Any) -> None:
    crashing(KeyboardInterrupt())
    said = run("train", "task=topic", *QUICK)
    assert (said.status, said.err.splitlines()[-1]) == (130, "conflictnlp: interrupted")
    assert only_run(workplace).info.status == "KILLED"


def test_a_store_lost_on_the_way_leaves_model_result_and_status_1(run: Run, workplace: Path) -> None:
    def lost(*_: Any, **__: Any) -> None:
        raise OSError("connection refused")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mlflow.MlflowClient.log_batch", lost)
        said = run("train", "task=topic", *QUICK)
    assert said.status == 1
    told = re.fullmatch(
        r"conflictnlp: the tracking store was lost .*conflictnlp upload (\S+)", said.err.splitlines()[-1]
    )
    folder = Path(told[1])
    assert said.out.endswith(f"bundle: {folder}/bundle\n")
    assert "test/macro_f1" in json.loads((folder / "result.json").read_text())["metrics"]
    assert run("upload", str(folder)).out == said.out.splitlines()[0] + "\n"
    assert only_run(workplace).info.status == "FINISHED"


def test_the_log_file_is_let_go(run: Run) -> None:
    before = list(logging.getLogger().handlers)
    conflictnlp.train(["task=topic", *QUICK])
    assert logging.getLogger().handlers == before


def test_a_folder_that_holds_another_run_is_refused(run: Run, workplace: Path) -> None:
    words = ("train", "task=topic", *QUICK, "hydra.run.dir=mine")
    assert run(*words).status == 0
    held = (workplace / "mine" / "result.json").read_text()
    assert "mine: holds a run of another config or data; name another folder" in run(*words, "seed=2").refusal
    assert (workplace / "mine" / "result.json").read_text() == held
    again = run(*words)
    assert again.status == 0
    assert again.out.splitlines()[0].removeprefix("run_id: ") not in held
