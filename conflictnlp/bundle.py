"""A trained model as a folder: saved whole, verified before anything in it is read, loaded without pickle."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from conflictnlp.bundle_checks import check_configs, check_parameters
from conflictnlp.data.lineage import LEARNT, write_learnt
from conflictnlp.errors import BundleError
from conflictnlp.files import atomic_folder, sha256_file, sha256_json, share, write_json, write_text
from conflictnlp.task import Task

if TYPE_CHECKING:
    from conflictnlp.models.base import TextClassifier

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
METRICS = "metrics.json"
CARD = "README.md"
# The kind of a bundle that was exported: it is scored, not trained any further.
ONNX = "onnx"
_LIBRARIES = ("conflictnlp", "numpy", "scikit-learn", "skops", "tokenizers", "torch", "transformers")
# What a bundle may hold; everything else (pickles, code, archives) is refused unread.
_ALLOWED_NAMES = frozenset(
    {MANIFEST, METRICS, CARD, "config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"}
    | {LEARNT, "vocab.txt", "vocab.json", "merges.txt", "added_tokens.json", "chat_template.jinja"}
    | {"model.safetensors", "model.skops", "model.onnx", "tagger.safetensors", "tagger.onnx", "tagger.json"}
)
_LARGEST = {
    "manifest.json": 1 << 22,
    "tagger.json": 1 << 22,
    "config.json": 1 << 22,
    "tokenizer.json": 1 << 28,
    **dict.fromkeys(("vocab.txt", "vocab.json", "merges.txt", "added_tokens.json"), 1 << 26),
    **dict.fromkeys(("tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja"), 1 << 24),
    "model.skops": 1 << 31,
    LEARNT: 1 << 30,
    "model.onnx": 1 << 31,
    "tagger.onnx": 1 << 31,
    METRICS: 1 << 24,
    CARD: 1 << 24,
}
# Parameters of an estimator that say how it was trained on one machine, not how it scores.
_NOT_STORED = frozenset({"labels", "multi", "spans", "checkpoints", "resume", "log", "device"})


@dataclass(frozen=True)
class Manifest:
    """What a bundle says of itself.

    Attributes:
        task: labels in order with their definitions, and the marked spans.
        estimator: kind and parameters (window length and overlap among them).
        temperature: divides the pooled logits.
        thresholds: for multi-label, the probability from which each label counts, by label.
        training: base model, seed, data name and fingerprints, run id, what was dropped.
        libraries: versions at the time of saving.
        files: SHA-256 of each file but the manifest, the metrics and the card.
        export: of an exported bundle: what it was made from and how far its answers agree with that.
        format_version: of this layout.
    """

    task: Task
    estimator: dict[str, Any]
    temperature: float = 1.0
    thresholds: dict[str, float] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    libraries: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    export: dict[str, Any] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION

    @property
    def fingerprint(self) -> str:
        """64 hex digits that name this model: manifest and weights, not its metrics or card."""
        return sha256_json(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        values = {**self.__dict__, "task": self.task.to_dict()}
        if not self.export:
            del values["export"]
        return values


class Tagger(Protocol):
    """What a bundle needs of a tagger of actors."""

    def save(self, folder: Path) -> None:
        """Write its files."""


def save_bundle(
    folder: Path,
    estimator: TextClassifier,
    task: Task,
    temperature: float = 1.0,
    thresholds: Mapping[str, float] | None = None,
    training: Mapping[str, Any] | None = None,
    tagger: Tagger | None = None,
    learnt: Iterable[bytes] | None = None,
) -> Manifest:
    """Write a fitted estimator as a bundle, to a temporary folder that is then renamed.

    Args:
        folder: where it shall lie; an older bundle there is replaced.
        estimator: fitted.
        task: what it was trained for.
        temperature: found on validation.
        thresholds: for multi-label, found on validation.
        training: facts on data, base model and run for the manifest.
        tagger: finds actors in texts that nobody has marked, fitted; it reads with the estimator's tokenizer.
        learnt: hashes of the texts that the model has seen, see `data.lineage`; None where nobody knows.

    Returns:
        the manifest that was written.
    """
    parameters = {k: v for k, v in estimator.get_params(deep=False).items() if k not in _NOT_STORED}
    kind = next(kind for kind, name in _KINDS.items() if name[1] == type(estimator).__name__)
    with atomic_folder(folder) as temporary:
        estimator.save(temporary)
        if tagger is not None:
            tagger.save(temporary)
        if learnt is not None:
            write_learnt(temporary, learnt)
        manifest = Manifest(
            task=task,
            estimator={"kind": kind, "parameters": parameters},
            temperature=temperature,
            thresholds=dict(thresholds or {}),
            training=dict(training or {}),
            libraries=versions(_LIBRARIES),
        )
        return seal(temporary, manifest)


def seal(folder: Path, manifest: Manifest) -> Manifest:
    """Write the manifest of the weights and tokenizer that lie in a folder.

    Args:
        folder: holds them and nothing else, or an older manifest of them.
        manifest: all but the files' digests.

    Returns:
        the manifest with them.
    """
    for path in folder.iterdir():
        # safetensors writes files that only their owner may read.
        share(path)
    files = {path.name: sha256_file(path) for path in sorted(folder.iterdir()) if path.name != MANIFEST}
    sealed = replace(manifest, files=files)
    write_json(folder / MANIFEST, sealed.to_dict())
    return sealed


def add_to_bundle(folder: Path, metrics: Mapping[str, Any], card: str) -> None:
    """Write what is known only after scoring: `metrics.json` and the model card.

    Args:
        folder: the bundle.
        metrics: final metrics.
        card: Markdown.
    """
    write_json(folder / METRICS, dict(metrics))
    write_text(folder / CARD, card)


def read_manifest(folder: Path) -> Manifest:
    """Read and verify a bundle's manifest and the files it names, without loading any weights.

    Args:
        folder: the bundle.

    Returns:
        the manifest.

    Raises:
        BundleError: no bundle, a newer format, a damaged or unsafe file.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise BundleError(f"{folder}: not a bundle (no {MANIFEST})")
    _check_names(folder)
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        version = values["format_version"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BundleError(f"{path}: damaged ({error}); train or download the bundle again") from error
    if type(version) is not int or version < 1:
        raise BundleError(f"{path}: damaged (format_version {version!r}); train or download the bundle again")
    if version > FORMAT_VERSION:
        raise BundleError(
            f"{path}: format {version} is newer than {FORMAT_VERSION}, which this version of conflictnlp reads; "
            "upgrade it: pip install --upgrade conflictnlp"
        )
    try:
        manifest = Manifest(**{**values, "task": Task.from_dict(values["task"])})
        _check_values(manifest)
    except (ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{path}: damaged ({error}); train or download the bundle again") from error
    for name, digest in manifest.files.items():
        if name not in _ALLOWED_NAMES:
            raise BundleError(f"{path}: names {name!r}, which no bundle may hold")
        if not (folder / name).is_file():
            raise BundleError(f"{folder / name}: missing; the bundle is damaged")
        if sha256_file(folder / name) != digest:
            raise BundleError(f"{folder / name}: its content is not what the manifest says; the bundle is damaged")
    for path in folder.iterdir():
        if path.name not in {MANIFEST, METRICS, CARD, *manifest.files}:
            raise BundleError(f"{path}: not among the files that the manifest names; nothing was loaded")
    check_configs(folder, (MANIFEST, "config.json", "tokenizer_config.json", "tagger.json"))
    return manifest


def load_estimator(folder: Path, manifest: Manifest, device: str = "auto") -> TextClassifier:
    """Build the estimator and read its weights.

    Args:
        folder: the bundle.
        manifest: as `read_manifest` returned it.
        device: where a transformer computes.

    Returns:
        the estimator, ready to score.

    Raises:
        BundleError: the parameters or weights do not fit this version.
    """
    import importlib

    module, name = _KINDS[manifest.estimator["kind"]]
    estimator_class = getattr(importlib.import_module(module), name)
    known = inspect.signature(estimator_class).parameters
    parameters = {k: v for k, v in manifest.estimator["parameters"].items() if k in known and k not in _NOT_STORED}
    if "device" in known:
        parameters["device"] = device
    task = manifest.task
    estimator = estimator_class(labels=task.label_names, multi=task.is_multi, spans=task.spans, **parameters)
    return estimator.load_weights(folder)


_KINDS: dict[str, tuple[str, str]] = {
    "tfidf": ("conflictnlp.models.tfidf", "TfidfClassifier"),
    "transformer": ("conflictnlp.models.transformer", "TransformerClassifier"),
}


def versions(names: Iterable[str]) -> dict[str, str]:
    """Return the installed versions of libraries; those that are not installed are left out."""
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _check_values(manifest: Manifest) -> None:
    parts = [
        getattr(manifest, name) for name in ("estimator", "thresholds", "training", "libraries", "files", "export")
    ]
    if not all(isinstance(part, dict) for part in [*parts, manifest.estimator["parameters"]]):
        raise ValueError("not a mapping where one is needed")
    if manifest.estimator["kind"] not in {*_KINDS, ONNX} or not manifest.files:
        raise ValueError("no known estimator or no files")
    check_parameters(manifest.estimator["parameters"])
    # Half a character (a lone surrogate) can be read as JSON, but has no bytes: it is refused here.
    sha256_json(manifest.to_dict())
    if not 0 < manifest.temperature < float("inf"):
        raise ValueError(f"temperature {manifest.temperature}")
    if not all(0 <= threshold <= 1 for threshold in manifest.thresholds.values()):
        raise ValueError(f"thresholds {manifest.thresholds}")


def _check_names(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_symlink() or not path.is_file() or path.name not in _ALLOWED_NAMES:
            raise BundleError(f"{path}: a bundle may hold only plain files of known names; nothing was loaded")
        if path.stat().st_size > _LARGEST.get(path.name, 1 << 34):
            raise BundleError(f"{path}: {path.stat().st_size} bytes is beyond what such a file can need")
