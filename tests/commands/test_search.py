import json
import sys
from pathlib import Path

import pytest
import yaml
from mlflow import MlflowClient

from conflictnlp.commands.search import search
from conflictnlp.errors import IncompleteError, PrunedError
from conflictnlp.models import TfidfClassifier
from tests.commands.conftest import QUICK, Run, failing_fit

pytest.importorskip("optuna")


@pytest.fixture(autouse=True)
def own_space(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A space of one name, as a user's own file of the group."""
    group = tmp_path / "mine" / "search"
    group.mkdir(parents=True)
    space = {"model.C": {"type": "float", "low": 0.5, "high": 50, "log": True}}
    (group / "mine.yaml").write_text(yaml.safe_dump({"startup_trials": 1, "space": space}))


@pytest.fixture
def client(workplace: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{workplace}/mlflow.db")


def words(folder: Path, *more: str) -> list[str]:
    return [f"hydra.searchpath=['file://{folder}/mine']", "search=mine", "task=topic", *QUICK, *more]


def test_the_best_of_the_trials_can_be_trained_again(run: Run, workplace: Path, client: MlflowClient) -> None:
    own = ["search", "--config-dir", "mine", "search=mine", "task=topic", *QUICK]
    said = run(*own, "search.trials=2")
    assert said.status == 0, said.err
    told = dict(line.partition(": ")[::2] for line in said.out.splitlines())
    assert list(told) == ["run_id", "bundle", "parent_run_id", "experiment"]
    under = client.search_runs(["1"], f"tags.`mlflow.parentRunId` = '{told['parent_run_id']}'")
    assert len(under) == 2
    assert not any(name.startswith("test/") for one in under for name in one.data.metrics)
    best = max(one.data.metrics["val/macro_f1"] for one in under)
    assert client.get_run(told["run_id"]).data.metrics["val/macro_f1"] == best
    parent = client.get_run(told["parent_run_id"])
    assert (parent.info.status, parent.data.metrics["search/best_val_macro_f1"]) == ("FINISHED", best)
    models = [one.info.run_id for one in under if one.outputs and one.outputs.model_outputs]
    assert models == [told["run_id"]]

    # One more trial under the same parent; those that are there stay.
    more = run(*own, "search.trials=3")
    assert f"parent_run_id: {told['parent_run_id']}" in more.out
    trials = client.search_runs(["1"], f"tags.`mlflow.parentRunId` = '{told['parent_run_id']}'")
    assert {one.info.run_id for one in under} < {one.info.run_id for one in trials} and len(trials) == 3
    best = max(one.data.metrics["val/macro_f1"] for one in trials)

    conf = Path(told["experiment"]).parent.parent
    command = f"conflictnlp train --config-dir {conf} experiment=best"
    assert command in more.err
    again = run("train", "--config-dir", str(conf), "experiment=best")
    run_id = again.out.splitlines()[0].removeprefix("run_id: ")
    assert client.get_run(run_id).data.metrics["val/macro_f1"] == best
    assert "test/macro_f1" in client.get_run(run_id).data.metrics


def test_a_trial_that_was_cut_off_is_tried_again(workplace: Path, client: MlflowClient) -> None:
    own = words(workplace, "search.trials=2")
    with pytest.MonkeyPatch.context() as patch:
        fitted = failing_fit(patch, 2, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            search(own)
        result = search(own)
    assert len(fitted) == 3 and fitted[1] == fitted[2]
    (folder,) = (workplace / "outputs" / "topic").glob("search-*")
    trials = json.loads((folder / "summary" / "trials.json").read_text())
    assert [trial["state"] for trial in trials] == ["COMPLETE", "CUT_OFF", "COMPLETE"]
    under = client.search_runs(["1"], f"tags.`mlflow.parentRunId` = '{result.parent_run_id}'")
    assert {one.info.status for one in under} == {"FINISHED"} and len(under) == 2
    assert client.get_run(result.parent_run_id).info.status == "FINISHED"


def test_a_trial_that_fails_costs_no_other(workplace: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        fitted = failing_fit(patch, 1, ZeroDivisionError("odd"))
        result = search(words(workplace, "search.trials=2"))
    assert result.params == {"model.C": fitted[1]}
    (folder,) = (workplace / "outputs" / "topic").glob("search-*")
    trials = json.loads((folder / "summary" / "trials.json").read_text())
    assert (trials[0]["state"], trials[0]["error"]) == ("FAIL", "ZeroDivisionError: odd")


def test_a_search_without_a_result_says_why(workplace: Path, client: MlflowClient) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TfidfClassifier, "fit", lambda *_, **__: 1 / 0)
        with pytest.raises(IncompleteError, match="none of 1 trials was finished; the first: ZeroDivisionError"):
            search(words(workplace, "search.trials=1"))
    assert [one.info.status for one in client.search_runs(["1"], "tags.kind = 'search'")] == ["FAILED"]


def test_a_trial_below_the_median_is_pruned() -> None:
    import optuna

    from conflictnlp.commands.search import _watch

    study = optuna.create_study(direction="maximize", pruner=optuna.pruners.MedianPruner(1, 0))
    good = study.ask()
    watch = _watch(good)
    watch({"val/macro_f1": 0.8}, 10)
    study.tell(good, 0.8)
    bad = _watch(study.ask())
    bad({"train/loss": 2.0}, 5)
    with pytest.raises(PrunedError, match=r"evaluation 1 \(step 10\): val/macro_f1 0.2000"):
        bad({"val/macro_f1": 0.2}, 10)


def test_encoders_report_each_epoch_and_are_pruned(
    workplace: Path, client: MlflowClient, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import optuna

    asked = []

    def should_prune(self) -> bool:
        asked.append(self.number)
        return self.number == 1 and asked.count(1) == 2

    monkeypatch.setattr(optuna.Trial, "should_prune", should_prune)
    space = {"model.learning_rate": {"low": 1e-4, "high": 1e-3}}
    (workplace / "mine" / "search" / "mine.yaml").write_text(yaml.safe_dump({"space": space}))
    own = ["model=encoder", f"model.encoder={tiny_encoder}", "trainer.epochs=3", "device=cpu", "search.trials=2"]
    search([*words(workplace)[:3], *QUICK[2:], *own])
    assert asked == [0, 0, 0, 1, 1]
    (pruned,) = client.search_runs(["1"], "tags.trial = '1'")
    assert pruned.info.status == "KILLED"
    assert pruned.data.tags["pruned"].startswith("pruned at evaluation 2")
    assert not (Path(pruned.data.tags["run_folder"]) / "checkpoints").exists()
    assert not (Path(pruned.data.tags["run_folder"]) / "traceback.txt").exists()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("evaluation.folds=3",), "evaluation.folds is for train"),
        (("search.trials=0",), "search.trials=0: must be above zero"),
        (("+search.space.seed={low: 1, high: 5}",), "search.space.seed: must name a key of model, trainer or data"),
        (("+search.space.model={C: 3}",), "search.space.model="),
        (("+search.space={model.D: {low: 1, high: 5}}",), "search.space.model.D: config: Could not override 'model.D'"),
        (("+search.space={model.min_df: {low: -5, high: -1}}",), "search.space.model.min_df: model.min_df=-5: must be"),
    ],
)
def test_faults_are_told(run: Run, workplace: Path, more: tuple[str, ...], told: str) -> None:
    assert told in run("search", *words(workplace), *more).refusal
    assert not (workplace / "outputs").exists()


def test_without_optuna_the_extra_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert run("search", "task=topic").refusal == "search: needs Optuna; pip install 'conflictnlp[search]'"
