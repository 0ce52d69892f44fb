import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.commands.conftest import QUICK, Run, Said, Trained, say

PLAIN = ("evaluation.plots=false", "evaluation.bootstrap=20")


@pytest.fixture(scope="module")
def evaluated(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> tuple[Trained, Said]:
    """The trained model, scored once more on the data it was trained on, in a copy of its folder."""
    folder = tmp_path_factory.mktemp("evaluated")
    shutil.copytree(trained.folder, folder, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        said = say("evaluate", trained.run_id, *PLAIN)
    return Trained(folder, said, trained.run_id, trained.bundle), said


def child_of(trained: Trained, said: Said) -> Any:
    return trained.client.get_run(said.out.splitlines()[0].removeprefix("run_id: "))


def test_the_scores_of_the_training_are_reproduced_exactly(evaluated: tuple[Trained, Said]) -> None:
    trained, said = evaluated
    before, after = trained.client.get_run(trained.run_id).data.metrics, child_of(trained, said).data.metrics
    shared = {name: value for name, value in before.items() if name.startswith("test/")}
    assert {name: after[name] for name in shared} == shared


def test_the_scores_lie_in_a_finished_child_run(evaluated: tuple[Trained, Said]) -> None:
    trained, said = evaluated
    child, parent = child_of(trained, said), trained.client.get_run(trained.run_id)
    assert (child.info.status, child.data.tags["mlflow.parentRunId"]) == ("FINISHED", trained.run_id)
    assert child.info.experiment_id == parent.info.experiment_id
    assert child.data.tags["command"].startswith(f"conflictnlp evaluate {trained.run_id} evaluation.plots=false")
    assert child.data.tags["mlflow.source.name"] == "conflictnlp evaluate"


def test_the_parents_metrics_are_untouched(evaluated: tuple[Trained, Said]) -> None:
    trained, _ = evaluated
    result = json.loads((trained.bundle.parent / "result.json").read_text())
    assert trained.client.get_run(trained.run_id).data.metrics == result["metrics"]
    assert len(trained.client.get_metric_history(trained.run_id, "test/macro_f1")) == 1


def test_the_result_is_told_and_lies_in_its_folder(evaluated: tuple[Trained, Said]) -> None:
    trained, said = evaluated
    told = re.fullmatch(r"run_id: ([0-9a-f]{32})\nresult: (/.*/result\.json)\n", said.out)
    assert told is not None
    result = json.loads(Path(told[2]).read_text())
    assert result["run_id"] == told[1]
    assert {"test_predictions.parquet", "evaluation.json"} <= {path.name for path in Path(told[2]).parent.iterdir()}


def test_a_bundle_of_another_store_is_scored_without_a_parent(run: Run, workplace: Path, trained: Trained) -> None:
    said = run("evaluate", str(trained.bundle), "data.limit_test=10", *PLAIN)
    child = child_of(Trained(workplace, said, "", workplace), said)
    assert said.status == 0
    assert "mlflow.parentRunId" not in child.data.tags


def test_own_files_need_a_test_split_only(run: Run, workplace: Path, topic_bundle: Path) -> None:
    (workplace / "gold.csv").write_text("text,label\nShells hit the town.,war\nEnvoys signed the truce.,deal\n")
    said = run("evaluate", str(topic_bundle), "data=files", "data.test=gold.csv", *PLAIN)
    result = json.loads(Path(said.out.splitlines()[1].removeprefix("result: ")).read_text())
    assert result["metrics"]["test/macro_f1"] == 1.0


def test_two_evaluations_in_one_second_have_folders_of_their_own(run: Run, workplace: Path, topic_bundle: Path) -> None:
    (workplace / "gold.csv").write_text("text,label\nShells hit the town.,war\nEnvoys signed the truce.,deal\n")
    words = ("evaluate", str(topic_bundle), "data=files", "data.test=gold.csv", *PLAIN)
    assert [run(*words).status for _ in range(2)] == [0, 0]
    assert len(list((workplace / "outputs" / "evaluate").iterdir())) == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["data=files"], "data=files names no test split; give one with data.test=FILE"),
        (["data=nonsense"], "Could not find 'data/nonsense'"),
        (["trainer.epoch=3"], "Key 'epoch' not in 'TrainerConfig'"),
        (["--flag"], "unrecognized arguments: --flag"),
        (["data=files", "data.test=missing.csv"], "missing.csv: no such file"),
        (["data=momentum"], "data=momentum has no labels for task=topic"),
        (["task=momentum"], "is a model for task=topic"),
    ],
)
def test_what_does_not_fit_is_refused_and_leaves_nothing(
    run: Run, workplace: Path, trained: Trained, words: list[str], told: str
) -> None:
    assert told in run("evaluate", str(trained.bundle), *words).refusal
    assert {path.name for path in workplace.iterdir()} <= {"mlflow.db", ".mlflow.lock"}


def test_a_model_of_own_files_asks_for_the_data(run: Run, workplace: Path, topic_bundle: Path) -> None:
    assert run("evaluate", str(topic_bundle)).refusal.startswith("evaluate: name the data")


def test_a_label_that_the_model_does_not_know_is_refused(run: Run, workplace: Path, topic_bundle: Path) -> None:
    (workplace / "gold.csv").write_text("text,label\nRain fell.,weather\n")
    said = run("evaluate", str(topic_bundle), "data=files", "data.test=gold.csv")
    assert said.refusal.startswith("gold.csv:2: unknown label 'weather'")


def test_a_training_on_own_files_is_evaluated_on_others(run: Run, workplace: Path) -> None:
    rows = [
        f"Shells hit camp{n} on day{n}.,armed_conflict\nParties agreed on vote{n} in hall{n}.,politics\n"
        for n in range(30)
    ]
    (workplace / "rows.csv").write_text("text,label\n" + "".join(rows))
    said = run("train", "task=topic", "data=files", "data.train=rows.csv", *QUICK)
    bundle = said.out.splitlines()[1].removeprefix("bundle: ")
    again = run("evaluate", bundle, "data=files", "data.test=rows.csv", *PLAIN)
    assert (said.status, again.status) == (0, 0)
    assert (
        json.loads(Path(again.out.splitlines()[1].removeprefix("result: ")).read_text())["metrics"]["test/accuracy"]
        > 0.9
    )
