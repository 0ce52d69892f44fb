"""What all encoders of transformers share here: how they are loaded, how far they reach, how windows are scored."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from transformers import TrainingArguments

from conflictnlp.errors import BundleError
from conflictnlp.models.batching import PAD_TO, pad
from conflictnlp.models.device import wants_bfloat16
from conflictnlp.models.encoding import batches
from conflictnlp.models.scores import Matrix

# Padded tokens of a batch on a CPU: a quarter as many or four times as many are up to a tenth slower.
_CACHED_TOKENS = 2_048
# For every `from_pretrained`: nothing is fetched, and no code that comes with a model is run.
LOCAL_ONLY: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from a bar for every file, and from warning that a new head is new."""
    verbosity, bars = transformers.logging.get_verbosity(), transformers.logging.is_progress_bar_enabled()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers.logging.set_verbosity(verbosity)
        if bars:
            transformers.logging.enable_progress_bar()


def reach_of(model: transformers.PreTrainedModel) -> int:
    """Return how many tokens an encoder reads at once."""
    reach: int = getattr(model.config, "max_position_embeddings", sys.maxsize)
    embeddings = getattr(model.base_model, "embeddings", None)
    padding = getattr(getattr(embeddings, "position_embeddings", None), "padding_idx", None)
    # RoBERTa and MPNet number positions from after the padding's. Batches are padded to a multiple of 8.
    return (reach if padding is None else reach - padding - 1) // PAD_TO * PAD_TO


def window_logits(
    model: transformers.PreTrainedModel,
    windows: Sequence[Sequence[int]],
    pad_id: int,
    batch_size: int,
    device: torch.device,
) -> list[Matrix]:
    """Score windows: those of like length share a batch, results come in input order.

    Args:
        model: with its head, on the device.
        windows: token ids.
        pad_id: the padding token.
        batch_size: windows of a batch at most; on a CPU of no more than 2,048 tokens, which its cache holds.
        device: where the model is.

    Returns:
        for each window its logits: (n_labels,), or for token classification (padded length, n_labels).

    Raises:
        BundleError: a token id lies beyond the encoder's vocabulary.
    """
    logits: list[Matrix] = [np.empty(0)] * len(windows)
    tokens = _CACHED_TOKENS if device.type == "cpu" else sys.maxsize
    with torch.inference_mode():
        for rows in batches([len(ids) for ids in windows], tokens, batch_size):
            ids, mask = pad([windows[row] for row in rows], pad_id)
            try:
                outputs = model(input_ids=ids.to(device), attention_mask=mask.to(device))
            except IndexError as error:
                place = model.config.name_or_path or "encoder"
                raise BundleError(f"{place}: does not know a token of its tokenizer.json ({error})") from error
            for row, values in zip(rows, outputs.logits.float().cpu().numpy(), strict=True):
                logits[row] = values
    return logits


def training_arguments(folder: Path, device: torch.device, precision: str, seed: int, **own: Any) -> TrainingArguments:
    """Return the Trainer's arguments, with what every training of this package wants.

    Args:
        folder: for checkpoints.
        device: where it computes.
        precision: auto, float32 or bfloat16.
        seed: of weights, dropout and order.
        **own: the training's own.

    Returns:
        the arguments.
    """
    return TrainingArguments(
        output_dir=str(folder),
        optim="adamw_torch_fused",
        bf16=wants_bfloat16(precision, device),
        use_cpu=device.type == "cpu",
        disable_tqdm=True,
        report_to="none",
        seed=seed,
        data_seed=seed,
        remove_unused_columns=False,
        dataloader_pin_memory=device.type == "cuda",
        **own,
    )
