"""The transformers Trainer for masked words, whose masks a training that was cut off draws again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from transformers import DataCollatorForLanguageModeling, PreTrainedModel, TrainerCallback, TrainingArguments

from conflictnlp.models.trainer import LengthGroupedTrainer

# What the collator gives as label of a token that is not asked.
IGNORED = -100
Window = dict[str, list[int]]


class MaskedLanguageTrainer(LengthGroupedTrainer):
    """Trainer whose masks depend on seed, epoch and batch alone.

    Args:
        model: the encoder with its head.
        args: the Trainer's arguments.
        windows: training windows.
        masks: masks a batch; its generator is set for each.
        perplexity: of the held-out texts, by the model as it stands.
        callbacks: further callbacks.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        args: TrainingArguments,
        windows: Sequence[Window],
        masks: DataCollatorForLanguageModeling,
        perplexity: Callable[[], float],
        callbacks: list[TrainerCallback],
    ) -> None:
        numbered = [{**window, "number": number} for number, window in enumerate(windows)]
        super().__init__(
            [len(window["input_ids"]) for window in windows],
            model=model,
            args=args,
            train_dataset=numbered,
            eval_dataset=numbered[:1],
            data_collator=self._collate,
            callbacks=callbacks,
        )
        self._masks = masks
        self._perplexity = perplexity

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """Return the mean cross-entropy of the masked tokens; of a batch without any, zero."""
        labels = inputs.pop("labels")
        outputs = model(**inputs)
        loss = masked_loss(outputs.logits, labels) / (labels != IGNORED).sum().clamp(min=1)
        return (loss, outputs) if return_outputs else loss

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Return the perplexity of the held-out texts."""
        metrics = {"eval_perplexity": self._perplexity()}
        self.log(dict(metrics))
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _collate(self, windows: Sequence[Any]) -> dict[str, torch.Tensor]:
        numbers = [window["number"] for window in windows]
        entropy = np.random.SeedSequence([self.args.seed, self._batches.epoch, *numbers])
        self._masks.generator = torch.Generator().manual_seed(int(entropy.generate_state(1, np.uint64)[0] >> 1))
        return dict(self._masks([{k: v for k, v in window.items() if k != "number"} for window in windows]))


def masked_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the sum of the cross-entropy (nats) of the tokens that are asked.

    Args:
        logits: (n, length, vocabulary).
        labels: (n, length), `IGNORED` where nothing is asked.

    Returns:
        a scalar in 32 bits.
    """
    # Softmax over the tokens that nobody asks would take most of the time.
    chosen = labels != IGNORED
    return functional.cross_entropy(logits[chosen].float(), labels[chosen], reduction="sum")
