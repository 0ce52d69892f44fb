from __future__ import annotations

from pathlib import Path

import pytest

WAR = ("the army attacked the town", "troops fired on the village", "forces took the city", "rebels killed soldiers")
DEAL = ("the government signed a deal", "talks on a ceasefire began", "parties met for peace", "leaders agreed on aid")


@pytest.fixture(scope="session")
def texts() -> list[str]:
    """Twelve texts of each of two classes, in turn."""
    pairs = zip(WAR * 3, DEAL * 3, strict=True)
    return [f"{text} on day {number}" for number, pair in enumerate(pairs) for text in pair]


@pytest.fixture(scope="session")
def labels() -> list[str]:
    return ["war", "deal"] * 12


@pytest.fixture(scope="session")
def tiny_settings(tiny_encoder: Path) -> dict:
    """Settings of a training that takes a moment and whose arithmetic is the same on every machine."""
    return {
        "encoder": str(tiny_encoder),
        "precision": "float32",
        "device": "cpu",
        "max_length": 32,
        "batch_size": 4,
        "learning_rate": 1e-3,
        "epochs": 1,
    }


@pytest.fixture(scope="session")
def tiny_model(tiny_settings: dict, texts: list[str], labels: list[str]):
    """A transformer that tells the two classes apart; a third one is declared between them."""
    from conflictnlp.models import TransformerClassifier

    settings = {**tiny_settings, "epochs": 20, "batch_size": 8, "learning_rate": 3e-3}
    return TransformerClassifier(labels=["war", "never", "deal"], **settings).fit(texts, labels)
