import json
import shutil
from pathlib import Path

import pytest

import conflictnlp
from conflictnlp.errors import BundleError
from tests.commands.conftest import Run, Trained


@pytest.fixture
def bundle(tmp_path: Path, topic_bundle: Path) -> Path:
    """A bundle that a test may damage."""
    return shutil.copytree(topic_bundle, tmp_path / "bundle")


def test_a_model_is_loaded_from_its_folder(topic_bundle: Path) -> None:
    model = conflictnlp.load(topic_bundle)
    assert (model.task.name, model.labels) == ("topic", ["war", "deal", "never"])
    assert model.predict("Shells hit the town.").label == "war"


def test_a_model_is_loaded_by_its_run(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(trained.folder)
    by_run = conflictnlp.load(trained.run_id)
    assert by_run.fingerprint == conflictnlp.load(trained.bundle).fingerprint
    assert by_run.ref == trained.run_id


def test_a_folder_that_holds_the_bundle_will_do(trained: Trained) -> None:
    assert conflictnlp.load(trained.bundle.parent).fingerprint == conflictnlp.load(trained.bundle).fingerprint


def change_manifest(bundle: Path, **values: object) -> None:
    path = bundle / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


DAMAGES = {
    "manifest.json: damaged": lambda bundle: (bundle / "manifest.json").write_text('{"format_version": 1'),
    "its content is not what the manifest says": lambda bundle: (bundle / "model.skops").write_bytes(b"cut"),
    "missing; the bundle is damaged": lambda bundle: (bundle / "model.skops").unlink(),
    "a bundle may hold only plain files of known names": lambda bundle: (bundle / "evil.pkl").touch(),
    "format 99 is newer than 1": lambda bundle: change_manifest(bundle, format_version=99),
}


@pytest.mark.parametrize("told", DAMAGES)
def test_a_damaged_bundle_is_refused_in_a_line(run: Run, bundle: Path, told: str) -> None:
    DAMAGES[told](bundle)
    (bundle.parent / "a.txt").write_text("Shells hit the town.")
    assert told in run("predict", str(bundle), "a.txt").refusal
    with pytest.raises(BundleError, match=told):
        conflictnlp.load(bundle)
