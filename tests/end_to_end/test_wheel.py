"""The package as others install it: without the checkout."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.end_to_end.conftest import PLAIN, told

pytestmark = pytest.mark.slow
CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built from a copy so that the checkout stays as it is."""
    pytest.importorskip("build")
    source = tmp_path_factory.mktemp("source") / "conflictnlp"
    source.mkdir()
    for name in ("conflictnlp", "conf"):
        shutil.copytree(CHECKOUT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / name, source)
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "dist", cwd=source)
    (built,) = (source / "dist").glob("*.whl")
    return built


def run(*words: object, cwd: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, env={**os.environ, **settings}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_the_wheel_holds_code_configs_and_packaged_data_and_nothing_else(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    wanted = {f"conflictnlp/conf/{path.relative_to(CHECKOUT / 'conf')}" for path in (CHECKOUT / "conf").rglob("*.yaml")}
    wanted |= {str(path.relative_to(CHECKOUT)) for path in (CHECKOUT / "conflictnlp").rglob("*.py")}
    for name in ("sample", "codes", "reports"):
        shipped = [
            path for path in (CHECKOUT / "conflictnlp/data" / name).iterdir() if path.suffix in (".jsonl", ".md")
        ]
        assert {path.suffix for path in shipped} == {".jsonl", ".md"}
        wanted |= {str(path.relative_to(CHECKOUT)) for path in shipped}
    assert wanted | {"conflictnlp/py.typed"} <= names
    assert {name.partition("/")[0] for name in names} == {"conflictnlp"}


def test_the_installed_command_trains_and_predicts_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    target, place = tmp_path / "target", tmp_path / "place"
    place.mkdir()
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", target)
    run(*pip, wheel, cwd=place)
    command = (sys.executable, target / "bin" / "conflictnlp")
    away = {"PYTHONPATH": str(target)}
    where = run(sys.executable, "-c", "import conflictnlp; print(conflictnlp.__file__)", cwd=place, **away)
    assert where.stdout.strip() == str(target / "conflictnlp" / "__init__.py")
    trained = run(*command, "train", "task=topic", "model=tfidf", "data.limit=60", *PLAIN, cwd=place, **away)
    _, bundle = told(trained)
    (place / "a.txt").write_text("Rebels shelled the garrison.")
    applied = run(*command, "predict", bundle, "a.txt", cwd=place, **away)
    assert json.loads(applied.stdout)["prediction"] == "armed_conflict"
