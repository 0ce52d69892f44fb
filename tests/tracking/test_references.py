import shutil
from pathlib import Path

import pytest

from conflictnlp.config import TrackingConfig
from conflictnlp.errors import InputError
from conflictnlp.inference import Model
from conflictnlp.tracking.references import all_runs, find_bundle, find_run
from conflictnlp.tracking.store import Store
from tests.tracking.conftest import make_run


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory, empty_database: Path, topic_bundle: Path) -> tuple[Store, str]:
    """A store and the id of a finished run in it, whose model is registered twice; version 1 bears an alias."""
    folder = tmp_path_factory.mktemp("logged")
    shutil.copy(empty_database, folder)
    store = Store(TrackingConfig(uri=f"sqlite:///{folder}/mlflow.db"))
    run_id = make_run(store, folder / "run", topic_bundle)
    store.client.create_registered_model("topic")
    for source in (f"runs:/{run_id}/model", f"models:/{model_id(store, run_id)}"):
        store.client.create_model_version("topic", source, run_id=run_id)
    store.client.set_registered_model_alias("topic", "champion", "1")
    return store, run_id


def model_id(store: Store, run_id: str) -> str:
    return store.client.get_run(run_id).outputs.model_outputs[0].model_id


def artifacts(store: Store, run_id: str) -> str:
    return store.client.get_logged_model(model_id(store, run_id)).artifact_location.removeprefix("file://")


FORMS = {
    "a run id": lambda store, run: run,
    "a run's model": lambda store, run: f"runs:/{run}/model",
    "a version registered by its run": lambda store, run: "models:/topic/1",
    "a version registered by its model": lambda store, run: "models:/topic/2",
    "an alias": lambda store, run: "models:/topic@champion",
    "a logged model": lambda store, run: f"models:/{model_id(store, run)}",
    "an MLflow model folder": artifacts,
    "a bundle folder": lambda store, run: f"{artifacts(store, run)}/artifacts/bundle",
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_reference_finds_the_bundle(logged: tuple[Store, str], topic_bundle: Path, form: str) -> None:
    store, run_id = logged
    found = find_bundle(FORMS[form](store, run_id), TrackingConfig(uri=store.uri))
    assert Model(found).fingerprint == Model(topic_bundle).fingerprint


@pytest.mark.parametrize("form", ["runs:/{}/model", "models:/topic/3", "models:/topic@none", "models:/m-{}", "{}"])
def test_what_is_not_in_the_store_is_told_with_the_store(logged: tuple[Store, str], form: str) -> None:
    name = form.format("0" * 32)
    with pytest.raises(InputError, match=r"not found; tried .*mlflow\.db"):
        find_bundle(name, TrackingConfig(uri=logged[0].uri))


def test_what_is_no_reference_is_told_with_what_would_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"tried folder nonsense \(none\); a REF is a bundle folder, a run id"):
        find_bundle("nonsense")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_bundle_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no bundle"):
        find_bundle(tmp_path)


def test_a_run_without_a_model_is_told(store: Store, workplace: Path) -> None:
    run_id = make_run(store, workplace / "run")
    with pytest.raises(InputError, match=f"runs:/{run_id}/model"):
        find_bundle(run_id)


def test_a_home_folder_may_be_written_short(topic_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(topic_bundle.parent))
    assert find_bundle("~/bundle") == topic_bundle


def test_a_run_is_found_by_id_beginning_and_name(logged: tuple[Store, str]) -> None:
    store, run_id = logged
    for ref in (run_id, run_id[:8], run_id[:31], "tfidf-sample-s1"):
        assert find_run(ref, store).info.run_id == run_id


def test_seven_characters_are_no_beginning(logged: tuple[Store, str]) -> None:
    store, run_id = logged
    with pytest.raises(InputError, match="tried a run name"):
        find_run(run_id[:7], store)


@pytest.mark.parametrize(
    ("ref", "tried"),
    [("f" * 32, "not in"), ("f" * 8, "tried the beginning of a run id, a run name"), ("nope", "tried a run name")],
)
def test_an_unknown_run_is_told_with_what_was_tried(logged: tuple[Store, str], ref: str, tried: str) -> None:
    with pytest.raises(InputError, match=f"{tried}.*conflictnlp runs"):
        find_run(ref, logged[0])


def test_a_name_of_two_runs_is_told_with_their_ids(store: Store, workplace: Path) -> None:
    ids = [make_run(store, workplace / name) for name in ("first", "second")]
    with pytest.raises(InputError, match="2 runs bear this name") as caught:
        find_run("tfidf-sample-s1", store)
    assert all(run_id[:8] in str(caught.value) for run_id in ids)


def test_a_beginning_of_two_runs_asks_for_more(store: Store, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("first", "second"):
        make_run(store, workplace / name)
    runs = all_runs(store)
    for number, run in enumerate(runs):
        run.info._run_id = f"abcdef01{number:024x}"
    monkeypatch.setattr("conflictnlp.tracking.references.all_runs", lambda store: runs)
    with pytest.raises(InputError, match="begins 2 run ids; give more characters"):
        find_run("abcdef01", store)


def test_a_name_of_hex_digits_is_a_name_still(store: Store, workplace: Path) -> None:
    run_id = make_run(store, workplace / "run", name="deadbeef")
    assert find_run("deadbeef", store).info.run_id == run_id


def test_runs_come_newest_first_and_page_by_page(
    store: Store, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [make_run(store, workplace / name) for name in ("a", "b", "c")]
    monkeypatch.setattr("conflictnlp.tracking.references._PAGE", 2)
    assert [run.info.run_id for run in all_runs(store)] == ids[::-1]


def test_runs_are_those_of_the_named_experiments(store: Store, workplace: Path) -> None:
    run_id = make_run(store, workplace / "a", experiment="momentum")
    make_run(store, workplace / "b")
    assert [run.info.run_id for run in all_runs(store, experiments=["momentum"])] == [run_id]
    assert all_runs(store, experiments=["relevance"]) == []


def test_a_malformed_filter_is_refused(store: Store) -> None:
    with pytest.raises(InputError, match=r"the filter 'metrics\.x >' is refused"):
        all_runs(store, "metrics.x >")
