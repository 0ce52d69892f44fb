"""What makes a training step of an encoder fast on a CPU: cheaper random numbers for dropout, attention by products.

torch draws dropout's numbers one by one (a fifth of a step), and its fused attention computes gradients in bfloat16
more slowly than plain products do. Nothing else changes: weights, checkpoints and results of scoring are the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.masking_utils import eager_mask

_ATTENTION = "conflictnlp_products"
_BITS = 16


@contextmanager
def fast_on_cpu(model: PreTrainedModel, device: torch.device) -> Iterator[None]:
    """Give a model these layers while it is trained on a CPU, and its own ones back.

    Args:
        model: to be trained.
        device: where; nothing is changed elsewhere than on a CPU.

    Yields:
        nothing.
    """
    if device.type != "cpu":
        yield
        return
    drops = [
        (parent, name, child)
        for parent in model.modules()
        for name, child in parent.named_children()
        if type(child) is nn.Dropout
    ]
    attention = model.config._attn_implementation
    for parent, name, child in drops:
        setattr(parent, name, Dropout(child.p).train(child.training))
    if attention == "sdpa":
        model.set_attn_implementation(_ATTENTION)
    try:
        yield
    finally:
        for parent, name, child in drops:
            setattr(parent, name, child.train(getattr(parent, name).training))
        if attention == "sdpa":
            model.set_attn_implementation(attention)


class Dropout(nn.Dropout):
    """Dropout whose share is kept to one in 65,536, and whose numbers are drawn four at a time."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Drop elements while training."""
        return drop(input, self.p) if self.training else input


def drop(states: torch.Tensor, share: float) -> torch.Tensor:
    """Set a share of the elements to zero and scale the others up (Srivastava et al. 2014).

    Args:
        states: of any shape.
        share: of the elements, from 0 to below 1.

    Returns:
        a new tensor.
    """
    if not share:
        return states
    count, per_number = states.numel(), 64 // _BITS
    # From the least number on, all 64 bits are random.
    numbers = torch.empty((count + per_number - 1) // per_number, dtype=torch.int64).random_(-(2**63), None)
    border = round(share * 2**_BITS) - 2 ** (_BITS - 1)
    kept = (numbers.view(torch.int16)[:count] >= border).view(states.shape)
    return states * kept.to(states.dtype).mul_(1 / (1 - share))


def attend(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **others: Any,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attend by two products, as an attention function of transformers.

    Args:
        module: the attention layer.
        query: (n, heads, length, width).
        key: (n, heads or a part of them, length, width).
        value: as key.
        attention_mask: what is added to the scores; None for nothing.
        scaling: of the scores; None for 1 / sqrt(width).
        dropout: share of the weights that are dropped while training.
        **others: what other attentions want.

    Returns:
        (states (n, length, heads, width), weights (n, heads, length, length)).
    """
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = (part.repeat_interleave(groups, dim=1) for part in (key, value))
    scores = query @ key.transpose(2, 3) * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    if attention_mask is not None:
        scores = scores + attention_mask
    weights = scores.softmax(dim=-1)
    if module.training:
        weights = drop(weights, dropout)
    return (weights @ value).transpose(1, 2).contiguous(), weights


AttentionInterface.register(_ATTENTION, attend)
AttentionMaskInterface.register(_ATTENTION, eager_mask)
