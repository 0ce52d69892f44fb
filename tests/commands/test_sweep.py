import json
import shutil
from pathlib import Path

import pytest
from mlflow import MlflowClient

from conflictnlp.tracking.parents import children
from conflictnlp.tracking.references import find_bundle
from conflictnlp.tracking.store import Store
from tests.commands.conftest import QUICK, Run, Said, failing_fit, say

SWEEP = ("train", "-m", "task=topic", *QUICK)


def client(folder: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{folder}/mlflow.db")


def told(said: Said) -> tuple[list[str], list[Path], str]:
    """Run ids, bundles and the parent's id, in the order of stdout."""
    lines = [line.partition(": ")[::2] for line in said.out.splitlines()]
    runs = len(lines) // 2
    assert [name for name, _ in lines] == ["run_id", "bundle"] * runs + ["parent_run_id"], said
    values = [value for _, value in lines]
    return values[:-1:2], [Path(value) for value in values[1:-1:2]], values[-1]


class TestDone:
    """Two configurations of two seeds."""

    @pytest.fixture(scope="class")
    def swept(self, tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> tuple[Path, Said]:
        folder = tmp_path_factory.mktemp("swept")
        shutil.copy(empty_database, folder)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            patch.delenv("MLFLOW_TRACKING_URI", raising=False)
            said = say(*SWEEP, "model.C=1,10", "seed=1,2", "evaluation.plots=true")
        assert said.status == 0, said.err
        return folder, said

    def test_children_lie_under_one_parent(self, swept: tuple[Path, Said]) -> None:
        folder, said = swept
        runs, bundles, parent_id = told(said)
        assert len(set(runs)) == len(set(bundles)) == 4
        assert all(bundle.is_dir() for bundle in bundles)
        parents = {client(folder).get_run(run).data.tags["mlflow.parentRunId"] for run in runs}
        assert parents == {parent_id}
        parent = client(folder).get_run(parent_id)
        assert (parent.info.status, parent.info.run_name) == ("FINISHED", "sweep-tfidf-sample-4")
        assert parent.data.tags["command"].startswith("conflictnlp train -m task=topic model=tfidf")

    def test_the_parent_shows_spread_and_what_it_leaves_out(self, swept: tuple[Path, Said]) -> None:
        folder, said = swept
        runs, _, parent_id = told(said)
        parent = client(folder).get_run(parent_id)
        scores = [client(folder).get_run(run).data.metrics["test/macro_f1"] for run in runs]
        metrics = parent.data.metrics
        assert metrics["model.C:1/test/macro_f1_mean"] == pytest.approx((scores[0] + scores[1]) / 2)
        assert metrics["model.C:10/test/macro_f1_mean"] == pytest.approx((scores[2] + scores[3]) / 2)
        assert metrics["model.C:1/seeds"] == 2
        assert {"model.C:1/test/macro_f1_sd", "model.C:1/test/macro_f1_low"} <= set(metrics)
        note = parent.data.tags["mlflow.note.content"]
        assert "| model.C=1 | 2 |" in note and "does not cover the choice of the test set" in note
        artifacts = {file.path for file in client(folder).list_artifacts(parent_id, "figures")}
        assert "figures/test_macro_f1_over_seeds.png" in artifacts

    def test_only_the_best_is_a_model_and_every_run_can_be_loaded(self, swept: tuple[Path, Said], monkeypatch) -> None:
        folder, said = swept
        runs, bundles, _ = told(said)
        found = [client(folder).get_run(run) for run in runs]
        best = max(found, key=lambda run: run.data.metrics["val/macro_f1"]).info.run_id
        assert [run.info.run_id for run in found if run.outputs and run.outputs.model_outputs] == [best]
        monkeypatch.chdir(folder)
        other = next(number for number, run in enumerate(runs) if run != best)
        assert find_bundle(runs[other]) == bundles[other]


def test_an_interrupted_sweep_goes_on_where_it_stopped(run: Run, workplace: Path) -> None:
    words = (*SWEEP, "model.C=1,10,20")
    with pytest.MonkeyPatch.context() as patch:
        fitted = failing_fit(patch, 2, KeyboardInterrupt())
        first = run(*words)
        assert first.status == 130
        second = run(*words)
    assert fitted == [1.0, 10.0, 10.0, 20.0]
    runs, _, parent_id = told(second)
    assert first.out.splitlines() == second.out.splitlines()[:2]
    under = children(Store(), parent_id)
    assert sorted(child.info.run_id for child in under) == sorted(runs)
    assert {child.info.status for child in under} == {"FINISHED"}
    kinds = [one for one in client(workplace).search_runs(["1"]) if one.data.tags.get("kind") == "sweep"]
    assert [one.info.run_id for one in kinds] == [parent_id]


def test_a_combination_that_cannot_be_costs_no_other(run: Run, workplace: Path) -> None:
    said = run(*SWEEP, "model.C=-1,10")
    assert said.status == 2
    runs, _, parent_id = told(said)
    assert len(runs) == 1
    assert client(workplace).get_run(parent_id).info.status == "FAILED"
    last = said.err.splitlines()[-1]
    assert last.startswith("conflictnlp: sweep: 1 of 2 jobs failed: ")
    assert "model.C=-1" in last and last.endswith("model.C=-1.0: must be above zero")


def test_a_key_that_one_model_lacks_costs_no_other(run: Run) -> None:
    said = run("train", "-m", "task=topic", "model=tfidf,minilm", "model.max_iter=50,60", *QUICK[2:])
    assert said.status == 2
    assert len(told(said)[0]) == 2
    assert "2 of 4 jobs failed" in said.err.splitlines()[-1]


def test_a_crash_is_status_1_and_is_tried_again(run: Run, workplace: Path) -> None:
    from conflictnlp.models import TfidfClassifier

    fit = TfidfClassifier.fit

    def crash(self, *arguments, **named):
        if self.C == 10:
            raise ZeroDivisionError("odd")
        return fit(self, *arguments, **named)

    words = (*SWEEP, "model.C=10,20")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TfidfClassifier, "fit", crash)
        said = run(*words)
    assert said.status == 1
    runs, _, parent_id = told(said)
    assert said.err.splitlines()[-1].endswith("model.C=10: ZeroDivisionError: odd")
    again = run(*words)
    assert again.status == 0
    assert told(again)[2] == parent_id and runs[0] in told(again)[0]


def test_a_sweep_of_nothing_but_faults_leaves_nothing(run: Run, workplace: Path) -> None:
    said = run(*SWEEP, "model.C=-1,-2")
    assert "2 of 2 jobs failed" in said.refusal
    assert not (workplace / "multirun").exists()
    assert client(workplace).search_experiments(filter_string="name = 'topic'") == []


def test_the_summary_says_each_jobs_words(run: Run, workplace: Path) -> None:
    parent_id = told(run(*SWEEP, "seed=3,4"))[2]
    folder = Path(client(workplace).get_run(parent_id).data.tags["run_folder"])
    summary = json.loads((folder / "summary.json").read_text())
    assert [job["seed"] for job in summary["jobs"]] == [3, 4]
    assert list(summary["configurations"]) == ["tfidf-sample"]
    assert summary["configurations"]["tfidf-sample"]["test/macro_f1"]["sd"] is not None


def test_a_launcher_that_is_not_installed_names_the_extra(run: Run) -> None:
    said = run(*SWEEP, "seed=1,2", "hydra/launcher=absent")
    assert "pip install 'conflictnlp[cluster]'" in said.refusal


def test_a_finished_sweep_started_again_is_not_repeated(run: Run, workplace: Path) -> None:
    words = (*SWEEP, "model.C=1,10", "hydra.sweep.dir=swept")
    with pytest.MonkeyPatch.context() as patch:
        fitted = failing_fit(patch, 99, RuntimeError())
        first, second = run(*words), run(*words)
        assert (second.status, second.out) == (0, first.out)
        assert "| model.C=10 | 1 |" in second.err
        assert fitted == [1.0, 10.0]
        shutil.rmtree(told(first)[1][1])
        third = run(*words)
    assert third.status == 0
    assert fitted == [1.0, 10.0, 1.0, 10.0]
    assert told(third)[2] != told(first)[2]


def test_a_finished_sweep_of_folds_is_not_repeated(run: Run) -> None:
    words = (*SWEEP, "evaluation.folds=2", "seed=1,2")
    with pytest.MonkeyPatch.context() as patch:
        fitted = failing_fit(patch, 99, RuntimeError())
        first, second = run(*words), run(*words)
    assert (second.status, second.out) == (0, first.out)
    assert len(fitted) == 4


def test_a_sweep_that_was_widened_leaves_the_first_s_summary(run: Run, workplace: Path) -> None:
    first = run(*SWEEP, "seed=1,2", "hydra.sweep.dir=swept")
    before = (workplace / "swept" / "summary" / "summary.md").read_text()
    second = run(*SWEEP, "seed=1,2,3", "hydra.sweep.dir=swept")
    assert (first.status, second.status) == (0, 0), second.err
    assert (workplace / "swept" / "summary" / "summary.md").read_text() == before
    assert "| tfidf-sample | 3 |" in (workplace / "swept" / "summary-2" / "summary.md").read_text()


def test_a_job_does_not_write_over_another_s_folder(run: Run, workplace: Path) -> None:
    first = run(*SWEEP, "model.C=1,10", "hydra.sweep.dir=swept")
    said = run(*SWEEP, "model.C=1,20", "hydra.sweep.dir=swept")
    assert said.status == 2
    assert "holds a run of another config or data; name another folder" in said.err.splitlines()[-1]
    manifests = [json.loads((bundle.parent / "run.json").read_text()) for bundle in told(first)[1]]
    assert manifests[1]["run_id"] == told(first)[0][1]
