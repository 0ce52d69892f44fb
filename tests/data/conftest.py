from __future__ import annotations

import pytest

from conflictnlp.composition import load_task
from conflictnlp.task import Task


@pytest.fixture(scope="session")
def momentum_task() -> Task:
    """The task as it ships."""
    return load_task("momentum")
