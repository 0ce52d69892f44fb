import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest

import conflictnlp
from conflictnlp.errors import InputError, TrackingError
from conflictnlp.inference import Model
from conflictnlp.tracking.registry import Promotion, register, run_of_bundle
from conflictnlp.tracking.run import TrackedRun
from conflictnlp.tracking.store import Store
from tests.tracking.conftest import make_record

# Score and first digits of the test data's fingerprint, by the run's name.
RUNS = {"good": (0.6, "ab"), "better": (0.7, "ab"), "elsewhere": (0.9, "cd"), "unscored": (None, "ab")}


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory, empty_database: Path, topic_bundle: Path, actor_bundle: Path
) -> Store:
    """A store with finished runs of two tasks. Tests share it: each takes an alias or a name of its own."""
    folder = tmp_path_factory.mktemp("registry")
    shutil.copy(empty_database, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        store = Store()
        for name, (score, test) in RUNS.items():
            track(store, folder / name, topic_bundle, name, "topic", score, test)
        track(store, folder / "actors", actor_bundle, "actors", "momentum", 0.5, "ef")
        track(store, folder / "modelless", None, "modelless", "topic", 0.5, "ab")
        return store


def track(
    store: Store,
    folder: Path,
    bundle: Path | None,
    name: str,
    task: str,
    score: float | None,
    test: str,
    log_model: bool = True,
) -> None:
    folder.mkdir()
    if bundle is not None:
        shutil.copytree(bundle, folder / "bundle")
    record = {**make_record(name, task), "log_model": log_model}
    record["datasets"][0]["fingerprint"] = test * 32
    with TrackedRun(store, folder, record) as run:
        run.log_metrics({"duration_seconds": 1.0} if score is None else {"test/macro_f1": score})
        run.end("FINISHED")


@pytest.fixture
def promoted(place: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Promotion]:
    """Promote the run of a name."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", place.uri)
    monkeypatch.chdir(tmp_path)
    return lambda name, *words, **options: register(place, run_of(place, name), *words, **options)


def run_of(store: Store, name: str) -> Any:
    ids = [experiment.experiment_id for experiment in store.client.search_experiments()]
    (run,) = store.client.search_runs(ids, f"attributes.run_name = '{name}'")
    return run


def test_a_promoted_model_is_found_by_its_alias_everywhere(
    place: Store, promoted: Callable[..., Promotion], topic_bundle: Path
) -> None:
    done = promoted("good")
    assert (done.name, done.alias, done.score, done.previous) == ("topic", "champion", 0.6, None)
    assert conflictnlp.load("models:/topic@champion").fingerprint == Model(topic_bundle).fingerprint
    mlflow.set_tracking_uri(place.uri)
    served = mlflow.pyfunc.load_model("models:/topic@champion").predict(pd.DataFrame({"text": ["Shells hit it."]}))
    assert served["prediction"].tolist() == ["war"]


def test_a_version_says_what_it_is(place: Store, promoted: Callable[..., Promotion], topic_bundle: Path) -> None:
    done = promoted("good", alias="tagged")
    version = place.client.get_model_version_by_alias("topic", "tagged")
    run_id = run_of(place, "good").info.run_id
    assert version.tags == {
        "task": "topic",
        "run_id": run_id,
        "score": "0.6",
        "test_fingerprint": "ab" * 16,
        "bundle_fingerprint": Model(topic_bundle).fingerprint,
    }
    assert (version.run_id, int(version.version)) == (run_id, done.version)
    assert place.client.get_registered_model("topic").tags == {"task": "topic"}


def test_a_better_run_takes_the_alias_and_what_bore_it_is_told(promoted: Callable[..., Promotion]) -> None:
    first = promoted("good", alias="taken")
    second = promoted("better", alias="taken")
    assert second.previous == {"version": first.version, "run_id": first.run_id, "score": 0.6}
    assert second.version != first.version


def test_a_run_is_registered_once(place: Store, promoted: Callable[..., Promotion]) -> None:
    versions = {promoted("good", alias=alias).version for alias in ("once", "once", "twice")}
    assert len(versions) == 1
    assert len(place.client.search_model_versions(f"run_id = '{run_of(place, 'good').info.run_id}'")) == 1


def test_the_bearer_itself_may_be_promoted_again(promoted: Callable[..., Promotion]) -> None:
    first = promoted("good", alias="again")
    assert promoted("good", alias="again").previous == {"version": first.version, "run_id": first.run_id, "score": 0.6}


def test_a_worse_run_is_refused_unless_forced(place: Store, promoted: Callable[..., Promotion]) -> None:
    best = promoted("better", alias="kept")
    with pytest.raises(InputError, match=r"0\.6000 is below the 0\.7000 of version \d+ of topic, which is @kept"):
        promoted("good", alias="kept")
    assert int(place.client.get_model_version_by_alias("topic", "kept").version) == best.version
    assert promoted("good", alias="kept", force=True).previous["score"] == 0.7


def test_a_run_tested_on_other_data_is_refused_unless_forced(promoted: Callable[..., Promotion]) -> None:
    promoted("good", alias="compared")
    with pytest.raises(InputError, match=r"tested on other data \(fingerprint cdcdcdcd\) than .* \(abababab\)"):
        promoted("elsewhere", alias="compared")
    assert promoted("elsewhere", alias="compared", force=True).score == 0.9


def test_a_run_without_a_score_is_refused_unless_forced(promoted: Callable[..., Promotion]) -> None:
    with pytest.raises(InputError, match="has no test/macro_f1; --force registers it nevertheless"):
        promoted("unscored", alias="scored")
    assert promoted("unscored", alias="scored", force=True).score is None
    with pytest.raises(InputError, match=r"since version \d+ of topic, which is @scored has no test/macro_f1"):
        promoted("good", alias="scored")


def test_a_version_registered_by_hand_is_judged_by_its_run(place: Store, promoted: Callable[..., Promotion]) -> None:
    run = run_of(place, "better")
    place.client.create_registered_model("by-hand")
    source = f"models:/{run.outputs.model_outputs[0].model_id}"
    place.client.create_model_version("by-hand", source, run.info.run_id)
    place.client.set_registered_model_alias("by-hand", "champion", "1")
    with pytest.raises(InputError, match=r"0\.6000 is below the 0\.7000"):
        promoted("good", "by-hand")
    with pytest.raises(InputError, match="'by-hand': belongs to task topic, but the run's model is of task momentum"):
        promoted("actors", "by-hand")
    assert promoted("better", "by-hand").version == 1


def test_a_version_whose_run_is_gone_is_judged_by_its_tags(place: Store, promoted: Callable[..., Promotion]) -> None:
    source = f"models:/{run_of(place, 'better').outputs.model_outputs[0].model_id}"
    place.client.create_registered_model("orphan", tags={"task": "topic"})
    tags = {"score": "0.65", "test_fingerprint": "ab" * 16, "run_id": "0" * 32}
    place.client.create_model_version("orphan", source, "0" * 32, tags=tags)
    place.client.set_registered_model_alias("orphan", "champion", "1")
    with pytest.raises(InputError, match=r"0\.6000 is below the 0\.6500"):
        promoted("good", "orphan")
    assert promoted("better", "orphan").previous == {"version": 1, "run_id": "0" * 32, "score": 0.65}


@pytest.mark.parametrize("name", ["momentum", "satp"])
def test_the_name_of_another_task_is_refused(promoted: Callable[..., Promotion], name: str) -> None:
    with pytest.raises(InputError, match=f"'{name}': belongs to task {name}, but the run's model is of task topic"):
        promoted("good", name, force=True)


def test_a_name_that_another_task_took_is_refused(promoted: Callable[..., Promotion]) -> None:
    assert promoted("actors", "frontlines").name == "frontlines"
    with pytest.raises(InputError, match="'frontlines': belongs to task momentum"):
        promoted("good", "frontlines", force=True)


@pytest.mark.parametrize("name", ["a/b", "a:b", "it's", " "])
def test_a_name_that_cannot_be_registered_is_refused(promoted: Callable[..., Promotion], name: str) -> None:
    with pytest.raises(InputError, match="cannot be registered"):
        promoted("good", name)


@pytest.mark.parametrize("alias", ["latest", "Latest", "v1", "V22", "", "two words", "a@b"])
def test_an_alias_that_cannot_be_set_is_refused(place: Store, promoted: Callable[..., Promotion], alias: str) -> None:
    with pytest.raises(InputError, match="neither 'latest' nor a version"):
        promoted("good", "new-name", alias)
    assert place.client.search_registered_models("name = 'new-name'") == []


def test_a_run_under_a_parent_whose_model_was_not_logged_is_promoted(
    place: Store, promoted: Callable[..., Promotion], topic_bundle: Path
) -> None:
    folder = Path(place.uri.removeprefix("sqlite:///")).parent / "child"
    track(place, folder, topic_bundle, "child", "topic", 0.6, "ab", log_model=False)
    assert not run_of(place, "child").outputs.model_outputs
    done = promoted("child", alias="of-a-sweep")
    run = run_of(place, "child")
    assert (done.run_id, done.score, len(run.outputs.model_outputs)) == (run.info.run_id, 0.6, 1)
    assert promoted("child", alias="of-a-sweep").version == done.version


def test_a_run_without_a_model_is_refused(promoted: Callable[..., Promotion]) -> None:
    with pytest.raises(InputError, match="has no logged model; name the run of a `conflictnlp train`"):
        promoted("modelless", force=True)


def test_an_unfinished_or_deleted_run_is_refused(place: Store, promoted: Callable[..., Promotion]) -> None:
    run = place.client.create_run(place.experiment("topic"))
    with pytest.raises(InputError, match="is RUNNING, not FINISHED"):
        register(place, run, force=True)
    place.client.delete_run(run.info.run_id)
    with pytest.raises(InputError, match="is deleted; restore it first"):
        register(place, place.client.get_run(run.info.run_id))


def test_a_registry_that_fails_is_no_fault_of_the_input(
    promoted: Callable[..., Promotion], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: Any) -> None:
        raise OSError("connection refused")

    monkeypatch.setattr("mlflow.MlflowClient.set_registered_model_alias", lost)
    with pytest.raises(TrackingError, match=r"topic@lost was not set \(connection refused\)"):
        promoted("good", alias="lost")


def exported_from(place: Store, bundle: Path, folder: Path, name: str) -> Path:
    """A bundle that says it was made from the model of a run."""
    shutil.copytree(bundle, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["training"] = {"run_id": run_of(place, name).info.run_id}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_an_exported_bundle_takes_the_alias_of_its_source_and_gives_it_back(
    place: Store, promoted: Callable[..., Promotion], onnx_bundle: Path, tmp_path: Path
) -> None:
    bundle = exported_from(place, onnx_bundle, tmp_path / "small", "actors")
    first = promoted("actors", alias="served")
    versions = {register(place, run_of_bundle(place, bundle), alias="served", bundle=bundle).version for _ in range(2)}
    assert len(versions) == 1 and first.version not in versions
    assert conflictnlp.load("models:/momentum@served").fingerprint == Model(bundle).fingerprint
    mlflow.set_tracking_uri(place.uri)
    asked = pd.DataFrame({"text": ["On Monday IS advanced on Ostra."], "actor": ["IS"]})
    served = mlflow.pyfunc.load_model("models:/momentum@served").predict(asked)
    assert served["prediction"].tolist() == [Model(bundle).predict(asked.loc[0, "text"], actor="IS").label]
    # The run's own model stays the run's model.
    assert promoted("actors", alias="served").version == first.version


def test_an_exported_bundle_of_a_run_elsewhere_is_refused(place: Store, onnx_bundle: Path) -> None:
    with pytest.raises(InputError, match=r"the run that trained it \(unknown\) is not in .*; send the run's folder"):
        run_of_bundle(place, onnx_bundle)
