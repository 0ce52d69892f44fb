"""What is told of a library that is not installed."""

import pytest

from conflictnlp.dependencies import missing_libraries_told, missing_library
from conflictnlp.errors import InputError


@pytest.mark.parametrize(
    ("module", "told"),
    [
        ("torch.nn", "needs torch, which the light install lacks: pip install conflictnlp"),
        ("sklearn", "needs scikit-learn, which the light install lacks: pip install conflictnlp"),
        ("optuna", "needs optuna, which is not installed: pip install 'conflictnlp[search]'"),
        ("conflictnlp.nothing", None),
        ("no_such", None),
    ],
)
def test_a_declared_library_is_told_with_its_install(module: str, told: str | None) -> None:
    assert missing_library(ModuleNotFoundError(f"No module named {module!r}", name=module)) == told


@pytest.mark.parametrize("error", [ImportError("x", name="torch"), ModuleNotFoundError("x"), ValueError("torch")])
def test_other_errors_are_none_of_it(error: Exception) -> None:
    assert missing_library(error) is None


def test_what_needs_it_is_told() -> None:
    with pytest.raises(InputError, match="a/bundle: needs torch, which"), missing_libraries_told("a/bundle"):
        raise ModuleNotFoundError("No module named 'torch'", name="torch")


def test_a_module_that_nobody_declared_keeps_its_traceback() -> None:
    with pytest.raises(ModuleNotFoundError), missing_libraries_told("a/bundle"):
        raise ModuleNotFoundError("No module named 'no_such'", name="no_such")
