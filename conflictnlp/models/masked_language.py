"""Continued masked-language training of an encoder (Gururangan et al. 2020, "Don't Stop Pretraining")."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    AutoTokenizer,
    DataCollatorForLanguageModeling,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    TrainingArguments,
)

from conflictnlp.config import PretrainConfig
from conflictnlp.errors import InputError
from conflictnlp.models.batching import PAD_TO
from conflictnlp.models.checkpoints import last_checkpoint
from conflictnlp.models.cpu_layers import fast_on_cpu
from conflictnlp.models.device import resolve_device
from conflictnlp.models.encoders import LOCAL_ONLY, quiet, reach_of, training_arguments
from conflictnlp.models.masked_trainer import IGNORED, MaskedLanguageTrainer, Window, masked_loss
from conflictnlp.models.progress import LogFunction, ProgressBar

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MaskedLanguageResult:
    """What a pre-training came to.

    Attributes:
        steps: optimiser steps.
        tokens: of the training texts, with their special tokens, in one epoch.
        windows: that the training texts were read in.
        new_head: whether the encoder had no head for masked words, so that one was trained from the start.
        before: perplexity of masked tokens of the held-out texts before training.
        after: the same, after it.
    """

    steps: int
    tokens: int
    windows: int
    new_head: bool
    before: float
    after: float


class MaskedLanguageModel:
    """An encoder with a head that guesses masked tokens.

    Args:
        folder: the encoder's files.
        seed: of a new head, of the order and of the masks.
        device: where it computes.
        precision: auto, float32 or bfloat16.

    Raises:
        InputError: the model has no such head, its tokenizer no mask token, or its files cannot be read.
    """

    def __init__(self, folder: Path, seed: int, device: str = "auto", precision: str = "auto") -> None:
        self._folder = folder
        self.seed = seed
        self.precision = precision
        self.device = resolve_device(device)
        transformers.set_seed(seed)
        self.tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder, **LOCAL_ONLY)
        if self.tokenizer.mask_token is None or not self.tokenizer.is_fast:
            raise InputError(f"model.encoder={folder}: its tokenizer has no mask token, or no tokenizer.json")
        self.model, missing = _load(AutoModelForMaskedLM, folder)
        self.new_head = any(not key.startswith(f"{self.model.base_model_prefix}.") for key in missing)
        self._kept = _kept_weights(self.model, folder)
        if self.new_head:
            log.info("the encoder has no head for masked words; a new one is trained on its tied word embeddings")

    def fit(
        self,
        texts: Sequence[str],
        held_out: Sequence[str],
        settings: PretrainConfig,
        checkpoints: Path,
        resume: bool = False,
        log_metrics: LogFunction | None = None,
    ) -> MaskedLanguageResult:
        """Go on training.

        Args:
            texts: to learn from.
            held_out: for the perplexity.
            settings: conf/pretrain.
            checkpoints: folder for checkpoints.
            resume: go on from the last complete checkpoint.
            log_metrics: takes (metrics, step) while training.

        Returns:
            sizes and perplexities.

        Raises:
            InputError: the held-out texts have no token to mask.
        """
        length = min(settings.max_length, reach_of(self.model))
        windows = encode_texts(self.tokenizer, texts, length)
        asked = self._masked_batches(encode_texts(self.tokenizer, held_out, length), settings)
        self._to(self.device)
        before = self.perplexity(asked)
        resume_from = last_checkpoint(checkpoints) if resume else None
        if resume_from is not None:
            log.info("resuming from %s", resume_from.name)
        trainer = MaskedLanguageTrainer(
            self.model,
            self._arguments(settings, checkpoints),
            windows,
            self.collator(settings),
            perplexity=lambda: self.perplexity(asked),
            callbacks=[ProgressBar(log_metrics)],
        )
        with quiet(), fast_on_cpu(self.model, self.device):
            trainer.train(resume_from_checkpoint=str(resume_from) if resume_from else None)
        return MaskedLanguageResult(
            steps=trainer.state.global_step,
            tokens=sum(len(window["input_ids"]) for window in windows),
            windows=len(windows),
            new_head=self.new_head,
            before=before,
            after=self.perplexity(asked),
        )

    def perplexity(self, batches: Sequence[dict[str, torch.Tensor]]) -> float:
        """Return exp of the mean cross-entropy (nats) of masked tokens.

        Args:
            batches: with `labels` for the tokens that are asked.

        Returns:
            the perplexity; 1 is certainty.
        """
        training = self.model.training
        self.model.eval()
        total, count = 0.0, 0
        with torch.inference_mode():
            for batch in batches:
                inputs = {name: values.to(self.device) for name, values in batch.items()}
                labels = inputs.pop("labels")
                total += float(masked_loss(self.model(**inputs).logits, labels))
                count += int((labels != IGNORED).sum())
        self.model.train(training)
        # A diverged model's would be infinite, which JSON cannot say.
        return math.exp(min(total / count, 700.0))

    def save(self, folder: Path) -> None:
        """Write the model with its head, weights that the head does not use (a pooler), and the tokenizer."""
        self._to(torch.device("cpu"))
        with quiet():
            self.model.save_pretrained(folder, state_dict={**self.model.state_dict(), **self._kept})
        # As it came: the one at work here was told to truncate.
        AutoTokenizer.from_pretrained(self._folder, **LOCAL_ONLY).save_pretrained(folder)

    def collator(self, settings: PretrainConfig) -> DataCollatorForLanguageModeling:
        """Return what masks a batch: of the chosen tokens 80% by the mask, 10% by others, 10% stay (as BERT does)."""
        return DataCollatorForLanguageModeling(
            self.tokenizer, mlm_probability=settings.mask_share, pad_to_multiple_of=PAD_TO
        )

    def _to(self, device: torch.device) -> None:
        self.model.to(device)  # type: ignore[arg-type]

    def _masked_batches(self, windows: Sequence[Window], settings: PretrainConfig) -> list[dict[str, torch.Tensor]]:
        """Mask the held-out texts once, so that all perplexities ask the same tokens."""
        collator = self.collator(settings)
        collator.generator = torch.Generator().manual_seed(self.seed)
        ordered = sorted(windows, key=lambda window: len(window["input_ids"]))
        size = settings.batch_size
        batches = [dict(collator(ordered[at : at + size])) for at in range(0, len(ordered), size)]
        if not any(bool((batch["labels"] != IGNORED).any()) for batch in batches):
            raise InputError(
                f"pretrain.validation={settings.validation}: no token of the held-out texts is masked; give more texts "
                "or a larger share"
            )
        return batches

    def _arguments(self, settings: PretrainConfig, folder: Path) -> TrainingArguments:
        return training_arguments(
            folder,
            self.device,
            self.precision,
            self.seed,
            num_train_epochs=settings.epochs,
            max_steps=settings.max_steps,
            per_device_train_batch_size=settings.batch_size,
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            warmup_steps=settings.warmup,
            eval_strategy="epoch",
            save_strategy="steps",
            save_steps=settings.save_steps,
            save_total_limit=1,
            logging_steps=20,
            logging_nan_inf_filter=False,
        )


def encode_texts(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], length: int) -> list[Window]:
    """Cut texts into windows; nothing of a long one is left out.

    Args:
        tokenizer: the encoder's.
        texts: what is read.
        length: tokens of a window, special ones among them.

    Returns:
        windows in order, with `input_ids` and `special_tokens_mask`.
    """
    encoded = tokenizer(
        list(texts),
        truncation=True,
        max_length=length,
        return_overflowing_tokens=True,
        return_special_tokens_mask=True,
        return_attention_mask=False,
        return_token_type_ids=False,
    )
    pairs = zip(encoded["input_ids"], encoded["special_tokens_mask"], strict=True)
    return [{"input_ids": ids, "special_tokens_mask": special} for ids, special in pairs]


def _load(kind: Any, folder: Path) -> tuple[PreTrainedModel, set[str]]:
    """Return a model in 32 bits, and the names of its weights that the folder does not hold."""
    try:
        with quiet():
            model, info = kind.from_pretrained(
                folder, dtype=torch.float32, use_safetensors=True, output_loading_info=True, **LOCAL_ONLY
            )
    except ValueError as error:
        raise InputError(
            f"model.encoder={folder}: cannot be trained on masked words ({str(error).splitlines()[0]})"
        ) from error
    return model, set(info["missing_keys"])


def _kept_weights(model: PreTrainedModel, folder: Path) -> dict[str, torch.Tensor]:
    """Return weights of the encoder that masked-language training does not use, for instance BERT's pooler.

    Fine-tuning reads them: without them it would begin with a new pooler.
    """
    own = model.base_model.state_dict()
    base, missing = _load(AutoModel, folder)
    return {
        f"{model.base_model_prefix}.{name}": values.clone()
        for name, values in base.state_dict().items()
        if name not in own and name not in missing
    }
