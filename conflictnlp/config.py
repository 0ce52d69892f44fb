"""The schema of every config group, and the one place where configs are composed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from importlib import resources
from typing import Any

from conflictnlp.errors import InputError
from conflictnlp.task import Task

CONFIG_MODULE = "conflictnlp.conf"


@dataclass
class LabelConfig:
    """A label and its definition."""

    name: str = "???"
    definition: str = ""


@dataclass
class TaskConfig:
    """conf/task: what is to be learnt."""

    name: str = "???"
    kind: str = "single"
    description: str = ""
    labels: list[LabelConfig] = field(default_factory=list)
    spans: list[str] = field(default_factory=list)
    optional_spans: list[str] = field(default_factory=list)
    background: str | None = None
    names_matter: bool = True


@dataclass
class ColumnsConfig:
    """Names of the columns that hold each field; an optional column may be missing from the file."""

    text: str = "text"
    label: str | None = None
    title: str = "title"
    id: str = "id"
    date: str = "date"
    group: str = "group"
    split: str = "split"
    actor: str = "actor"
    start: str = "start"
    end: str = "end"
    source: str = "source"
    source_start: str = "source_start"
    source_end: str = "source_end"
    target: str = "target"
    target_start: str = "target_start"
    target_end: str = "target_end"


@dataclass
class SplitConfig:
    """How the splits that are not given are made."""

    method: str = "group"
    validation: float = 0.1
    test: float = 0.2
    seed: int = 1


@dataclass
class DataConfig:
    """conf/data: where the examples lie and what is done about faults in them."""

    name: str = "files"
    description: str = ""
    terms: str = ""
    tasks: dict[str, str] = field(default_factory=dict)
    root: str | None = None
    train: Any = None
    validation: Any = None
    test: Any = None
    columns: ColumnsConfig = field(default_factory=ColumnsConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    limit: int | None = None
    limit_test: int | None = None
    on_leak: str = "error"
    on_fault: str = "error"
    near_duplicate: float = 0.9
    long_words: int = 2000


@dataclass
class ModelConfig:
    """conf/model: what learns; `kind` names the estimator."""

    kind: str = "???"
    name: str = "???"


@dataclass
class TfidfConfig(ModelConfig):
    """TF-IDF n-grams into logistic regression."""

    kind: str = "tfidf"
    name: str = "tfidf"
    word_ngrams: int = 2
    char_ngrams: int = 5
    max_features: int = 200_000
    min_df: int = 1
    surroundings: int = 8
    C: float = 10.0
    class_weight: str | None = "balanced"
    max_iter: int = 1000


@dataclass
class TransformerConfig(ModelConfig):
    """An encoder with a classification head, fine-tuned."""

    kind: str = "transformer"
    name: str = "???"
    encoder: str = "???"
    revision: str | None = None
    max_length: int = 256
    overlap: int = 32
    split_length: int | None = None
    renamed_copies: int = 0
    learning_rate: float = 2e-4
    freeze_embeddings: bool = False


@dataclass
class TrainerConfig:
    """conf/trainer: how an encoder is fine-tuned; `epochs: null` chooses by the size of the data."""

    epochs: float | None = None
    examples_seen: int = 20_000
    min_epochs: int = 2
    max_epochs: int = 20
    max_steps: int = -1
    batch_size: int = 32
    eval_batch_size: int = 64
    gradient_accumulation: int = 1
    weight_decay: float = 0.01
    warmup: float = 0.1
    schedule: str = "linear"
    max_grad_norm: float = 1.0
    loss: str = "cross_entropy"
    focal_gamma: float = 2.0
    class_weights: str | None = None
    label_smoothing: float = 0.0
    metric: str = "macro_f1"
    patience: int | None = 4
    precision: str = "auto"
    gradient_checkpointing: bool = False


@dataclass
class EvaluationConfig:
    """conf/evaluation: intervals and pictures."""

    bootstrap: int = 1000
    confidence: float = 0.95
    bins: int = 10
    plots: bool = True


@dataclass
class TrackingConfig:
    """conf/tracking: where runs are recorded; `uri: null` takes MLFLOW_TRACKING_URI or ./mlflow.db."""

    uri: str | None = None
    experiment: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Config:
    """A whole experiment: what `train` runs, what every run stores, what `rerun` repeats."""

    task: TaskConfig = field(default_factory=TaskConfig)
    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    seed: int = 1
    device: str = "auto"
    threads: int | None = None
    name: str | None = None
    resume: bool = False
    resume_run: str | None = None

    def to_task(self) -> Task:
        """Return the task that this config declares."""
        return Task.from_dict(asdict(self.task))

    @property
    def run_name(self) -> str:
        """The run's name in MLflow: `<model>-<data>-s<seed>` unless `name` is set."""
        return self.name or f"{self.model.name}-{self.data.name}-s{self.seed}"

    def identity(self) -> dict[str, Any]:
        """Return what makes two runs the same experiment: all but where and how the run is carried out."""
        values = asdict(self)
        for key in ("resume", "resume_run", "name", "tracking", "threads"):
            values.pop(key)
        return values


