"""The schema of every config group, as plain dataclasses."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from conflictnlp.task import Task


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
    finds_actors: bool = False
    coarser: dict[str, dict[str, list[str]]] = field(default_factory=dict)


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
    extra: list[str] = field(default_factory=list)
    extra_before: str | None = None
    auxiliary: list[str] = field(default_factory=list)
    auxiliary_limit: int | None = 5000
    no_actors: list[str] = field(default_factory=list)
    parties: list[str] = field(default_factory=list)
    columns: ColumnsConfig = field(default_factory=ColumnsConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    limit: int | None = None
    share: float = 1.0
    share_seed: int = 1
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
    mask: str | None = None
    pooling: str = "marks"
    renamed_copies: int = 0
    learning_rate: float = 2e-4
    freeze_embeddings: bool = False
    lora_rank: int | None = None
    lora_alpha: float = 32.0
    lora_dropout: float = 0.05
    lora_targets: str = "all-linear"


@dataclass
class TrainerConfig:
    """conf/trainer: how an encoder is fine-tuned; `epochs: null` chooses by the size of the data."""

    epochs: float | None = None
    examples_seen: int | None = None
    min_epochs: int = 2
    max_epochs: int = 20
    finish_epochs: float = 0.0
    finish_rate: float = 0.25
    max_steps: int = -1
    batch_size: int | None = None
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
    layer_decay: float = 1.0
    r_drop: float = 0.0
    adversarial: float = 0.0
    dropout_samples: int = 1
    auxiliary_epochs: float = 2.0
    contrastive_epochs: float = 0.0
    average_last: int = 1
    metric: str = "macro_f1"
    patience: int | None = 4
    precision: str = "auto"
    gradient_checkpointing: bool = False


@dataclass
class TaggerConfig:
    """conf/tagger: how actors are found in texts that nobody has marked, for tasks with `finds_actors`."""

    train: bool = True
    max_length: int = 128
    learning_rate: float = 3e-4
    epochs: float | None = None
    examples_seen: int = 4_000
    seed: int = 1


@dataclass
class EvaluationConfig:
    """conf/evaluation: intervals and pictures; whether the test is scored; cross-validation."""

    bootstrap: int = 1000
    confidence: float = 0.95
    bins: int = 10
    plots: bool = True
    test: bool = True
    folds: int | None = None
    fold: int | None = None
    folds_over: str = "train"


@dataclass
class SearchConfig:
    """conf/search: what `conflictnlp search` varies, and for how long."""

    trials: int = 20
    timeout: float | None = None
    workers: int = 1
    startup_trials: int = 8
    prune: bool = True
    space: dict[str, Any] = field(default_factory=dict)


@dataclass
class LearningCurveConfig:
    """conf/learning_curve: which shares of the training rows `conflictnlp learning-curve` trains on, how often."""

    shares: list[float] = field(default_factory=lambda: [0.1, 0.2, 0.4, 0.7, 1.0])
    seeds: list[int] = field(default_factory=lambda: [1, 2, 3])
    target: float | None = None
    resamples: int = 500


@dataclass
class PretrainConfig:
    """conf/pretrain: which texts `conflictnlp pretrain` reads, and how."""

    texts: list[str] = field(default_factory=list)
    before: str | None = None
    exclude: list[str] | None = None
    epochs: float = 3.0
    max_steps: int = -1
    mask_share: float = 0.15
    learning_rate: float = 1e-4
    weight_decay: float = 0.01
    warmup: float = 0.06
    batch_size: int = 32
    max_length: int = 128
    validation: float = 0.05
    save_steps: int = 200


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
    tagger: TaggerConfig = field(default_factory=TaggerConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    search: SearchConfig = field(default_factory=SearchConfig)
    learning_curve: LearningCurveConfig = field(default_factory=LearningCurveConfig)
    pretrain: PretrainConfig = field(default_factory=PretrainConfig)
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
        """The run's name in MLflow: `<model>-<data>-s<seed>` unless `name` is set; of one fold, with its number."""
        fold = f"-fold{self.evaluation.fold}" if self.evaluation.fold else ""
        return (self.name or f"{self.model.name}-{self.data.name}-s{self.seed}") + fold

    def identity(self) -> dict[str, Any]:
        """Return what makes two runs the same experiment: all but where and how the run is carried out."""
        values = asdict(self)
        for key in ("resume", "resume_run", "name", "tracking", "threads", "search", "learning_curve", "pretrain"):
            values.pop(key)
        return values
