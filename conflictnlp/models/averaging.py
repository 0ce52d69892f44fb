"""The mean of a training's last checkpoints (Izmailov et al. 2018, "Averaging Weights Leads to Wider Optima")."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch.nn import Module

from conflictnlp.models.checkpoints import checkpoints_in

WEIGHTS = "model.safetensors"


def average_last(model: Module, folder: Path, count: int) -> int:
    """Give a model the mean weights of its last checkpoints.

    Args:
        model: the trained one; what its checkpoints do not hold stays as it is.
        folder: where they lie.
        count: how many of them at most.

    Returns:
        how many there were.
    """
    found = checkpoints_in(folder)[:count]
    sums: dict[str, torch.Tensor] = {}
    for checkpoint in found:
        for name, values in load_file(checkpoint / WEIGHTS).items():
            sums[name] = sums[name] + values.double() if name in sums else values.double()
    own = model.state_dict()
    means = {name: (total / len(found)).to(own[name].dtype) for name, total in sums.items()}
    model.load_state_dict(means, strict=False)
    return len(found)