_MODEL_KINDS: dict[str, type[ModelConfig]] = {"tfidf": TfidfConfig, "transformer": TransformerConfig}
_CHOICES = {
    "data.on_leak": ("error", "drop_train", "keep"),
    "data.on_fault": ("error", "drop", "keep"),
    "data.split.method": ("group", "date", "stratified"),
    "trainer.loss": ("cross_entropy", "focal"),
    "trainer.class_weights": (None, "balanced"),
    "trainer.precision": ("auto", "float32", "bfloat16"),
    "trainer.schedule": ("linear", "cosine", "constant", "constant_with_warmup"),
    "trainer.metric": ("macro_f1", "accuracy", "loss"),
}
_POSITIVE = (
    "data.limit",
    "data.limit_test",
    "data.long_words",
    "data.near_duplicate",
    "threads",
    "trainer.batch_size",
    "trainer.eval_batch_size",
    "trainer.epochs",
    "trainer.gradient_accumulation",
    "trainer.examples_seen",
    "evaluation.bins",
    "model.learning_rate",
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
    "evaluation.bootstrap",
    "trainer.weight_decay",
    "trainer.max_grad_norm",
    "trainer.warmup",
    "trainer.label_smoothing",
    "model.overlap",
    "model.renamed_copies",
    "model.word_ngrams",
    "model.char_ngrams",
    "model.surroundings",
)
_SHARES = ("data.split.validation", "data.split.test", "evaluation.confidence")
# What seeds the generators of numpy and torch alike.
_LARGEST_SEED = 2**32 - 1


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
            return to_config(node), hydra_node
    except Exception as error:
        raise translate(error) from error


# Lines of Hydra's and OmegaConf's messages that tell a user nothing.
_NOISE = ("full_key:", "object_type=", "reference_type=", "Config search path", "provider=", "See http")


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
    for key, choices in _CHOICES.items():
        value = _lookup(config, key)
        if value not in choices:
            raise InputError(f"{key}={value}: must be one of {', '.join(str(choice) for choice in choices)}")
    # Written so that NaN, which compares false, is refused too.
    for key in _POSITIVE:
        value = _lookup(config, key)
        if value is not None and not value > 0:
            raise InputError(f"{key}={value}: must be above zero")
    for key in _NOT_NEGATIVE:
        value = _lookup(config, key)
        if value is not None and not value >= 0:
            raise InputError(f"{key}={value}: must be zero or above")
    for key in _SHARES:
        if not 0 < _lookup(config, key) < 1:
            raise InputError(f"{key}={_lookup(config, key)}: must be a share between 0 and 1")
    if config.data.near_duplicate > 1:
        raise InputError(f"data.near_duplicate={config.data.near_duplicate}: is a similarity, at most 1")
    for key in ("seed", "data.split.seed"):
        if _lookup(config, key) > _LARGEST_SEED:
            raise InputError(f"{key}={_lookup(config, key)}: must be at most {_LARGEST_SEED}")
    config.to_task()
    if config.resume_run is not None:
        config.resume = True


def _refuse_unknown(node: Any, prefix: str) -> None:
    """Refuse keys that no schema declares; `+key=value` sets them, and nothing would read them."""
    known = [item.name for item in fields(node)]
    for key, value in vars(node).items():
        if key not in known:
            raise InputError(f"config: {prefix}{key} is no key of the config; there are {', '.join(known)}")
        if is_dataclass(value):
            _refuse_unknown(value, f"{prefix}{key}.")


def _lookup(config: Config, key: str) -> Any:
    value: Any = config
    for part in key.split("."):
        # A key of another kind of model is not there.
        value = getattr(value, part, None)
    return value


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
