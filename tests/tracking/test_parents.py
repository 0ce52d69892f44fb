import json
import threading
import time
from pathlib import Path

import pytest
from filelock import FileLock

from conflictnlp.tracking.folder import LOCK
from conflictnlp.tracking.parents import children, finished, open_parent, unfinished
from conflictnlp.tracking.run import FOLDS, SHARES, TrackedRun
from conflictnlp.tracking.store import Store
from tests.tracking.conftest import make_record


def record_of(identity: str = "abc", parent: str | None = None) -> dict:
    record = make_record()
    record["tags"] = {**record["tags"], "identity": identity}
    if parent:
        record["tags"]["mlflow.parentRunId"] = parent
    return record


def track(store: Store, folder: Path, record: dict, end: str | None) -> str:
    folder.mkdir(parents=True)
    with TrackedRun(store, folder, record) as run:
        (folder / "result.json").write_text(json.dumps({}))
        if end:
            run.end(end)
    return run.run_id


def test_an_unfinished_parent_is_gone_on_with(store: Store, workplace: Path) -> None:
    with pytest.raises(KeyboardInterrupt), open_parent(store, workplace / "one", record_of()) as first:
        raise KeyboardInterrupt
    with open_parent(store, workplace / "two", record_of()) as second:
        assert (second.run_id, second.folder) == (first.run_id, workplace / "one")
        second.end("FINISHED")
    assert not (workplace / "two").exists()


def test_a_finished_parent_is_not_gone_on_with(store: Store, workplace: Path) -> None:
    for name in ("one", "two"):
        with open_parent(store, workplace / name, record_of()) as run:
            run.end("FINISHED")
        assert run.folder == workplace / name


@pytest.mark.parametrize("place", [FOLDS, SHARES])
def test_an_error_ends_the_parent_and_its_children_are_no_artifacts(store: Store, workplace: Path, place: str) -> None:
    child = workplace / "parent" / place / "first" / "result.json"
    child.parent.mkdir(parents=True)
    child.write_text("{}")
    with pytest.raises(ZeroDivisionError), open_parent(store, workplace / "parent", record_of()) as parent:
        raise ZeroDivisionError
    assert store.client.get_run(parent.run_id).info.status == "FAILED"
    assert [file.path for file in store.client.list_artifacts(parent.run_id)] == ["traceback.txt"]


def test_another_identity_is_another_parent(store: Store, workplace: Path) -> None:
    with open_parent(store, workplace / "one", record_of("abc")) as first:
        pass
    with open_parent(store, workplace / "two", record_of("xyz")) as second:
        assert second.run_id != first.run_id


def test_a_parent_that_is_at_work_is_left_alone(store: Store, workplace: Path) -> None:
    with open_parent(store, workplace / "one", record_of()), open_parent(store, workplace / "two", record_of()) as two:
        assert two.folder == workplace / "two"


def test_children_are_the_parents_own(store: Store, workplace: Path) -> None:
    with open_parent(store, workplace / "one", record_of()) as parent:
        child = track(store, workplace / "a", record_of("child", parent.run_id), "FINISHED")
        track(store, workplace / "b", record_of("child", "0" * 32), "FINISHED")
        assert [run.info.run_id for run in children(store, parent.run_id)] == [child]


def test_a_finished_child_is_found_under_its_parent_alone(store: Store, workplace: Path) -> None:
    track(store, workplace / "a", record_of("child", "1" * 32), "FINISHED")
    assert finished(store, record_of("child", "1" * 32), "result.json") == workplace / "a"
    assert finished(store, record_of("child", "2" * 32), "result.json") is None
    assert finished(store, record_of("other", "1" * 32), "result.json") is None


def test_a_child_whose_files_were_deleted_is_not_finished(store: Store, workplace: Path) -> None:
    track(store, workplace / "a", record_of("child", "1" * 32), "FINISHED")
    assert finished(store, record_of("child", "1" * 32), "bundle") is None


def test_a_failed_child_is_unfinished(store: Store, workplace: Path) -> None:
    run_id = track(store, workplace / "a", record_of("child", "1" * 32), "FAILED")
    assert finished(store, record_of("child", "1" * 32), "result.json") is None
    assert unfinished(store, record_of("child", "1" * 32)) == (run_id, workplace / "a")


def test_a_child_at_work_is_waited_for(store: Store, workplace: Path) -> None:
    run_id = track(store, workplace / "a", record_of("child", "1" * 32), None)
    held = threading.Event()

    def work() -> None:
        with FileLock(workplace / "a" / LOCK):
            held.set()
            time.sleep(0.3)
            store.client.set_terminated(run_id, "FINISHED")

    worker = threading.Thread(target=work)
    worker.start()
    held.wait()
    assert finished(store, record_of("child", "1" * 32), "result.json") == workplace / "a"
    worker.join()
