"""A training that is cut off: what it leaves, and how it goes on."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.end_to_end.conftest import COMMAND, PLAIN, Done, started, told, wait_for


def words(encoder: Path) -> list[str]:
    """Twelve epochs whose best one is the last, so that what follows an interruption decides the weights."""
    own = [f"model.encoder={encoder}", "model.learning_rate=3e-4", "trainer.epochs=12", "trainer.metric=loss"]
    return ["train", "task=topic", "model=encoder", *own, "trainer.patience=null", "threads=1", *PLAIN]


def checkpoints(folder: Path) -> list[Path]:
    return list(folder.glob("outputs/topic/*/*/checkpoints/checkpoint-*/trainer_state.json"))


def best_step(run: Path) -> int:
    """The optimiser step after which the validation loss was lowest."""
    entries = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    scored = [entry for entry in entries if "val/loss" in entry["metrics"]]
    return min(scored, key=lambda entry: entry["metrics"]["val/loss"])["step"]


def only_run(folder: Path) -> object:
    (run,) = MlflowClient(f"sqlite:///{folder}/mlflow.db").search_runs(["1"])
    return run


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)]
)
def test_a_signal_in_the_middle_leaves_a_killed_run(
    number: int, status: int, tmp_path: Path, tiny_encoder: Path
) -> None:
    with started(tmp_path, COMMAND, *words(tiny_encoder), "trainer.epochs=1000") as process:
        wait_for(lambda: checkpoints(tmp_path), process, tmp_path)
        process.send_signal(number)
        assert process.wait() == status
    assert (tmp_path / "out").read_text() == ""
    assert "Traceback" not in (tmp_path / "err").read_text()
    run = only_run(tmp_path)
    assert run.info.status == "KILLED"
    names = {file.path for file in MlflowClient(f"sqlite:///{tmp_path}/mlflow.db").list_artifacts(run.info.run_id)}
    assert {"traceback.txt", "config.json", "job.log"} <= names


@pytest.mark.slow
def test_a_killed_training_goes_on_to_the_same_weights(
    conflictnlp: Callable[..., Done], tmp_path: Path, tiny_encoder: Path
) -> None:
    with started(tmp_path, COMMAND, *words(tiny_encoder)) as process:
        wait_for(lambda: checkpoints(tmp_path), process, tmp_path)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    cut = only_run(tmp_path)
    assert cut.info.status == "RUNNING"
    seen = max(json.loads(path.read_text())["global_step"] for path in checkpoints(tmp_path))

    resumed = conflictnlp(*words(tiny_encoder), "resume=true")
    run_id, bundle = told(resumed)
    assert run_id == cut.info.run_id
    assert only_run(tmp_path).info.status == "FINISHED"
    assert f"resuming from checkpoint-{seen}" in resumed.stderr

    whole_id, whole = told(conflictnlp(*words(tiny_encoder)))
    assert whole_id != run_id
    assert (bundle / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert best_step(whole.parent) == best_step(bundle.parent) > seen
    assert len(list((tmp_path / "outputs" / "topic" / "encoder-sample-s1").iterdir())) == 2


@pytest.mark.slow
def test_a_named_run_goes_on(conflictnlp: Callable[..., Done], tmp_path: Path, tiny_encoder: Path) -> None:
    with started(tmp_path, COMMAND, *words(tiny_encoder)) as process:
        wait_for(lambda: checkpoints(tmp_path), process, tmp_path)
        alive = conflictnlp(*words(tiny_encoder), f"resume_run='{only_run(tmp_path).info.run_id}'")
        process.send_signal(signal.SIGKILL)
    assert (alive.returncode, alive.stderr.count("\n")) == (2, 1)
    assert "it is still running" in alive.stderr
    run_id = only_run(tmp_path).info.run_id
    assert told(conflictnlp(*words(tiny_encoder), f"resume_run='{run_id}'"))[0] == run_id
