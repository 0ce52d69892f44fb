import errno
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from mlflow.exceptions import MlflowException

from conflictnlp.errors import InputError, TrackingError
from conflictnlp.tracking.folder import LOCK, RECORD, discard_unused
from conflictnlp.tracking.run import TrackedRun, upload
from conflictnlp.tracking.store import Store
from tests.tracking.conftest import make_record, make_run


@pytest.fixture
def folder(workplace: Path) -> Path:
    path = workplace / "outputs" / "run"
    path.mkdir(parents=True)
    return path


def lose(store: Store, monkeypatch: pytest.MonkeyPatch, *methods: str) -> None:
    def lost(*_: Any, **__: Any) -> None:
        raise MlflowException("API request to http://host/api failed with exception Max retries")

    for method in methods:
        monkeypatch.setattr(store.client, method, lost)


def artifacts_of(store: Store, run_id: str) -> set[str]:
    return {file.path for file in store.client.list_artifacts(run_id)}


def test_facts_are_there_while_the_run_is_made(store: Store, folder: Path) -> None:
    with TrackedRun(store, folder, make_record()) as run:
        seen = store.client.get_run(run.run_id)
    assert (seen.info.status, seen.info.run_name) == ("RUNNING", "tfidf-sample-s1")
    assert seen.data.params == {"seed": "1"}
    assert seen.data.tags["mlflow.source.name"] == "conflictnlp train"
    assert seen.data.tags["mlflow.note.content"] == "A note."
    (given,) = seen.inputs.dataset_inputs
    assert (given.dataset.name, given.dataset.digest, given.tags[0].value) == ("sample-test", "ab" * 16, "test")


def test_files_become_artifacts_when_the_run_ends(store: Store, folder: Path) -> None:
    (folder / "figures").mkdir()
    for name in ("figures/ece.png", "config.json", "checkpoints", "bundle", ".hidden"):
        (folder / name).write_text("x")
    with TrackedRun(store, folder, make_record()) as run:
        run.end("FINISHED")
    assert artifacts_of(store, run.run_id) == {"figures", "config.json"}
    assert store.client.get_run(run.run_id).info.status == "FINISHED"


def test_metrics_keep_their_steps(store: Store, folder: Path) -> None:
    with TrackedRun(store, folder, make_record()) as run:
        for step, value in ((10, 0.5), (20, 0.75)):
            run.log_metrics({"val/macro_f1": value}, step)
    history = store.client.get_metric_history(run.run_id, "val/macro_f1")
    assert [(entry.step, entry.value) for entry in history] == [(10, 0.5), (20, 0.75)]


def test_nan_is_left_out(store: Store, folder: Path) -> None:
    with TrackedRun(store, folder, make_record()) as run:
        run.log_metrics({"train/loss": float("nan"), "val/loss": 1.0})
    assert store.client.get_run(run.run_id).data.metrics == {"val/loss": 1.0}


@pytest.mark.parametrize(
    ("error", "status"), [(ValueError("odd"), "FAILED"), (KeyboardInterrupt(), "KILLED"), (SystemExit(143), "KILLED")]
)
def test_an_exception_ends_the_run_with_its_traceback(
    store: Store, folder: Path, error: BaseException, status: str
) -> None:
    with pytest.raises(type(error)), TrackedRun(store, folder, make_record()) as run:
        raise error
    ended = store.client.get_run(run.run_id)
    assert ended.info.status == status
    assert ended.data.tags["error"].startswith(type(error).__name__)
    assert "traceback.txt" in artifacts_of(store, run.run_id)


