from pathlib import Path

import pytest

from conflictnlp.errors import InputError
from conflictnlp.tracking.artifacts import fetch_artifact, fingerprints, stored_config
from conflictnlp.tracking.store import Store
from tests.tracking.conftest import make_run


@pytest.fixture
def run(store: Store, workplace: Path):
    return store.client.get_run(make_run(store, workplace / "run"))


def test_a_file_is_fetched_into_a_folder(store: Store, run, tmp_path: Path) -> None:
    store.client.log_text(run.info.run_id, "words", "told.txt")
    (tmp_path / "copy").mkdir()
    path = fetch_artifact(run, "told.txt", store, tmp_path / "copy")
    assert (path.parent, path.read_text()) == (tmp_path / "copy", "words")


def test_a_file_that_was_not_stored_is_refused(store: Store, run) -> None:
    with pytest.raises(InputError, match=r"run 'tfidf-sample-s1' .*: it stored no config\.json"):
        stored_config(run, store)


def test_a_damaged_config_is_refused(store: Store, run) -> None:
    store.client.log_text(run.info.run_id, "{", "config.json")
    with pytest.raises(InputError, match=r"its config\.json is no JSON"):
        stored_config(run, store)


def test_fingerprints_stand_by_split(run) -> None:
    assert fingerprints(run) == {"test": "ab" * 16}
