"""An exported bundle needs what requirements/runtime.txt lists, and nothing else."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# Names under which the listed distributions are imported, and what these import themselves.
IMPORTED = {"pyyaml": "yaml", "onnxruntime": "onnxruntime", "sentencex": "sentencex", "tokenizers": "tokenizers"}
BLOCK = """
import importlib.abc, sys
ALLOWED = set({allowed!r}) | set(sys.stdlib_module_names) | {{"conflictnlp"}}
class Block(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in ALLOWED:
            raise ModuleNotFoundError("blocked: " + name, name=name)
sys.meta_path.insert(0, Block())
"""
BLOCK_TORCH = """
import importlib.abc, sys
class Block(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "transformers"):
            raise ModuleNotFoundError("blocked: " + name, name=name)
sys.meta_path.insert(0, Block())
"""


def listed() -> list[str]:
    lines = (ROOT / "requirements" / "runtime.txt").read_text().splitlines()
    names = [re.split(r"[<>=]", line)[0] for line in lines if line and not line.startswith("#")]
    return [IMPORTED.get(name, name) for name in names]


def python(code: str, *words: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, cwd=ROOT, timeout=120)


@pytest.fixture
def block() -> str:
    return BLOCK.format(allowed=sorted(listed()))


def test_an_exported_bundle_predicts_with_the_listed_packages_alone(block, onnx_bundle):
    code = f"""{block}
import conflictnlp
model = conflictnlp.load(sys.argv[1])
print(model.predict("On Monday IS advanced on Ostra.", actor="IS").label)
"""
    done = python(code, str(onnx_bundle))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in ("none", "losing", "gaining")


def test_the_block_blocks(block, encoder_bundle):
    done = python(f"{block}\nimport conflictnlp\nconflictnlp.load(sys.argv[1])", str(encoder_bundle))
    assert "ModuleNotFoundError: blocked: " in done.stderr


def test_predict_and_code_run_with_the_listed_packages_alone(block, onnx_bundle, tmp_path):
    (tmp_path / "a.txt").write_text("On Monday IS advanced on Ostra.")
    code = f"""{block}
from conflictnlp.cli import main
from conflictnlp.commands import code as coding
from conflictnlp.inference.coding import Coder
from conflictnlp.commands.load import load
from conflictnlp.data.actors import gather_actors
status = main(["predict", sys.argv[1], sys.argv[2], "--actor", "IS", "--output", sys.argv[3]])
coder = Coder(momentum=load(sys.argv[1]), actors=gather_actors(["IS"], None))
sys.exit(status + coding.code(coder, sys.argv[2])[1])
"""
    done = python(code, str(onnx_bundle), str(tmp_path / "a.txt"), str(tmp_path / "out.parquet"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.parquet").is_file()
    assert [actor["name"] for actor in json.loads(done.stdout)["actors"]] == ["IS"]


@pytest.mark.parametrize("bundle", ["encoder_bundle", "topic_bundle"])
def test_another_bundle_is_refused_with_what_it_needs(block, request, bundle, tmp_path):
    folder = request.getfixturevalue(bundle)
    code = f"{block}\nfrom conflictnlp.cli import main\nsys.exit(main(sys.argv[1:]))"
    done = python(code, "predict", str(folder), str(tmp_path / "a.txt"))
    told = f"conflictnlp: {folder}: needs LIBRARY, which the light install lacks: pip install conflictnlp\n"
    assert (done.returncode, re.sub(r"needs [\w-]+,", "needs LIBRARY,", done.stderr)) == (2, told)


def test_another_command_is_refused_with_what_it_needs(block):
    done = python(f"{block}\nfrom conflictnlp.cli import main\nsys.exit(main(['train', 'task=topic']))")
    told = "conflictnlp: needs hydra-core, which the light install lacks: pip install conflictnlp\n"
    assert (done.returncode, done.stderr) == (2, told)


def test_actors_are_found_with_the_listed_packages_alone(block, onnx_tagger_bundle, tmp_path):
    (tmp_path / "a.txt").write_text("On Monday IS advanced on Ostra.")
    code = f"""{block}
from conflictnlp.cli import main
from conflictnlp.commands import code as coding
from conflictnlp.commands.load import load
from conflictnlp.inference.coding import Coder
status = main(["predict", sys.argv[1], sys.argv[2], "--output", sys.argv[3]])
sys.exit(status + coding.code(Coder(momentum=load(sys.argv[1])), sys.argv[2])[1])
"""
    done = python(code, str(onnx_tagger_bundle), str(tmp_path / "a.txt"), str(tmp_path / "out.jsonl"))
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["actor"] for line in (tmp_path / "out.jsonl").read_text().splitlines()] == ["IS"]
    (actor,) = json.loads(done.stdout)["actors"]
    assert (actor["name"], actor["evidence"][0]["text"]) == ("IS", "On Monday IS advanced on Ostra.")


def test_a_model_that_is_no_folder_is_refused_without_a_store(block):
    done = python(f"{block}\nfrom conflictnlp.cli import main\nsys.exit(main(['predict', 'models:/a@b', 'a.txt']))")
    assert done.returncode == 2
    assert "model 'models:/a@b': no bundle folder, and no tracking store can be asked: " in done.stderr


@pytest.mark.slow
def test_mlflow_serves_an_exported_bundle_without_torch(onnx_bundle, tmp_path):
    code = f"""{BLOCK_TORCH}
import mlflow, pandas
from conflictnlp.tracking import model
mlflow.pyfunc.save_model(
    sys.argv[2], python_model=str(model.Path(model.__file__).with_name("pyfunc.py")), artifacts={{"bundle": sys.argv[1]}},
    pip_requirements=["conflictnlp"],
)
frame = pandas.DataFrame({{"text": ["On Monday IS advanced on Ostra."], "actor": ["IS"]}})
answer = mlflow.pyfunc.load_model(sys.argv[2]).predict(frame)
print(answer.loc[0, ["prob_none", "prob_losing", "prob_gaining"]].sum().round(6))
"""
    done = python(code, str(onnx_bundle), str(tmp_path / "model"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == "1.0"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_fresh_environment_with_the_listed_packages_predicts(int8_bundle, tmp_path):
    place = tmp_path / "venv"
    venv.create(place, with_pip=True)
    fresh = place / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = [fresh, "-m", "pip", "install", "--quiet", "--retries", "0"]
    listing = ROOT / "requirements" / "runtime.txt"
    done = subprocess.run([*install, "-r", listing], capture_output=True, text=True, timeout=600)
    if done.returncode and re.search(r"No matching distribution|connection|NewConnectionError", done.stderr):
        pytest.skip(f"no package index is reached: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    source = tmp_path / "source"
    for name in ("conflictnlp", "conf"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    done = subprocess.run([*install, "--no-deps", source], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    code = """
import importlib.util, sys, conflictnlp
assert importlib.util.find_spec("torch") is None and importlib.util.find_spec("transformers") is None
assert not conflictnlp.__file__.startswith(sys.argv[2])
print(conflictnlp.load(sys.argv[1]).predict("On Monday IS advanced on Ostra.", actor="IS").label)
"""
    words = [fresh, "-c", code, int8_bundle, ROOT]
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in ("none", "losing", "gaining")