def test_a_full_disk_leaves_no_run_behind_as_running(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(ValueError, match="odd"), TrackedRun(store, folder, make_record()) as run:
        monkeypatch.setattr("conflictnlp.tracking.run.write_text", full)
        raise ValueError("odd")
    assert store.client.get_run(run.run_id).info.status == "FAILED"


def test_a_folder_takes_one_process_at_a_time(store: Store, folder: Path) -> None:
    with FileLock(folder / LOCK), pytest.raises(InputError, match="another process is training there"):
        TrackedRun(store, folder, make_record())
    assert store.client.get_experiment_by_name("topic") is None


def test_a_store_that_takes_no_run_is_told_and_unlocks(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose(store, monkeypatch, "create_run")
    with pytest.raises(InputError, match=r"it takes no run \(API request to http://host/api failed\)"):
        TrackedRun(store, folder, make_record())
    with FileLock(folder / LOCK).acquire(timeout=0):
        assert not (folder / RECORD).exists()


def test_a_resumed_run_takes_back_its_failure(store: Store, folder: Path) -> None:
    with pytest.raises(KeyboardInterrupt), TrackedRun(store, folder, make_record()) as first:
        raise KeyboardInterrupt
    with TrackedRun(store, folder, make_record(), first.run_id) as second:
        assert store.client.get_run(second.run_id).info.status == "RUNNING"
        second.end("FINISHED")
    ended = store.client.get_run(first.run_id)
    assert (ended.info.status, ended.data.tags.get("error")) == ("FINISHED", None)
    assert not (folder / "traceback.txt").exists()


class TestLostStore:
    """A store that is lost on the way costs nothing: the folder is sent later."""

    @pytest.fixture
    def lost(self, store: Store, folder: Path, topic_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> TrackedRun:
        shutil.copytree(topic_bundle, folder / "bundle")
        with pytest.raises(TrackingError) as caught, TrackedRun(store, folder, make_record()) as run:
            run.log_metrics({"val/loss": 2.0}, 1)
            lose(store, monkeypatch, "log_batch", "set_terminated")
            run.log_metrics({"test/macro_f1": 0.5}, 2)
            run.end("FINISHED")
        assert str(caught.value).endswith(f"conflictnlp upload {folder}")
        monkeypatch.undo()
        return run

    def test_the_folder_says_finished(self, lost: TrackedRun, folder: Path) -> None:
        assert json.loads((folder / RECORD).read_text())["status"] == "FINISHED"
        assert not (folder / "traceback.txt").exists()

    def test_upload_completes_the_run(self, lost: TrackedRun, folder: Path, store: Store) -> None:
        assert upload(folder, store) == lost.run_id
        run = store.client.get_run(lost.run_id)
        assert run.info.status == "FINISHED"
        assert run.data.metrics["val/loss"] == 2.0
        assert run.data.metrics["test/macro_f1"] == 0.5
        assert len(run.outputs.model_outputs) == 1

    def test_upload_to_another_store_makes_the_run_there(
        self, lost: TrackedRun, folder: Path, tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = tmp_path / "other"
        other.mkdir()
        shutil.copy(empty_database, other)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{other}/mlflow.db")
        elsewhere = Store()
        run_id = upload(folder, elsewhere)
        assert run_id != lost.run_id
        assert elsewhere.client.get_run(run_id).data.metrics["test/macro_f1"] == 0.5
        assert json.loads((folder / RECORD).read_text())["run_id"] == run_id

    def test_a_second_upload_changes_nothing(self, lost: TrackedRun, folder: Path, store: Store) -> None:
        upload(folder, store)
        assert upload(folder, store) == lost.run_id
        assert len(store.client.get_metric_history(lost.run_id, "test/macro_f1")) == 1
        assert len(store.client.get_run(lost.run_id).outputs.model_outputs) == 1

    def test_a_store_lost_again_is_told_again(
        self, lost: TrackedRun, folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lose(store, monkeypatch, "log_inputs")
        with pytest.raises(TrackingError, match=f"conflictnlp upload {folder}"):
            upload(folder, store)


def test_a_folder_without_a_run_is_not_uploaded(store: Store, folder: Path) -> None:
    with pytest.raises(InputError, match=r"holds no run \(no run.json\)"):
        upload(folder, store)


def test_a_run_that_has_not_ended_is_not_uploaded(store: Store, folder: Path) -> None:
    TrackedRun(store, folder, make_record())
    with pytest.raises(InputError, match="has not ended"):
        upload(folder, store)


def test_what_was_laid_out_for_nothing_is_removed(folder: Path, workplace: Path) -> None:
    (folder / ".hydra").mkdir()
    (folder / ".hydra" / "config.yaml").touch()
    (folder / LOCK).touch()
    discard_unused(folder)
    assert not (workplace / "outputs").exists()


def test_a_run_is_not_removed(store: Store, workplace: Path) -> None:
    make_run(store, workplace / "outputs" / "kept")
    discard_unused(workplace / "outputs" / "kept")
    assert (workplace / "outputs" / "kept" / RECORD).is_file()


def test_files_of_the_users_are_not_removed(folder: Path) -> None:
    (folder / "thesis.txt").touch()
    discard_unused(folder)
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


def test_empty_folders_elsewhere_are_not_removed(workplace: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "mine" / "run"
    elsewhere.mkdir(parents=True)
    discard_unused(elsewhere)
    assert elsewhere.parent.is_dir() and not elsewhere.exists()
