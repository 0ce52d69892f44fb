"""Make an encoder ready to be rounded to 8 bits: what a common scale would flatten is rescaled or kept apart.

Rounding takes one scale for all inputs of a matrix. In a fine-tuned encoder a handful of channels are ten times as
large as the others, at single tokens, and leave them a few steps of the scale. So channels are divided by a factor that
their weights are multiplied by (SmoothQuant, Xiao et al. 2023), and the largest are multiplied in float32, beside the
others (Dettmers et al. 2022); both change nothing before rounding. Each word's embedding is rounded by a scale of its
own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import nn
from transformers import PreTrainedModel

# Of a channel's peak, the share (as an exponent) that its weights take over.
_STRENGTH = 0.7
# A channel goes apart if its peak exceeds that of this share of the channels by this factor; most that may.
_USUAL, _FACTOR, _MOST = 0.99, 2.0, 16
# Matrices of fewer rows are those of channels that were kept apart: they stay in float32.
SMALLEST = 32


class EasedLinear(nn.Module):
    """A linear layer whose inputs are rescaled, and whose largest channels are multiplied beside the others.

    Args:
        linear: the layer; its weights are changed in place.
        factors: by which each channel's inputs are divided and its weights multiplied, (n_in,).
        apart: numbers of the channels that are multiplied beside the others.
    """

    scales: torch.Tensor
    apart: torch.Tensor
    beside: torch.Tensor

    def __init__(self, linear: nn.Linear, factors: torch.Tensor, apart: torch.Tensor) -> None:
        super().__init__()
        weight = linear.weight.data
        scales = 1 / factors
        scales[apart] = 0
        self.register_buffer("scales", scales)
        self.register_buffer("apart", apart)
        self.register_buffer("beside", weight[:, apart].T.clone())
        weight *= factors
        weight[:, apart] = 0
        self.linear = linear

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Return what the layer returned, (..., n_out)."""
        scores: torch.Tensor = self.linear(states * self.scales)
        if len(self.apart):
            scores = scores + states[..., self.apart] @ self.beside
        return scores


class RowwiseEmbedding(nn.Module):
    """Embeddings in 8 bits, each with a scale of its own.

    Args:
        embedding: as it was trained.
    """

    rounded: torch.Tensor
    scales: torch.Tensor

    def __init__(self, embedding: nn.Embedding) -> None:
        super().__init__()
        weight = embedding.weight.data
        scales = weight.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127
        self.register_buffer("rounded", (weight / scales).round().to(torch.int8))
        self.register_buffer("scales", scales)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Return the embeddings of token ids, (..., width)."""
        return nn.functional.embedding(ids, self.rounded).float() * nn.functional.embedding(ids, self.scales)


def ease_rounding(model: PreTrainedModel, windows: Sequence[Sequence[int]]) -> None:
    """Prepare an encoder's linear layers and word embeddings for rounding.

    Args:
        model: an encoder with a head; changed in place.
        windows: token ids on which the channels' peaks are measured.
    """
    encoder: nn.Module = model.base_model
    linear = {name: layer for name, layer in encoder.named_modules() if isinstance(layer, nn.Linear)}
    for names, peaks in _measure(model, linear, windows):
        layers = [linear[name] for name in names]
        largest = torch.stack([layer.weight.detach().abs().amax(dim=0) for layer in layers]).amax(dim=0)
        factors = peaks.clamp(min=1e-5) ** _STRENGTH / largest.clamp(min=1e-5) ** (1 - _STRENGTH)
        apart = _outliers(peaks)
        for name, layer in zip(names, layers, strict=True):
            parent, _, own = name.rpartition(".")
            setattr(encoder.get_submodule(parent), own, EasedLinear(layer, factors, apart))
    embedding = model.get_input_embeddings()
    if type(embedding) is nn.Embedding:
        model.set_input_embeddings(RowwiseEmbedding(embedding))


def _measure(
    model: PreTrainedModel, layers: dict[str, nn.Linear], windows: Sequence[Sequence[int]]
) -> Iterator[tuple[list[str], torch.Tensor]]:
    """Yield the linear layers that read the same states, by name, and the largest absolute value of each channel.

    Layers that read the same (query, key, value) get the same factors, so that the graph rescales and rounds once.
    """
    peaks: dict[str, torch.Tensor] = {}
    # States are kept as long as a window is read, so that no two bear one id.
    read: list[tuple[str, torch.Tensor]] = []

    def watch(name: str) -> torch.utils.hooks.RemovableHandle:
        def note(_: nn.Module, args: tuple[torch.Tensor, ...]) -> None:
            highest = args[0].abs().flatten(0, -2).amax(dim=0)
            peaks[name] = torch.maximum(peaks[name], highest) if name in peaks else highest
            read.append((name, args[0]))

        return layers[name].register_forward_pre_hook(note)

    handles = [watch(name) for name in layers]
    groups: dict[int, list[str]] = {}
    try:
        with torch.no_grad():
            for ids in windows:
                read.clear()
                row = torch.tensor([list(ids)])
                model(input_ids=row, attention_mask=torch.ones_like(row))
        # Of a layer that is passed several times (shared weights) the first pass tells whom it reads with.
        first: dict[str, int] = {}
        for name, states in read:
            first.setdefault(name, id(states))
        for name, states_id in first.items():
            groups.setdefault(states_id, []).append(name)
    finally:
        for handle in handles:
            handle.remove()
    for names in groups.values():
        yield names, peaks[names[0]]


def _outliers(peaks: torch.Tensor) -> torch.Tensor:
    """Return the numbers of the channels that are kept apart, largest first."""
    usual = torch.quantile(peaks.float(), _USUAL)
    order = peaks.argsort(descending=True)[: min(_MOST, len(peaks) // SMALLEST)]
    return order[peaks[order] > _FACTOR * usual]
