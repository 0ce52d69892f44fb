"""What a config's values may be, beyond the types that its schema tells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from datetime import date
from operator import attrgetter
from typing import Any

from conflictnlp.config import (
    Config,
    EvaluationConfig,
    LearningCurveConfig,
    PretrainConfig,
    TransformerConfig,
)
from conflictnlp.errors import InputError

_CHOICES = {
    "data.on_leak": ("error", "drop_train", "keep"),
    "data.on_fault": ("error", "drop", "keep"),
    "data.split.method": ("group", "date", "stratified"),
    "evaluation.folds_over": ("train", "all"),
    "model.pooling": ("first", "marks", "mean"),
    "trainer.loss": ("cross_entropy", "focal"),
    "trainer.class_weights": (None, "balanced"),
    "trainer.precision": ("auto", "float32", "bfloat16"),
    "trainer.schedule": ("linear", "cosine", "constant", "constant_with_warmup"),
    "trainer.metric": ("macro_f1", "accuracy", "loss"),
}
_POSITIVE = (
    "data.auxiliary_limit",
    "data.limit",
    "data.limit_test",
    "data.share",
    "data.long_words",
    "data.near_duplicate",
    "threads",
    "trainer.batch_size",
    "trainer.eval_batch_size",
    "trainer.epochs",
    "trainer.gradient_accumulation",
    "trainer.examples_seen",
    "trainer.finish_rate",
    "trainer.layer_decay",
    "trainer.average_last",
    "trainer.dropout_samples",
    "tagger.epochs",
    "tagger.examples_seen",
    "tagger.learning_rate",
    "tagger.max_length",
    "evaluation.bins",
    "evaluation.fold",
    "search.trials",
    "search.timeout",
    "search.workers",
    "learning_curve.resamples",
    "pretrain.epochs",
    "pretrain.learning_rate",
    "pretrain.batch_size",
    "pretrain.max_length",
    "pretrain.save_steps",
    "model.learning_rate",
    "model.lora_rank",
    "model.lora_alpha",
    "model.max_length",
    "model.split_length",
    "model.max_features",
    "model.min_df",
    "model.max_iter",
    "model.C",
)
_NOT_NEGATIVE = (
    "seed",
    "data.split.seed",
    "data.share_seed",
    "evaluation.bootstrap",
    "search.startup_trials",
    "trainer.finish_epochs",
    "trainer.weight_decay",
    "trainer.max_grad_norm",
    "trainer.warmup",
    "trainer.label_smoothing",
    "trainer.r_drop",
    "trainer.adversarial",
    "trainer.auxiliary_epochs",
    "trainer.contrastive_epochs",
    "pretrain.weight_decay",
    "model.overlap",
    "model.renamed_copies",
    "model.word_ngrams",
    "model.char_ngrams",
    "model.surroundings",
)
_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")
_SHARES = (
    "data.split.validation",
    "data.split.test",
    "evaluation.confidence",
    "pretrain.mask_share",
    "pretrain.validation",
)
# What seeds the generators of numpy and torch alike.
_LARGEST_SEED = 2**32 - 1


def check_values(config: Config) -> None:
    """Refuse a config whose values no run could use.

    Args:
        config: composed or rebuilt; `resume` is set where a run to resume is named.

    Raises:
        InputError: a value is not among the choices or out of its range, or two contradict each other.
    """
    for key, value in _held(config, _CHOICES):
        if value not in _CHOICES[key]:
            raise InputError(f"{key}={value}: must be one of {', '.join(str(choice) for choice in _CHOICES[key])}")
    # Written so that NaN, which compares false, is refused too.
    for key, value in _held(config, _POSITIVE):
        if value is not None and not value > 0:
            raise InputError(f"{key}={value}: must be above zero")
    for key, value in _held(config, _NOT_NEGATIVE):
        if value is not None and not value >= 0:
            raise InputError(f"{key}={value}: must be zero or above")
    for key, value in _held(config, _SHARES):
        if not 0 < value < 1:
            raise InputError(f"{key}={value}: must be a share between 0 and 1")
    for key, value in _held(config, ("model.lora_dropout",)):
        if not 0 <= value < 1:
            raise InputError(f"{key}={value}: is a share from 0 to below 1")
    _check_training(config)
    if config.data.share > 1:
        raise InputError(f"data.share={config.data.share}: is a share of the training rows, at most 1")
    if config.data.near_duplicate > 1:
        raise InputError(f"data.near_duplicate={config.data.near_duplicate}: is a similarity, at most 1")
    for key, value in _held(config, ("seed", "data.split.seed", "data.share_seed")):
        if value > _LARGEST_SEED:
            raise InputError(f"{key}={value}: must be at most {_LARGEST_SEED}")
    _check_folds(config.evaluation)
    if not _DEVICE.fullmatch(config.device):
        raise InputError(f"device={config.device}: must be auto, cpu, cuda, cuda:N or mps")
    _check_learning_curve(config.learning_curve)
    _check_pretrain(config.pretrain)
    config.to_task()
    if config.resume_run is not None:
        config.resume = True


def _check_training(config: Config) -> None:
    trainer, model = config.trainer, config.model
    if trainer.layer_decay > 1:
        raise InputError(f"trainer.layer_decay={trainer.layer_decay}: is a share of the rate, at most 1")
    if trainer.contrastive_epochs and config.to_task().is_multi:
        raise InputError(
            f"trainer.contrastive_epochs={trainer.contrastive_epochs}: puts texts of one class side by side, and the "
            f"texts of task {config.task.name} bear several labels or none; set it to 0"
        )
    if config.data.auxiliary and not isinstance(model, TransformerConfig):
        raise InputError(
            f"data.auxiliary={config.data.auxiliary}: other tasks are learnt beside the own one by an encoder, which "
            f"model={model.name} has not; set data.auxiliary=[]"
        )
    if not trainer.adversarial or not isinstance(model, TransformerConfig):
        return
    for key, fixed in (("freeze_embeddings", model.freeze_embeddings), ("lora_rank", model.lora_rank is not None)):
        if fixed:
            raise InputError(
                f"trainer.adversarial={trainer.adversarial}: disturbs word embeddings along their gradient, and with "
                f"model.{key} they have none; set one of the two to its default"
            )


def _check_learning_curve(config: LearningCurveConfig) -> None:
    shares, seeds, target = config.shares, config.seeds, config.target
    if not shares or not all(0 < share <= 1 for share in shares) or len(set(shares)) < len(shares):
        raise InputError(f"learning_curve.shares={shares}: must be different shares, each above 0 and at most 1")
    if not seeds or not all(0 <= seed <= _LARGEST_SEED for seed in seeds) or len(set(seeds)) < len(seeds):
        raise InputError(f"learning_curve.seeds={seeds}: must be different numbers from 0 to {_LARGEST_SEED}")
    if target is not None and not 0 < target < 1:
        raise InputError(f"learning_curve.target={target}: is a macro-F1 between 0 and 1, or null")


def _check_pretrain(pretrain: PretrainConfig) -> None:
    if not 0 <= pretrain.warmup < 1:
        raise InputError(f"pretrain.warmup={pretrain.warmup}: is a share of the steps, from 0 to below 1")
    if pretrain.before is None:
        return
    try:
        date.fromisoformat(pretrain.before)
    except ValueError as error:
        raise InputError(f"pretrain.before={pretrain.before}: must be a date, for instance 2016-01-01") from error


def _check_folds(evaluation: EvaluationConfig) -> None:
    folds, fold = evaluation.folds, evaluation.fold
    if folds is not None and folds < 2:
        raise InputError(f"evaluation.folds={folds}: must be 2 or more, or null")
    if fold is not None and (folds is None or fold > folds):
        raise InputError(f"evaluation.fold={fold}: must be one of the evaluation.folds={folds}")
    if folds is not None and not evaluation.test:
        raise InputError(
            "evaluation.test=false: cross-validation scores what each fold holds out; set evaluation.test=true"
        )


def refuse_unknown(node: Any, prefix: str = "") -> None:
    """Refuse keys that no schema declares; `+key=value` sets them, and nothing would read them.

    Args:
        node: the config or a part of it.
        prefix: the part's key with a dot at the end.

    Raises:
        InputError: there is such a key.
    """
    known = [item.name for item in fields(node)]
    for key, value in vars(node).items():
        if key not in known:
            raise InputError(f"config: {prefix}{key} is no key of the config; there are {', '.join(known)}")
        if is_dataclass(value):
            refuse_unknown(value, f"{prefix}{key}.")


def _held(config: Config, keys: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """Yield each key that the config has, with its value; a key of another kind of model is not there."""
    for key in keys:
        group, _, name = key.partition(".")
        if group != "model" or hasattr(config.model, name):
            yield key, attrgetter(key)(config)
