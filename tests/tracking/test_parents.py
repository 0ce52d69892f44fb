import os
from pathlib import Path

import pytest

from conflictnlp.tracking.parents import PARENT_RUN, parent_run
from conflictnlp.tracking.run import CHILDREN
from conflictnlp.tracking.store import Store
from tests.tracking.conftest import make_record


def test_children_know_their_parent_only_within_it(store: Store, workplace: Path, monkeypatch) -> None:
    monkeypatch.setenv(PARENT_RUN, "outer")
    (workplace / "parent").mkdir()
    with parent_run(store, workplace / "parent", make_record()) as parent:
        assert os.environ[PARENT_RUN] == parent.run_id
        assert "MLFLOW_RUN_ID" not in os.environ
        parent.end("FINISHED")
    assert os.environ[PARENT_RUN] == "outer"


def test_an_error_ends_the_parent_and_its_children_are_no_artifacts(store: Store, workplace: Path) -> None:
    folder = workplace / "parent"
    (folder / CHILDREN / "first").mkdir(parents=True)
    (folder / CHILDREN / "first" / "result.json").write_text("{}")
    with pytest.raises(ZeroDivisionError), parent_run(store, folder, make_record()) as parent:
        raise ZeroDivisionError
    assert PARENT_RUN not in os.environ
    assert store.client.get_run(parent.run_id).info.status == "FAILED"
    assert [file.path for file in store.client.list_artifacts(parent.run_id)] == ["traceback.txt"]
    with parent_run(store, folder, make_record(), parent.run_id) as again:
        again.end("FINISHED")
    assert store.client.get_run(parent.run_id).info.status == "FINISHED"
