"""Learning rates that fall from an encoder's head to its embeddings (Howard & Ruder 2018)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection
from typing import Any

from torch.nn import Module, Parameter

# Where a layer's number stands in the names of its weights: BERT, RoBERTa and MPNet; ModernBERT; GPT.
_LAYER = re.compile(r"\.(?:layers?|h)\.(\d+)\.")
_EMBEDDINGS = re.compile(r"(^|\.)\w*embed\w*\.")


def layer_groups(
    model: Module, rate: float, decay: float, weight_decay: float, decayed: Collection[str]
) -> list[dict[str, Any]]:
    """Group what is trained for an optimiser, by depth.

    The head and what follows the last layer learn at the full rate, each layer below at `decay` times the rate of the
    one above, the embeddings at the least.

    Args:
        model: an encoder with a head.
        rate: of the head.
        decay: of the rate from layer to layer, above 0 to 1.
        weight_decay: of the weights named in `decayed`; the others have none.
        decayed: their names.

    Returns:
        groups with params, lr and weight_decay.
    """
    named = [(name, weights) for name, weights in model.named_parameters() if weights.requires_grad]
    top = 1 + max((int(found[1]) for name, _ in named if (found := _LAYER.search(name))), default=-1)
    groups: dict[tuple[int, bool], list[Parameter]] = defaultdict(list)
    for name, weights in named:
        groups[_depth(name, top), name in decayed].append(weights)
    return [
        {"params": weights, "lr": rate * decay**depth, "weight_decay": weight_decay if decays else 0.0}
        for (depth, decays), weights in groups.items()
    ]


def _depth(name: str, top: int) -> int:
    """Return how many layers lie above a weight; 0 for the head."""
    if found := _LAYER.search(name):
        return top - int(found[1])
    return top + 1 if _EMBEDDINGS.search(name) else 0
