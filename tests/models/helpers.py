"""What the tests of encoders share: marked passages, weights, and trainings that are cut off and gone on with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from conflictnlp.models import TransformerClassifier
from conflictnlp.text import Passage, find_mentions


class Interrupted(Exception):
    pass


def marked(text: str, name: str) -> Passage:
    return Passage(text, (tuple(find_mentions(text, [name])),))


def weights(model: TransformerClassifier) -> list[torch.Tensor]:
    return [value.clone() for value in model.model_.state_dict().values()]


def same(first: list[torch.Tensor], second: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def cut_off(folder: Path, at: int, settings: dict[str, Any], *data: Any, **named: Any) -> None:
    """Fit a model whose training ends when it logs a step from `at` on; its checkpoints lie in the folder."""

    def interrupt(metrics, step):
        if step >= at:
            raise Interrupted

    with pytest.raises(Interrupted):
        TransformerClassifier(**settings, checkpoints=folder, log=interrupt).fit(*data, **named)


def assert_it_goes_on(folder: Path, at: int, settings: dict[str, Any], *data: Any, **named: Any) -> None:
    """Cut a training off, resume it, and compare its weights with those of an undisturbed one."""
    whole = TransformerClassifier(**settings).fit(*data, **named)
    cut_off(folder, at, settings, *data, **named)
    resumed = TransformerClassifier(**settings, checkpoints=folder, resume=True).fit(*data, **named)
    assert same(weights(resumed), weights(whole))
