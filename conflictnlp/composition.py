"""Where configs are composed, rebuilt and checked; the schema they fit is in `config`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from datetime import date
from importlib import resources
from operator import attrgetter
from typing import Any

from conflictnlp.config import (
    Config,
    EvaluationConfig,
    LearningCurveConfig,
    ModelConfig,
    PretrainConfig,
    TfidfConfig,
    TransformerConfig,
)
from conflictnlp.errors import InputError
from conflictnlp.task import Task

CONFIG_MODULE = "conflictnlp.conf"
_MODEL_KINDS: dict[str, type[ModelConfig]] = {"tfidf": TfidfConfig, "transformer": TransformerConfig}
_CHOICES = {
    "data.on_leak": ("error", "drop_train", "keep"),
    "data.on_fault": ("error", "drop", "keep"),
    "data.split.method": ("group", "date", "stratified"),
    "evaluation.folds_over": ("train", "all"),
    "model.pooling": ("first", "marks"),
    "trainer.loss": ("cross_entropy", "focal"),
    "trainer.class_weights": (None, "balanced"),
    "trainer.precision": ("auto", "float32", "bfloat16"),
    "trainer.schedule": ("linear", "cosine", "constant", "constant_with_warmup"),
    "trainer.metric": ("macro_f1", "accuracy", "loss"),
}
_POSITIVE = (
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
# Lines of Hydra's and OmegaConf's messages that tell a user nothing.
_NOISE = ("full_key:", "object_type=", "reference_type=", "Config search path", "provider=", "See http")


def register() -> None:
    """Tell Hydra the schemas; called once before any composition."""
    import os

    from hydra.core.config_store import ConfigStore
    from omegaconf import OmegaConf

    OmegaConf.register_new_resolver("conflictnlp_pid", os.getpid, replace=True)
    store = ConfigStore.instance()
    store.store(name="schema", node=Config)
    store.store(group="model", name="schema_tfidf", node=TfidfConfig)
    store.store(group="model", name="schema_transformer", node=TransformerConfig)


def to_config(node: Any) -> Config:
    """Turn Hydra's composed node into plain dataclasses and check what types cannot say.

    Args:
        node: the composed DictConfig.

    Returns:
        the config; nothing below the commands sees OmegaConf.

    Raises:
        InputError: a value is missing, not among its choices, or out of its range.
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        config = OmegaConf.to_object(node)
    except OmegaConfBaseException as error:
        raise InputError(f"config: {_first_line(error)}") from error
    assert isinstance(config, Config)
    _refuse_unknown(config, "")
    _check(config)
    return config


