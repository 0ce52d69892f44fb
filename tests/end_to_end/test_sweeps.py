"""Sweeps, cross-validations and searches as processes: launchers, kills, Hydra's own words."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.end_to_end.conftest import COMMAND, PLAIN, Done, started, wait_for

QUICK = ("task=topic", "model=tfidf", "model.max_features=500", "data.limit=60", *PLAIN)


def client(folder: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{folder}/mlflow.db")


def parent_of(out: str) -> str:
    return out.splitlines()[-1].removeprefix("parent_run_id: ")


def under(folder: Path, parent_id: str) -> list:
    return client(folder).search_runs(["1"], f"tags.`mlflow.parentRunId` = '{parent_id}'")


def kill(process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_other_launchers_keep_the_parent(conflictnlp: Callable[..., Done], tmp_path: Path, launcher: str) -> None:
    pytest.importorskip(f"hydra_plugins.hydra_{launcher.partition('_')[0]}_launcher")
    done = conflictnlp("train", "-m", *QUICK, "model.C=1,-2", "seed=1,2", f"hydra/launcher={launcher}")
    assert done.returncode == 2, done.stderr
    assert [line.partition(": ")[0] for line in done.stdout.splitlines()] == ["run_id", "bundle"] * 2 + [
        "parent_run_id"
    ]
    runs = under(tmp_path, parent_of(done.stdout))
    assert [run.info.status for run in runs] == ["FINISHED"] * 2
    assert sum(bool(run.outputs and run.outputs.model_outputs) for run in runs) == 1
    assert "2 of 4 jobs failed" in done.stderr.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_a_killed_sweep_goes_on(conflictnlp: Callable[..., Done], tmp_path: Path, launcher: str) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    words = ["train", "-m", *QUICK, "model.C=1,5,20", "seed=1,2", f"hydra/launcher={launcher}"]

    def finished() -> list[Path]:
        return list(tmp_path.glob("multirun/topic/*/*/result.json"))

    with started(tmp_path, COMMAND, *words) as process:
        wait_for(lambda: len(finished()) >= 2, process, tmp_path)
        kill(process)
    before = {json.loads(path.read_text())["run_id"] for path in finished()}
    done = conflictnlp(*words)
    assert done.returncode == 0, done.stderr
    (sweep,) = client(tmp_path).search_runs(["1"], "tags.kind = 'sweep'")
    assert (sweep.info.run_id, sweep.info.status) == (parent_of(done.stdout), "FINISHED")
    runs = under(tmp_path, sweep.info.run_id)
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert len(runs) == 6 and before <= {run.info.run_id for run in runs}


@pytest.mark.slow
def test_a_killed_search_goes_on(conflictnlp: Callable[..., Done], tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    words = ["search", *QUICK, "search.trials=4"]
    with started(tmp_path, COMMAND, *words) as process:
        wait_for(lambda: list(tmp_path.glob("outputs/topic/search-*/trials/1/run.json")), process, tmp_path)
        kill(process)
    done = conflictnlp(*words)
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.glob("outputs/topic/search-*/summary/trials.json")
    states = [trial["state"] for trial in json.loads(path.read_text())]
    assert states.count("COMPLETE") == 4 and states.count("CUT_OFF") <= 1
    (parent,) = client(tmp_path).search_runs(["1"], "tags.kind = 'search'")
    assert parent.info.status == "FINISHED"
    assert {run.info.status for run in under(tmp_path, parent.info.run_id)} == {"FINISHED"}


@pytest.mark.slow
def test_two_workers_share_the_trials(conflictnlp: Callable[..., Done], tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    words = ["search", *QUICK, "search.trials=4"]
    with started(tmp_path, COMMAND, *words) as process:
        wait_for(lambda: list(tmp_path.glob("outputs/topic/search-*/study.db")), process, tmp_path)
        done = conflictnlp(*words)
        assert process.wait() == 0, (tmp_path / "err").read_text()
    assert done.returncode == 0, done.stderr
    (parent,) = client(tmp_path).search_runs(["1"], "tags.kind = 'search'")
    assert parent.info.status == "FINISHED"
    assert len(under(tmp_path, parent.info.run_id)) == 4


class TestHydrasOwnWords:
    """What Hydra's users know still works; nothing is trained."""

    @pytest.fixture
    def mine(self, tmp_path: Path) -> Path:
        """A folder of the user's own groups."""
        (tmp_path / "mine" / "experiment").mkdir(parents=True)
        (tmp_path / "mine" / "experiment" / "own.yaml").write_text("# @package _global_\nseed: 41\n")
        return tmp_path / "mine"

    @staticmethod
    def train(*words: str, folder: Path) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "conflictnlp.cli", "train", *words], cwd=folder, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def test_cfg_job_shows_the_config(self, tmp_path: Path) -> None:
        assert "seed: 7\n" in self.train("--cfg", "job", "seed=7", folder=tmp_path)
        assert not (tmp_path / "mlflow.db").exists()

    def test_info_shows_the_search_path(self, mine: Path, tmp_path: Path) -> None:
        assert f"file://{mine}" in self.train("--info", "searchpath", "--config-dir", str(mine), folder=tmp_path)

    def test_a_folder_of_ones_own_adds_options(self, mine: Path, tmp_path: Path) -> None:
        out = self.train("--config-dir", str(mine), "experiment=own", "--cfg", "job", folder=tmp_path)
        assert "seed: 41\n" in out

    def test_the_search_path_adds_options(self, mine: Path, tmp_path: Path) -> None:
        out = self.train(f"hydra.searchpath=[file://{mine}]", "experiment=own", "--cfg", "job", folder=tmp_path)
        assert "seed: 41\n" in out
