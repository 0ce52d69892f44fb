"""Jobs that start together, as an array job on a cluster does."""

import os
import subprocess
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.end_to_end.conftest import COMMAND, PLAIN, read_told

pytestmark = pytest.mark.slow


def test_eight_trainings_on_a_fresh_store_all_finish(tmp_path: Path) -> None:
    words = ["train", "task=topic", "model=tfidf", "model.max_features=500", "data.limit=60", "threads=1", *PLAIN]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    jobs = [subprocess.Popen([COMMAND, *words], cwd=tmp_path, env=environment, **pipes) for _ in range(8)]
    said = [job.communicate() for job in jobs]
    assert [job.returncode for job in jobs] == [0] * 8, "\n".join(err for _, err in said)

    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    assert [experiment.name for experiment in client.search_experiments()] == ["topic", "Default"]
    ends = [read_told(out) for out, _ in said]
    assert len({run_id for run_id, _ in ends}) == len({bundle for _, bundle in ends}) == 8
    runs = [client.get_run(run_id) for run_id, _ in ends]
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert len({(len(run.data.metrics), run.data.metrics["test/macro_f1"]) for run in runs}) == 1
    assert all(bundle.is_dir() for _, bundle in ends)
