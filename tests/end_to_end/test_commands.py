"""What a newcomer does: train, look, apply; and what must not be there before a model is needed."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Done, told

FIGURES = {"confusion_matrix", "per_class_f1", "reliability", "risk_coverage"}


def test_a_newcomers_first_session(conflictnlp: Callable[..., Done], tmp_path: Path) -> None:
    trained = conflictnlp("train", "task=topic", "model=tfidf")
    run_id, bundle = told(trained)
    assert re.fullmatch(rf"run_id: [0-9a-f]{{32}}\nbundle: {tmp_path}/outputs/topic/\S+/bundle\n", trained.stdout)
    assert "Traceback" not in trained.stderr
    assert {path.stem for path in (bundle.parent / "figures").glob("*.png")} == FIGURES
    assert {path.name for path in tmp_path.iterdir()} == {"mlflow.db", ".mlflow.lock", "mlartifacts", "outputs"}

    (run,) = map(json.loads, conflictnlp("runs", "--json").stdout.splitlines())
    assert (run["run_id"], run["status"], run["task"]) == (run_id, "FINISHED", "topic")

    (tmp_path / "article.txt").write_text("Rebels shelled the garrison at dawn and killed four soldiers.")
    applied = conflictnlp("predict", f"runs:/{run_id}/model", "article.txt")
    assert (applied.returncode, applied.stderr) == (0, "")
    assert json.loads(applied.stdout)["prediction"] == "armed_conflict"


def test_an_unreachable_server_is_told_and_leaves_nothing(conflictnlp: Callable[..., Done], tmp_path: Path) -> None:
    done = conflictnlp("train", "task=topic", "model=tfidf", MLFLOW_TRACKING_URI="http://127.0.0.1:9")
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"conflictnlp: tracking store http://127\.0\.0\.1:9: not reached within .*\n", done.stderr)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["train", "--cfg", "job"], ["predict", "--help"]])
def test_help_needs_no_heavy_library(words: list[str], tmp_path: Path) -> None:
    code = (
        "import sys\nfrom conflictnlp.cli import main\n"
        f"try:\n    main({words})\nexcept SystemExit:\n    pass\n"
        "print({'torch', 'transformers', 'mlflow', 'sklearn', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
