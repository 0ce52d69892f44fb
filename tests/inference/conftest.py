"""Models of the tasks that the joint coding needs beside the shared ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from conflictnlp.bundle import save_bundle
from conflictnlp.models import TfidfClassifier
from conflictnlp.task import Label, Task


@pytest.fixture(scope="session")
def event_type_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A single-label bundle of TF-IDF: battle or talks."""
    task = Task("event_type", "single", (Label("battle", "clash"), Label("talks", "envoys"), Label("none", "neither")))
    texts = ["Shells hit the town.", "IS advanced on Ostra.", "Envoys signed the truce.", "Envoys met.", "Rain fell."]
    estimator = TfidfClassifier(labels=task.label_names)
    folder = tmp_path_factory.mktemp("event_type") / "bundle"
    save_bundle(folder, estimator.fit(texts, ["battle", "battle", "talks", "talks", "none"]), task)
    return folder
