"""What the classification head reads: an encoder's first token, or the marked words of whom the question is about."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer

from conflictnlp.text.spans import MARKERS


def reads_mean(pooling: str, spans: Collection[str]) -> bool:
    """Tell whether the head reads a mean of tokens.

    Args:
        pooling: `first`, `marks` or `mean`, as the config says.
        spans: the task's marked roles.

    Returns:
        True for a mean; False for the first token.
    """
    return pooling == "mean" or (pooling == "marks" and bool(spans))


def read_marks(model: transformers.PreTrainedModel, tokenizer: Tokenizer, roles: Sequence[str]) -> None:
    """Let a model's head read the mean of the marked words in place of the first token.

    The idea is that of the entity markers of Baldini Soares et al. (2019), with the mean of all mentions where they
    take the first marker. Nothing is added to the weights: transformers reads them as those of any classifier.

    Args:
        model: an encoder with a head that reads the first token's state, or what the encoder pooled.
        tokenizer: the encoder's.
        roles: the task's marked roles.
    """
    pairs = [tuple(_ids(tokenizer, mark) for mark in MARKERS[role]) for role in roles]

    def pool(_: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
        ids = kwargs["input_ids"] if "input_ids" in kwargs else args[0]
        mask = kwargs.get("attention_mask", args[1] if len(args) > 1 else None)
        mask = torch.ones_like(ids) if mask is None else mask
        mean = marked_mean(output.last_hidden_state, ids, mask, pairs)
        output.last_hidden_state = torch.cat([mean[:, None], output.last_hidden_state[:, 1:]], dim=1)
        if output.get("pooler_output") is not None:
            output.pooler_output = mean
        return output

    model.base_model.register_forward_hook(pool, with_kwargs=True)


def marked_mean(
    states: torch.Tensor, ids: torch.Tensor, mask: torch.Tensor, pairs: Sequence[Sequence[Sequence[int]]]
) -> torch.Tensor:
    """Return the mean state of the tokens between marks.

    Args:
        states: of the last layer, (n, length, width).
        ids: token ids, (n, length).
        mask: 1 where a token is no padding, (n, length).
        pairs: token ids of each role's opening and closing mark.

    Returns:
        array (n, width); of all tokens where a window holds no mark.
    """
    depth = torch.zeros_like(ids)
    for opening, closing in pairs:
        depth = depth + _ends(ids, opening) - _ends(ids, closing)
    inside = (depth.cumsum(1) > 0).to(states.dtype)
    some = (inside.sum(1, keepdim=True) > 0).to(states.dtype)
    weights = some * inside + (1 - some) * mask.to(states.dtype)
    return (states * weights[..., None]).sum(1) / weights.sum(1, keepdim=True)


def _ends(ids: torch.Tensor, mark: Sequence[int]) -> torch.Tensor:
    """Return 1 at the last token of each of a mark's places, (n, length)."""
    hit = torch.ones_like(ids)
    for back, token in enumerate(reversed(mark)):
        shifted = torch.nn.functional.pad(ids, (back, 0), value=-1)[:, : ids.shape[1]]
        hit = hit * (shifted == token).to(ids.dtype)
    return hit


def _ids(tokenizer: Tokenizer, mark: str) -> list[int]:
    encoding = tokenizer.encode(mark, add_special_tokens=False)
    # Some tokenizers pad whatever they read.
    return [token for token, real in zip(encoding.ids, encoding.attention_mask, strict=True) if real]
