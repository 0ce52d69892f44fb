"""Tracking on an MLflow server that keeps its runs in PostgreSQL."""

import json
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.end_to_end.conftest import (
    CHROMIUM,
    COMMAND,
    PLAIN,
    Done,
    chromium,
    free_port,
    read_told,
    server,
    started,
    wait_for,
)

# Debian keeps the server's programs off the path.
KNOWN = [*sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True), Path(shutil.which("initdb") or "")]
PROGRAMS = next((path.parent for path in KNOWN if (path.parent / "pg_isready").is_file()), None)
pytest.importorskip("psycopg2", reason="psycopg2 is not installed (the extra `test` has it)")
pytest.importorskip("playwright.sync_api", reason="playwright is not installed (the extra `test` has it)")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAMS is None, reason="no PostgreSQL on this machine (apt-get install postgresql)"),
]
QUICK = ("model=tfidf", "model.max_features=500", "data.limit=60", *PLAIN)


@pytest.fixture
def database() -> Iterator[str]:
    """A database of its own, by its SQLAlchemy address; PostgreSQL refuses to run as root."""
    assert PROGRAMS is not None
    user = "nobody" if os.geteuid() == 0 else None
    # pytest's own folders are closed to other users; a socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    port = free_port()

    def tell(*words: str) -> None:
        subprocess.run(words, user=user, cwd=folder, check=True, capture_output=True, timeout=120)

    tell(str(PROGRAMS / "initdb"), "-D", f"{folder}/data", "-U", "mlflow", "-A", "trust", "-E", "UTF8", "--no-sync")
    words = [
        str(PROGRAMS / "postgres"),
        "-D",
        f"{folder}/data",
        "-k",
        str(folder),
        "-p",
        str(port),
        "-c",
        "listen_addresses=127.0.0.1",
    ]
    with (folder / "err").open("w") as err:
        process = subprocess.Popen([*words, "-c", "fsync=off"], user=user, cwd=folder, stderr=err, text=True)
    try:
        ready = [str(PROGRAMS / "pg_isready"), "-q", "-h", str(folder), "-p", str(port)]
        wait_for(lambda: subprocess.run(ready, timeout=20, check=False).returncode == 0, process, folder)
        tell(str(PROGRAMS / "createdb"), "-h", str(folder), "-p", str(port), "-U", "mlflow", "mlflow")
        yield f"postgresql+psycopg2://mlflow@127.0.0.1:{port}/mlflow"
    finally:
        process.send_signal(2)  # SIGINT: end at once, but cleanly.
        process.wait(60)
        shutil.rmtree(folder)


def test_two_trainings_at_once_are_tracked_listed_and_loaded(
    conflictnlp: Callable[..., Done], tmp_path: Path, database: str
) -> None:
    with server(tmp_path / "server", database) as (uri, _):
        folders = [tmp_path / "one", tmp_path / "two"]
        for folder in folders:
            folder.mkdir()
        words = [[COMMAND, "train", "task=topic", f"seed={seed}", *QUICK] for seed in (1, 2)]
        with (
            started(folders[0], *words[0], MLFLOW_TRACKING_URI=uri) as first,
            started(folders[1], *words[1], MLFLOW_TRACKING_URI=uri) as second,
        ):
            for process, folder in zip((first, second), folders, strict=True):
                assert process.wait(240) == 0, (folder / "err").read_text()
        ids = [read_told((folder / "out").read_text())[0] for folder in folders]

        client = MlflowClient(uri, uri)  # a registry named earlier in this process would win over the server
        (experiment,) = client.search_experiments(filter_string="name = 'topic'")
        assert "armed_conflict" in experiment.tags["mlflow.note.content"]
        found = {run.info.run_id: run for run in client.search_runs([experiment.experiment_id])}
        assert set(found) == set(ids)
        assert {run.info.status for run in found.values()} == {"FINISHED"}
        assert sorted(run.info.run_name for run in found.values()) == ["tfidf-sample-s1", "tfidf-sample-s2"]
        table = conflictnlp("runs", MLFLOW_TRACKING_URI=uri)
        assert all(run_id in table.stdout + table.stderr for run_id in ids)

        promoted = conflictnlp("promote", ids[0], MLFLOW_TRACKING_URI=uri)
        assert promoted.returncode == 0, promoted.stderr
        (output,) = found[ids[0]].outputs.model_outputs
        (tmp_path / "a.txt").write_text("Rebels shelled the garrison.")
        for ref in (f"models:/{output.model_id}", "models:/topic/1", "models:/topic@champion"):
            applied = conflictnlp("predict", ref, "a.txt", MLFLOW_TRACKING_URI=uri)
            assert applied.returncode == 0, applied.stderr
            assert json.loads(applied.stdout)["prediction"] == "armed_conflict"
        if CHROMIUM:
            with chromium() as browser:
                page = browser.new_page(viewport={"width": 1700, "height": 900}, base_url=uri)
                page.goto(f"/#/experiments/{experiment.experiment_id}/runs")
                for seed in (1, 2):
                    page.get_by_role("link", name=f"tfidf-sample-s{seed}").first.wait_for(timeout=20_000)
                page.goto("/#/models/topic")
                page.get_by_text("champion").first.wait_for(timeout=20_000)
    assert not list(tmp_path.glob("**/mlflow.db"))
