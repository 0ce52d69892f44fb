"""Libraries that are declared but not installed: the light install for exported models leaves most of them out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata

from conflictnlp.errors import InputError

# Distributions that are imported under another name.
_DISTRIBUTIONS = {
    "hydra": "hydra-core",
    "iterstrat": "iterative-stratification",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}


def missing_library(error: BaseException) -> str | None:
    """Tell which declared library is not installed, and how to install it.

    Args:
        error: what an import or a load raised.

    Returns:
        a line, or None if the error is of another kind.
    """
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return None
    module = error.name.partition(".")[0]
    # The package names itself among its extras.
    name = _DISTRIBUTIONS.get(module, module) if module != "conflictnlp" else ""
    for requirement in metadata.requires("conflictnlp") or ():
        if re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower() == name:
            extra = re.search(r"extra == ['\"](\w+)", requirement)
            if extra:
                return f"needs {name}, which is not installed: pip install 'conflictnlp[{extra[1]}]'"
            return f"needs {name}, which the light install lacks: pip install conflictnlp"
    return None


@contextmanager
def missing_libraries_told(what: str) -> Iterator[None]:
    """Tell which declared library is not installed as an InputError.

    Args:
        what: what needs it, as a user calls it.

    Yields:
        nothing.

    Raises:
        InputError: a declared library is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (told := missing_library(error)) is None:
            raise
        raise InputError(f"{what}: {told}") from error
