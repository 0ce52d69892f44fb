"""The last layer of a classifier, what it reads, and how it answers more questions for a while."""

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


@contextmanager
def widened(model: nn.Module, outputs: int) -> Iterator[None]:
    """Let a classifier give more logits than its own, which come first; in the end it gives its own again.

    Args:
        model: an encoder with a head.
        outputs: logits in all.

    Yields:
        nothing.
    """
    layer = last_layer(model)
    own = layer.out_features
    # New rows are drawn as transformers draws a new head.
    spread = getattr(getattr(model, "config", None), "initializer_range", 0.02)
    rows = torch.randn(outputs - own, layer.in_features, device=layer.weight.device) * spread
    _set_outputs(layer, torch.cat([layer.weight.detach(), rows]), outputs)
    try:
        yield
    finally:
        _set_outputs(layer, layer.weight.detach()[:own].clone(), own)


def _set_outputs(layer: nn.Linear, weight: torch.Tensor, outputs: int) -> None:
    layer.weight = nn.Parameter(weight)
    if layer.bias is not None:
        bias = layer.bias.new_zeros(outputs)
        kept = min(outputs, layer.out_features)
        bias[:kept] = layer.bias.detach()[:kept]
        layer.bias = nn.Parameter(bias)
    layer.out_features = outputs
