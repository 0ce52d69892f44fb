from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from conflictnlp.models.averaging import average_last


@pytest.fixture
def checkpoints(tmp_path):
    """Three epochs whose weights are 1, 2 and 6; a fourth was cut off."""
    for step, value in ((5, 1.0), (10, 2.0), (15, 6.0), (20, 100.0)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        save_file({"weight": torch.full((1, 2), value), "bias": torch.tensor([value])}, folder / "model.safetensors")
        if step < 20:
            (folder / "trainer_state.json").write_text("{}")
    return tmp_path


@pytest.mark.parametrize(("count", "mean"), [(1, 6.0), (2, 4.0), (3, 3.0), (9, 3.0)])
def test_the_last_complete_checkpoints_are_averaged(checkpoints, count, mean):
    model = torch.nn.Linear(2, 1)
    assert average_last(model, checkpoints, count) == min(count, 3)
    assert model.weight.tolist() == [[mean, mean]]
    assert model.bias.tolist() == [mean]
    assert model.weight.dtype == torch.float32


def test_weights_that_no_checkpoint_holds_stay(checkpoints):
    model = torch.nn.ModuleDict({"other": torch.nn.Linear(1, 1)})
    model.register_parameter("bias", torch.nn.Parameter(torch.zeros(1)))
    model.register_parameter("weight", torch.nn.Parameter(torch.zeros(1, 2)))
    before = model["other"].weight.clone()
    average_last(model, checkpoints, 3)
    assert torch.equal(model["other"].weight, before)


def test_without_checkpoints_nothing_changes(tmp_path):
    model = torch.nn.Linear(2, 1)
    before = model.weight.clone()
    assert average_last(model, tmp_path, 3) == 0
    assert torch.equal(model.weight, before)
