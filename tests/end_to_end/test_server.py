"""Tracking on a live MLflow server, and on one that is lost on the way."""

import json
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.end_to_end.conftest import (
    COMMAND,
    PLAIN,
    Done,
    answers,
    free_port,
    read_told,
    server,
    started,
    told,
    wait_for,
)

pytestmark = pytest.mark.slow
QUICK = ("model=tfidf", "model.max_features=500", "data.limit=60", *PLAIN)


def test_a_live_server_tracks_and_serves_models(conflictnlp: Callable[..., Done], tmp_path: Path) -> None:
    with server(tmp_path / "server") as (uri, _):
        trained = conflictnlp("train", "task=topic", *QUICK, MLFLOW_TRACKING_URI=uri)
        run_id, _ = told(trained)
        run = MlflowClient(uri).get_run(run_id)
        assert (run.info.status, len(run.outputs.model_outputs)) == ("FINISHED", 1)
        assert run.info.artifact_uri.startswith("mlflow-artifacts:/")

        (tmp_path / "a.txt").write_text("Rebels shelled the garrison.")
        applied = conflictnlp("predict", run_id, "a.txt", MLFLOW_TRACKING_URI=uri)
        assert json.loads(applied.stdout)["prediction"] == "armed_conflict"

        scored = conflictnlp("evaluate", run_id, *PLAIN, MLFLOW_TRACKING_URI=uri)
        child = MlflowClient(uri).get_run(scored.stdout.splitlines()[0].removeprefix("run_id: "))
        assert child.data.tags["mlflow.parentRunId"] == run_id
        assert child.data.metrics["test/macro_f1"] == run.data.metrics["test/macro_f1"]

        again = conflictnlp("rerun", run_id, MLFLOW_TRACKING_URI=uri)
        rerun = MlflowClient(uri).get_run(told(again)[0])
        assert rerun.data.metrics["test/macro_f1"] == run.data.metrics["test/macro_f1"]
    assert not (tmp_path / "mlflow.db").exists()


def test_a_server_lost_while_training_costs_nothing(
    conflictnlp: Callable[..., Done], tmp_path: Path, tiny_encoder: Path
) -> None:
    own = ["task=topic", "model=encoder", f"model.encoder={tiny_encoder}", "trainer.epochs=12", "threads=1", *PLAIN]
    with (
        server(tmp_path / "first") as (uri, lost),
        started(tmp_path, COMMAND, "train", *own, MLFLOW_TRACKING_URI=uri) as process,
    ):
        wait_for(lambda: list(tmp_path.glob("outputs/topic/*/*/checkpoints/checkpoint-*")), process, tmp_path)
        os.killpg(lost.pid, signal.SIGKILL)
        assert process.wait() == 1
    run_id, bundle = read_told((tmp_path / "out").read_text())
    last = (tmp_path / "err").read_text().splitlines()[-1]
    printed = re.fullmatch(r"conflictnlp: the tracking store was lost .*: conflictnlp (upload \S+)", last)
    assert printed is not None
    result = json.loads((bundle.parent / "result.json").read_text())
    assert result["run_id"] == run_id

    with server(tmp_path / "second") as (uri, _):
        sent = conflictnlp(*printed[1].split(), MLFLOW_TRACKING_URI=uri)
        assert sent.returncode == 0, sent.stderr
        run = MlflowClient(uri).get_run(sent.stdout.removeprefix("run_id: ").strip())
        assert run.info.status == "FINISHED"
        assert run.data.metrics["test/macro_f1"] == result["metrics"]["test/macro_f1"]
        (tmp_path / "a.txt").write_text("Rebels shelled the garrison.")
        assert conflictnlp("predict", run.info.run_id, "a.txt", MLFLOW_TRACKING_URI=uri).returncode == 0


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_ui_serves_the_store_and_ends_with_all_its_processes(
    conflictnlp: Callable[..., Done], tmp_path: Path, number: int, status: int
) -> None:
    run_id, _ = told(conflictnlp("train", "task=topic", *QUICK))
    port = free_port()
    uri = f"http://127.0.0.1:{port}"
    with started(tmp_path, COMMAND, "ui", "--port", str(port)) as process:
        wait_for(lambda: answers(uri), process, tmp_path)
        assert MlflowClient(uri).get_run(run_id).info.status == "FINISHED"
        process.send_signal(number)
        assert process.wait() == status
    while answers(uri):  # It shuts down by itself, or the test runs into its time limit.
        pass
