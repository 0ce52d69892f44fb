from __future__ import annotations

import importlib.metadata
import subprocess
import sys

import pytest

import conflictnlp
import conflictnlp.models

HEAVY = ("torch", "transformers", "mlflow", "sklearn", "pandas", "matplotlib")


def modules_after(code: str) -> set[str]:
    """Return which heavy modules a new interpreter has loaded after some code."""
    probe = f"import sys\n{code}\nprint(*(name for name in {HEAVY} if name in sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def help_of(*words: str) -> str:
    return f"""
import runpy
sys.argv = ["conflictnlp", *{words}]
try:
    runpy.run_module("conflictnlp.cli", run_name="__main__")
except SystemExit as end:
    assert not end.code
"""


def test_the_public_names_are_frozen():
    assert set(conflictnlp.__all__) == {
        "BundleError",
        "ConflictNLPError",
        "Evidence",
        "InputError",
        "Model",
        "Prediction",
        "TrackingError",
        "TrainResult",
        "__version__",
        "load",
        "train",
    }


def test_the_public_names_of_models_are_frozen():
    assert set(conflictnlp.models.__all__) == {"TfidfClassifier", "TransformerClassifier"}


@pytest.mark.parametrize("name", conflictnlp.__all__)
def test_every_public_name_can_be_imported(name):
    assert getattr(conflictnlp, name) is not None


@pytest.mark.parametrize("name", conflictnlp.models.__all__)
def test_every_estimator_can_be_imported(name):
    assert getattr(conflictnlp.models, name).__name__ == name


@pytest.mark.parametrize("module", [conflictnlp, conflictnlp.models])
def test_an_unknown_name_is_an_attribute_error(module):
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = module.no_such_name


def test_dir_lists_the_public_names():
    assert dir(conflictnlp) == sorted(conflictnlp.__all__)


def test_the_version_is_the_installed_one():
    assert conflictnlp.__version__ == importlib.metadata.version("conflictnlp")


def test_import_loads_nothing_heavy():
    assert modules_after("import conflictnlp, conflictnlp.models, conflictnlp.errors") == set()


def test_tfidf_needs_no_torch():
    loaded = modules_after("from conflictnlp.models import TfidfClassifier")
    assert loaded.isdisjoint({"torch", "transformers", "mlflow"})


@pytest.mark.parametrize("words", [("--help",), ("train", "--help"), ("predict", "--help")])
def test_help_loads_no_torch_transformers_or_mlflow(words):
    assert modules_after(help_of(*words)).isdisjoint({"torch", "transformers", "mlflow"})


def test_errors_about_input_are_value_errors():
    assert issubclass(conflictnlp.InputError, ValueError)
    assert issubclass(conflictnlp.BundleError, conflictnlp.InputError)
    assert not issubclass(conflictnlp.TrackingError, conflictnlp.InputError)