def from_dict(values: dict[str, Any]) -> Config:
    """Rebuild a config from the plain mapping that a run stores.

    Args:
        values: the stored mapping; the model's schema is chosen by its `kind`.

    Returns:
        the config.

    Raises:
        InputError: the mapping does not fit this version's schema.
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    kind = (values.get("model") or {}).get("kind")
    if kind not in _MODEL_KINDS:
        raise InputError(f"config: model.kind={kind!r} is unknown; kinds are {sorted(_MODEL_KINDS)}")
    try:
        schema = OmegaConf.structured(Config(model=_MODEL_KINDS[kind]()))
        return to_config(OmegaConf.merge(schema, values))
    except OmegaConfBaseException as error:
        raise InputError(f"config: the stored config does not fit this version: {_first_line(error)}") from error


def compose(overrides: Sequence[str]) -> tuple[Config, Any]:
    """Compose a config as `conflictnlp train` would, without starting a Hydra application.

    Args:
        overrides: Hydra's words, for instance `["task=topic", "model=tfidf"]`.

    Returns:
        the config and Hydra's own node (with `hydra.run.dir`).

    Raises:
        InputError: an override is malformed, mistyped or names a group that does not exist.
    """
    node, hydra_node = compose_node(overrides)
    try:
        return to_config(node), hydra_node
    except Exception as error:
        raise translate(error) from error


def compose_node(overrides: Sequence[str]) -> tuple[Any, Any]:
    """Compose a config and leave its interpolations as they are.

    Args:
        overrides: Hydra's words.

    Returns:
        the config's node and Hydra's own.

    Raises:
        InputError: as `compose`.
    """
    from hydra import compose as hydra_compose
    from hydra import initialize_config_module
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import open_dict

    register()
    try:
        with initialize_config_module(config_module=CONFIG_MODULE, version_base="1.3"):
            node = hydra_compose("config", overrides=list(overrides), return_hydra_config=True)
            HydraConfig.instance().set_config(node)
            hydra_node = node.hydra
            with open_dict(node):
                del node["hydra"]
            return node, hydra_node
    except Exception as error:
        raise translate(error) from error


def translate(error: Exception) -> Exception:
    """Return an InputError with one clear line for Hydra's and OmegaConf's own errors; others unchanged."""
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    # Hydra raises a bare ValueError for `task=null`.
    known = isinstance(error, HydraException | OmegaConfBaseException) or "Config group override" in str(error)
    if isinstance(error, InputError) or not known:
        return error
    lines = [line.strip() for line in str(error).splitlines() if line.strip(" ^")]
    cause = error.__cause__
    if isinstance(cause, OmegaConfBaseException) and str(cause).splitlines()[0].strip() not in lines:
        lines.append(str(cause).splitlines()[0].strip())
    if not any("not in struct" in line for line in lines):
        # Only a mapping takes new keys; one appended to a schema would be refused.
        lines = [line for line in lines if not line.startswith("To append to your")]
    text = "; ".join(line.rstrip(".;") for line in lines if not line.startswith(_NOISE)).replace(":; ", ": ")
    if "Got NoneType" in text:
        text += "; a group=null leaves nothing to run, name one of its options"
    if "hydra/launcher/" in text:
        text += "; the launchers joblib and submitit come with the extra: pip install 'conflictnlp[cluster]'"
    if "LabelConfig" in text:
        text += "; a label is written {name: ..., definition: ...}, best in a task file"
    return InputError(f"config: {text} (`conflictnlp train --cfg job` shows every key, `--help` every group)")


def shipped(group: str) -> dict[str, dict[str, Any]]:
    """Return the shipped configs of a group as plain mappings by name, for messages that list what fits."""
    from omegaconf import OmegaConf

    found: dict[str, dict[str, Any]] = {}
    for entry in sorted(resources.files(CONFIG_MODULE).joinpath(group).iterdir(), key=lambda item: item.name):
        if entry.name.endswith(".yaml"):
            node = OmegaConf.create(entry.read_text(encoding="utf-8"))
            values = OmegaConf.to_container(node, resolve=False)
            assert isinstance(values, dict)
            found[entry.name.removesuffix(".yaml")] = {str(key): value for key, value in values.items()}
    return found


def load_task(name: str) -> Task:
    """Return a shipped task by name, without composing a whole config.

    Args:
        name: a file of conf/task.

    Returns:
        the task.

    Raises:
        InputError: no task of that name ships with the package.
    """
    tasks = shipped("task")
    if name not in tasks:
        raise InputError(f"task={name!r} is unknown; tasks are {', '.join(tasks)}")
    return Task.from_dict({"name": name, **tasks[name]})


def _check(config: Config) -> None:
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


def _refuse_unknown(node: Any, prefix: str) -> None:
    """Refuse keys that no schema declares; `+key=value` sets them, and nothing would read them."""
    known = [item.name for item in fields(node)]
    for key, value in vars(node).items():
        if key not in known:
            raise InputError(f"config: {prefix}{key} is no key of the config; there are {', '.join(known)}")
        if is_dataclass(value):
            _refuse_unknown(value, f"{prefix}{key}.")


def _held(config: Config, keys: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """Yield each key that the config has, with its value; a key of another kind of model is not there."""
    for key in keys:
        group, _, name = key.partition(".")
        if group != "model" or hasattr(config.model, name):
            yield key, attrgetter(key)(config)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
