"""The last layer of a classifier, and what it reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn


def last_layer(model: nn.Module) -> nn.Linear:
    """Return the layer that gives a classifier's logits.

    Args:
        model: an encoder with a head; with low-rank updates the layer that is trained comes last too.

    Returns:
        its last linear layer.

    Raises:
        ValueError: it has none.
    """
    found = [module for module in model.modules() if isinstance(module, nn.Linear)]
    if not found:
        raise ValueError(f"{type(model).__name__}: no linear layer gives its logits")
    return found[-1]


@contextmanager
def inputs_kept(layer: nn.Module) -> Iterator[list[torch.Tensor]]:
    """Keep what a layer reads, with its way back to the encoder.

    Args:
        layer: is called within the block.

    Yields:
        a list that grows by a tensor a call.
    """
    kept: list[torch.Tensor] = []

    def keep(_: nn.Module, args: tuple[Any, ...]) -> None:
        kept.append(args[0])

    handle = layer.register_forward_pre_hook(keep)
    try:
        yield kept
    finally:
        handle.remove()
