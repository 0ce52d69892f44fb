"""`torchrun` and `accelerate launch`: two processes on CPUs train one model, and end together."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient

import conflictnlp
from conflictnlp.bundle import read_manifest
from tests.end_to_end.conftest import PLAIN, Done, told

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
BIN = Path(sys.executable).parent
TORCHRUN = (str(BIN / "torchrun"), "--nproc-per-node", "2")
ACCELERATE = (str(BIN / "accelerate"), "launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1")
ACCELERATE += ("--mixed_precision", "no", "--dynamo_backend", "no")
SMALL = (
    "task=momentum",
    "model=encoder",
    "trainer.epochs=3",
    "trainer.patience=1",
    "trainer.batch_size=32",
    "data.limit=120",
    "device=cpu",
    *PLAIN,
)
# Two estimators that fail on one of the processes, and the command's own way to fit them.
FAILING = """
import sys
from conflictnlp import processes
from conflictnlp.errors import InputError
from torch import distributed

class Failing:
    def __init__(self, where=0, how="raise"):
        self.where, self.how = where, how

    def fit(self):
        with processes.agreed():
            if self.how == "refuse" and processes.rank() == self.where:
                raise InputError("the encoder is not here")
        if self.how == "raise" and processes.rank() == self.where:
            raise RuntimeError("out of memory")
        distributed.barrier()

if processes.rank() > 0:
    processes.follow()
else:
    with processes.leading():
        try:
            processes.fit_together(Failing(int(sys.argv[1]), sys.argv[2]))
        except InputError as error:
            print(f"told: {error}")
        processes.fit_together(Failing(how="nothing"))
        print("fitted after that")
"""


def launch(folder: Path, *words: str) -> Done:
    folder.mkdir(exist_ok=True)
    settings = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(words, cwd=folder, env=settings, capture_output=True, text=True, timeout=900)


def trained(folder: Path, encoder: Path, *launcher: str) -> tuple[str, Path]:
    done = launch(folder, *launcher, "-m", "conflictnlp", "train", *SMALL, f"model.encoder={encoder}")
    assert "2 processes: a batch is 64 windows (32 each)" in done.stderr
    return told(done)


def test_two_processes_make_one_run_and_one_bundle_and_the_same_again(tmp_path: Path, tiny_encoder: Path) -> None:
    run_id, bundle = trained(tmp_path / "one", tiny_encoder, *TORCHRUN)
    client = MlflowClient(f"sqlite:///{tmp_path}/one/mlflow.db")
    (run,) = client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])
    assert (run.info.run_id, run.info.status, run.data.params["processes"]) == (run_id, "FINISHED", "2")
    assert [path.parent for path in (tmp_path / "one").glob("outputs/**/bundle")] == [bundle.parent]
    assert not (bundle.parent / "checkpoints").exists()
    assert read_manifest(bundle).training["processes"] == 2
    # An epoch has 14 batches; each process takes 7 of them.
    steps = [entry.step for entry in client.get_metric_history(run_id, "val/macro_f1")]
    assert steps[0] == 7
    assert set(steps) <= {7, 14, 21}
    text = "Northern Front fighters took the town of Ostra on Monday."
    assert conflictnlp.load(bundle).predict(text, actor="Northern Front").error is None

    _, again = trained(tmp_path / "two", tiny_encoder, *TORCHRUN)
    first, second = (pd.read_parquet(path.parent / "test_predictions.parquet") for path in (bundle, again))
    assert first["prediction"].tolist() == second["prediction"].tolist()


def test_accelerate_launches_two_processes_too(tmp_path: Path, tiny_encoder: Path) -> None:
    run_id, _ = trained(tmp_path / "one", tiny_encoder, *ACCELERATE)
    client = MlflowClient(f"sqlite:///{tmp_path}/one/mlflow.db")
    assert client.get_run(run_id).data.params["processes"] == "2"


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("task=topik",), "task"),
        (("-m", "task=topic", "model=tfidf", "seed=1,2"), "train -m: runs in one process"),
        (("task=topic", "model=encoder", "model.encoder=/none"), "model.encoder=/none: not found"),
    ],
    ids=["a fault of the config", "a sweep", "no encoder"],
)
def test_a_fault_that_the_leader_finds_ends_both(tmp_path: Path, words: tuple[str, ...], fault: str) -> None:
    done = launch(tmp_path, *TORCHRUN, "-m", "conflictnlp", "train", *words)
    assert done.returncode != 0
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("conflictnlp: ")]
    assert fault in line
    assert done.stdout == ""
    assert not list(tmp_path.glob("outputs/**/bundle"))


@pytest.mark.parametrize("where", [0, 1])
def test_a_process_that_fails_ends_the_other(tmp_path: Path, where: int) -> None:
    (tmp_path / "fit.py").write_text(FAILING)
    done = launch(tmp_path, *TORCHRUN, "fit.py", str(where), "raise")
    assert done.returncode != 0
    assert "RuntimeError: out of memory" in done.stderr
    assert "fitted after that" not in done.stdout


@pytest.mark.parametrize("where", [0, 1])
def test_a_fault_of_the_input_on_one_process_is_the_leaders_to_tell(tmp_path: Path, where: int) -> None:
    (tmp_path / "fit.py").write_text(FAILING)
    done = launch(tmp_path, *TORCHRUN, "fit.py", str(where), "refuse")
    assert done.returncode == 0, done.stderr
    own = "" if where == 0 else "process 1 on "
    assert f"told: {own}" in done.stdout
    assert "the encoder is not here" in done.stdout
    assert "fitted after that" in done.stdout
