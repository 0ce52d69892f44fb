import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.commands.conftest import QUICK, Run, Said, Trained, say

PLAIN = ("evaluation.plots=false", "evaluation.bootstrap=20")


ROWS = [(f"Shells hit camp{n} on day{n}.", "armed_conflict") for n in range(30)] + [
    (f"Parties agreed on vote{n} in hall{n}.", "politics") for n in range(30)
]


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
    written = {path.name for path in Path(told[2]).parent.iterdir()}
    assert {"test_predictions.parquet", "evaluation.json", "risk_coverage.csv"} <= written


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


def write_rows(name: str, rows: list[tuple[str, str]]) -> None:
    Path(name).write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows))


def result_of(said: Said) -> dict[str, Any]:
    assert said.status == 0, said.err
    return json.loads(Path(said.out.splitlines()[1].removeprefix("result: ")).read_text())


@pytest.fixture
def own(run: Run) -> str:
    """The bundle of a training on 60 texts in rows.csv, 12 of which are its test."""
    write_rows("rows.csv", ROWS)
    said = run("train", "task=topic", "data=files", "data.train=rows.csv", *QUICK)
    assert said.status == 0, said.err
    return said.out.splitlines()[1].removeprefix("bundle: ")


def test_a_training_on_own_files_is_evaluated_on_others(run: Run, own: str) -> None:
    write_rows("later.csv", [(f"{text[:-1]} at noon.", label) for text, label in ROWS])
    metrics = result_of(run("evaluate", own, "data=files", "data.test=later.csv", *PLAIN))["metrics"]
    assert metrics["test/accuracy"] > 0.9
    assert metrics["test/seen_in_training"] == 0


def test_texts_that_were_trained_on_are_counted(run: Run, workplace: Path, own: str) -> None:
    said = run("evaluate", own, "data=files", "data.test=rows.csv", *PLAIN)
    assert "has seen in training 48 of the 60 texts that data=files scores; the score may be better" in said.err
    assert result_of(said)["metrics"]["test/seen_in_training"] == 48
    child = child_of(Trained(workplace, said, "", workplace), said)
    assert child.data.metrics["test/seen_in_training"] == 48
    assert "It has seen in training 48 of the texts" in child.data.tags["mlflow.note.content"]


def test_under_the_rule_of_extra_before_they_are_refused(run: Run, own: str) -> None:
    words = ("evaluate", own, "data=files", "data.test=rows.csv", "data.extra_before='2016-01-01'")
    assert "has seen in training 48 of the 60 texts that data=files scores; train it" in run(*words).refusal
    assert not Path("outputs/evaluate").exists()


def test_a_bundle_that_does_not_tell_what_it_has_seen_is_scored(run: Run, workplace: Path, topic_bundle: Path) -> None:
    write_rows("gold.csv", [("Shells hit the town.", "war"), ("Envoys signed the truce.", "deal")])
    words = ("evaluate", str(topic_bundle), "data=files", "data.test=gold.csv", *PLAIN)
    assert "test/seen_in_training" not in result_of(run(*words))["metrics"]
    said = run(*words, "data.extra_before='2016-01-01'")
    assert (said.status, "no training.hashes in the bundle" in said.err) == (0, True)
