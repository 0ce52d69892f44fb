"""An encoder with a classification head and its tokenizer, as they lie in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from conflictnlp.errors import BundleError, InputError
from conflictnlp.models.encoders import LOCAL_ONLY, quiet

# How transformers calls a task whose texts bear one label, and one whose texts bear any number.
_PROBLEMS = ("single_label_classification", "multi_label_classification")


def new_classifier(folder: Path, names: Sequence[str], multi: bool) -> tuple[PreTrainedModel, set[str]]:
    """Read an encoder and give it a head for labels.

    Args:
        folder: the encoder's.
        names: of the labels, in order.
        multi: whether a text may bear several of them or none.

    Returns:
        the model in 32 bits, and the names of its weights that the folder does not hold: they are new.
    """
    config = AutoConfig.from_pretrained(
        folder,
        num_labels=len(names),
        id2label=dict(enumerate(names)),
        label2id={name: number for number, name in enumerate(names)},
        problem_type=_PROBLEMS[multi],
        **LOCAL_ONLY,
    )
    model, info = _read(folder, config, names)
    return model, set(info["missing_keys"])


def read_classifier(folder: Path, names: Sequence[str], multi: bool) -> PreTrainedModel:
    """Read a fine-tuned encoder with its head.

    Args:
        folder: of the weights.
        names: of the labels that it must have, in order.
        multi: whether a text may bear several of them or none.

    Returns:
        the model in 32 bits.

    Raises:
        BundleError: its labels are others or of the other kind, or its config and its weights do not belong together.
    """
    config = AutoConfig.from_pretrained(folder, **LOCAL_ONLY)
    if config.problem_type != _PROBLEMS[multi]:
        raise BundleError(
            f"{folder}: config.json tells of {config.problem_type}, the manifest of {_PROBLEMS[multi]}; "
            "train or download the bundle again"
        )
    model, info = _read(folder, config, names)
    # transformers fills what is missing with random numbers, and passes over what is too much.
    for kind in ("missing", "unexpected", "mismatched"):
        if keys := info[f"{kind}_keys"]:
            name = min(map(str, keys))
            raise BundleError(
                f"{folder}: config.json does not fit model.safetensors ({len(keys)} {kind} weights, such as {name}); "
                "train or download the bundle again"
            )
    return model


def read_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """Read a tokenizer that knows where in a text its tokens stand.

    Args:
        folder: the encoder's.

    Returns:
        the tokenizer.

    Raises:
        InputError: it is of the slow kind, without offsets.
    """
    tokenizer: Any = AutoTokenizer.from_pretrained(folder, **LOCAL_ONLY)
    if not tokenizer.is_fast:
        raise InputError(f"{folder}: no fast tokenizer (tokenizer.json), which windows with offsets need")
    return tokenizer


def _read(folder: Path, config: Any, names: Sequence[str]) -> tuple[PreTrainedModel, dict[str, Any]]:
    # transformers accepts labels that contradict each other, and resets them silently where counts differ.
    if [config.id2label.get(number) for number in range(config.num_labels)] != list(names):
        raise BundleError(f"{folder}/config.json: its labels {config.id2label} are not the task's {list(names)}")
    with quiet():
        model, info = AutoModelForSequenceClassification.from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            use_safetensors=True,
            output_loading_info=True,
            # None lets transformers choose; a config could name code of the hub.
            attn_implementation=None,
            **LOCAL_ONLY,
        )
    return model, info
