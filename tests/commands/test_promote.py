import json
import shutil
from pathlib import Path

import pytest

from conflictnlp.tracking.store import Store
from tests.commands.conftest import QUICK, Trained, say


@pytest.fixture
def place(trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trained:
    """The trained run in a store that a test may write to."""
    shutil.copytree(trained.folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return Trained(tmp_path, trained.said, trained.run_id, trained.bundle)


def test_a_run_is_promoted_in_one_line_and_serves_the_commands_by_its_alias(place: Trained) -> None:
    said = say("promote", place.run_id[:8])
    assert said.status == 0 and said.out.count("\n") == 1, said.err
    score = place.client.get_run(place.run_id).data.metrics["test/macro_f1"]
    champion = {"name": "topic", "version": 1, "alias": "champion", "score": score, "run_id": place.run_id}
    assert json.loads(said.out) == {**champion, "previous": None}

    (place.folder / "a.txt").write_text("Rebels shelled the garrison at dawn.")
    applied = say("predict", "models:/topic@champion", "a.txt")
    assert json.loads(applied.out)["model"] == "models:/topic@champion"
    scored = say("evaluate", "models:/topic@champion", "evaluation.plots=false", "evaluation.bootstrap=20")
    child = place.client.get_run(scored.out.splitlines()[0].removeprefix("run_id: "))
    assert child.data.metrics["test/macro_f1"] == score
    # `code` takes the topic model by itself and misses the next.
    coded = say("code", "a.txt", "--actor", "Rebels")
    assert "no --event-type REF given, and model 'models:/event_type@champion': not found" in coded.refusal


def test_name_and_alias_can_be_told(place: Trained) -> None:
    said = say("promote", "tfidf-sample-s1", "--name", "mine", "--alias", "paper", "--force")
    assert (json.loads(said.out)["name"], json.loads(said.out)["alias"]) == ("mine", "paper")
    assert place.client.get_registered_model("mine").aliases == {"paper": 1}


def test_a_bundles_folder_names_its_run(place: Trained) -> None:
    said = say("promote", str(place.bundle))
    assert json.loads(said.out)["run_id"] == place.run_id, said.err
    assert json.loads(say("promote", place.run_id).out)["version"] == 1


def test_a_bundle_whose_run_is_elsewhere_is_refused_in_a_line(place: Trained, topic_bundle: Path) -> None:
    assert "is not in sqlite:" in say("promote", str(topic_bundle)).refusal


def test_a_run_tested_on_other_data_is_refused_in_a_line(place: Trained) -> None:
    say("promote", place.run_id)
    other = say("train", "task=topic", *QUICK, "data.limit_test=30", "name=other")
    assert other.status == 0
    assert "was tested on other data" in say("promote", "other").refusal
    assert json.loads(say("promote", "other", "--force").out)["previous"]["run_id"] == place.run_id


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "the following arguments are required: RUN (see conflictnlp promote --help)"),
        (["nonsense"], "tried a run name"),
        (["tfidf-sample-s1", "--name", "momentum"], "belongs to task momentum"),
        (["tfidf-sample-s1", "--alias", "v1"], "neither 'latest' nor a version"),
    ],
)
def test_faulty_words_are_refused(place: Trained, words: list[str], told: str) -> None:
    assert told in say("promote", *words).refusal
    assert Store().client.search_registered_models() == []
