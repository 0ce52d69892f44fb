"""Low-rank updates (LoRA): a large encoder stays as it is, small matrices beside its weights are trained instead.

Hu et al. (2021), *LoRA: Low-Rank Adaptation of Large Language Models*; carried out by the library peft.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any

import transformers
from torch.nn import Linear, Module

from conflictnlp.errors import InputError

log = logging.getLogger(__name__)
ALL_LINEAR = "all-linear"


def require_peft(rank: int | None) -> None:
    """Refuse a rank where peft is not installed.

    Args:
        rank: of the updates; None wants none and needs no peft.

    Raises:
        InputError: peft is not installed; names the extra.
    """
    if rank is None:
        return
    try:
        import peft  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"model.lora_rank={rank}: needs peft, which is not installed: pip install 'conflictnlp[lora]'"
        ) from error


class LowRankUpdates:
    """Updates that lie in a model's encoder until they are merged into its weights.

    The encoder's own weights are fixed from now on. Its head is trained as ever, and so is what is new in the encoder
    itself (a pooler that its folder does not hold). Checkpoints hold what is trained, nothing else.

    Args:
        model: an encoder with a head; its modules are replaced in place.
        new: names of the weights that the encoder's folder does not hold.
        rank: of each update, 1 or more.
        alpha: an update counts alpha / rank.
        dropout: share of an update's inputs that are dropped while training, from 0 to below 1.
        targets: `all-linear`, or the names of linear layers, separated by commas.

    Raises:
        InputError: peft is not installed, or a value does not fit.
    """

    def __init__(
        self,
        model: transformers.PreTrainedModel,
        new: Collection[str],
        rank: int,
        alpha: float,
        dropout: float,
        targets: str,
    ) -> None:
        require_peft(rank)
        if rank < 1:
            raise InputError(f"model.lora_rank={rank}: must be 1 or more, or null for none")
        if not 0 <= dropout < 1:
            raise InputError(f"model.lora_dropout={dropout}: is a share from 0 to below 1")
        # Imported here: peft is an extra.
        from peft import LoraConfig, LoraModel

        self._model = model
        fresh = [parameter for name, parameter in model.named_parameters() if name in new]
        layers = _linear_layers(model.base_model, {id(parameter) for parameter in fresh}, targets)
        # peft knows no float for alpha, and reckons with one.
        settings: dict[str, Any] = {"r": rank, "lora_alpha": alpha, "lora_dropout": dropout}
        # Only the encoder is given to peft: the model around it, its head and its hooks stay what they are.
        self._updates = LoraModel(model.base_model, LoraConfig(**settings, target_modules=layers), "default")
        for parameter in fresh:
            parameter.requires_grad_(True)
        # transformers leaves these out of a checkpoint, and misses them in none: they lie in the encoder's folder.
        self._kept = model._keys_to_ignore_on_save
        model._keys_to_ignore_on_save = {
            name for name, parameter in model.named_parameters(remove_duplicate=False) if not parameter.requires_grad
        }
        counts = {True: 0, False: 0}
        for parameter in model.parameters():
            counts[parameter.requires_grad] += parameter.numel()
        log.info(
            "low-rank updates of %d layers: %d weights are trained, %d fixed", len(layers), counts[True], counts[False]
        )

    def merge(self) -> None:
        """Add the updates to the encoder's weights: the model is then what it was, of the same modules and names."""
        self._updates.merge_and_unload()
        vars(self._model.base_model).pop("peft_config", None)
        self._model._keys_to_ignore_on_save = self._kept


def _linear_layers(encoder: Module, fresh: set[int], targets: str) -> list[str]:
    """Return the full names of the layers that `targets` means, without those that are new and trained whole."""
    layers = [
        name
        for name, module in encoder.named_modules()
        if isinstance(module, Linear) and id(module.weight) not in fresh
    ]
    if targets == ALL_LINEAR:
        if not layers:
            raise InputError(f"model.lora_targets={ALL_LINEAR}: the encoder has no linear layer")
        return layers
    chosen = []
    for target in (part.strip() for part in targets.split(",")):
        found = [name for name in layers if f".{name}".endswith(f".{target}")]
        if not found or not target:
            known = sorted({name.rpartition(".")[2] for name in layers})
            raise InputError(
                f"model.lora_targets={targets}: the encoder has no linear layer {target!r}; give {ALL_LINEAR}, or "
                f"some of {', '.join(known)}"
            )
        chosen += found
    return chosen
