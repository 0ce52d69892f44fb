"""A working folder with a store of its own, and a run in it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from conflictnlp.config import TrackingConfig
from conflictnlp.tracking.run import TrackedRun
from conflictnlp.tracking.store import Store


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database without runs: to copy it is quicker than to make one."""
    path = tmp_path_factory.getbasetemp() / "empty" / "mlflow.db"
    if not path.exists():
        Store(TrackingConfig(uri=f"sqlite:///{path}"))
    return path


@pytest.fixture
def workplace(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with an empty store."""
    shutil.copy(empty_database, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def store(workplace: Path) -> Store:
    return Store()


def make_record(name: str = "tfidf-sample-s1", experiment: str = "topic") -> dict[str, Any]:
    """Facts on a run, as the commands put them together."""
    dataset = {"name": "sample-test", "split": "test", "fingerprint": "ab" * 32, "source": "sample:test"}
    return {
        "experiment": experiment,
        "name": name,
        "note": "A note.",
        "tags": {"task": experiment, "command": "conflictnlp train task=topic"},
        "params": {"seed": 1, "name": None},
        "datasets": [{**dataset, "rows": 4, "labels": {"war": 4}}],
    }


def make_run(store: Store, folder: Path, bundle: Path | None = None, **record: str) -> str:
    """Track a finished run in `folder`, with a model if there is a bundle, and return its id."""
    folder.mkdir(parents=True)
    if bundle is not None:
        shutil.copytree(bundle, folder / "bundle")
    with TrackedRun(store, folder, make_record(**record)) as run:
        run.log_metrics({"test/macro_f1": 0.5})
        run.end("FINISHED")
    return run.run_id
