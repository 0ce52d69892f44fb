from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import actor_passages
from transformers import AutoModelForSequenceClassification

from conflictnlp.bundle import Manifest, add_to_bundle, load_estimator, read_manifest, save_bundle
from conflictnlp.inference import Model
from conflictnlp.models import TfidfClassifier


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def copy(tmp_path, topic_bundle) -> Path:
    return shutil.copytree(topic_bundle, tmp_path / "copy")
