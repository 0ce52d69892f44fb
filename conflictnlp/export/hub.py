"""A bundle as the folder that a model hub takes: transformers reads it, and so does conflictnlp."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conflictnlp.bundle import CARD, MANIFEST, METRICS, Manifest
from conflictnlp.files import atomic_folder
from conflictnlp.inference.model import Model
from conflictnlp.models.pooling import reads_mean

# A hub's word for a licence that is none of its list.
OTHER = "other"


def export_hub(source: Model, target: Path, license: str = OTHER) -> None:
    """Write the folder to push.

    Args:
        source: a trained encoder.
        target: the folder.
        license: a hub's identifier, for instance apache-2.0.
    """
    manifest = source.manifest
    with atomic_folder(target) as temporary:
        for name in [*manifest.files, MANIFEST, METRICS]:
            if (source.folder / name).is_file():
                shutil.copyfile(source.folder / name, temporary / name)
        card = source.folder / CARD
        body = _without_front(card.read_text(encoding="utf-8")) if card.is_file() else f"# {manifest.task.name}\n"
        text = f"---\n{_front(manifest, _metrics(source.folder), license)}\n---\n\n{body.strip()}\n\n{_use(manifest)}"
        (temporary / CARD).write_text(text, encoding="utf-8")


def _metrics(folder: Path) -> Mapping[str, Any]:
    path = folder / METRICS
    return json.loads(path.read_text(encoding="utf-8"))["metrics"] if path.is_file() else {}


def _front(manifest: Manifest, metrics: Mapping[str, Any], license: str) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    data = manifest.training.get("data") or "unknown"
    base = manifest.training.get("base_model")
    named = {"test/macro_f1": ("f1", "macro-F1"), "test/accuracy": ("accuracy", "accuracy")}
    results = [
        EvalResult(
            task_type="text-classification",
            task_name=manifest.task.name,
            dataset_type=data,
            dataset_name=data,
            dataset_split="test",
            metric_type=kind,
            metric_name=told,
            metric_value=metrics[key],
        )
        for key, (kind, told) in named.items()
        if key in metrics
    ]
    front = ModelCardData(
        language="en",
        license=license,
        license_name="see-the-base-model-and-the-data" if license == OTHER else None,
        library_name="transformers",
        pipeline_tag="text-classification",
        tags=["conflictnlp", "armed-conflict", manifest.task.name],
        base_model=base if base and base.count("/") == 1 and not base.startswith(("/", ".")) else None,
        datasets=[data],
        metrics=sorted({result.metric_type for result in results}) or None,
        model_name=f"{manifest.task.name}-{data}" if results else None,
        eval_results=results or None,
    )
    return front.to_yaml()


def _without_front(card: str) -> str:
    if not card.startswith("---\n"):
        return card
    return card.partition("\n---\n")[2]


def _use(manifest: Manifest) -> str:
    parameters = manifest.estimator["parameters"]
    marks = ""
    if manifest.task.spans:
        marks = "\n\nA text must bear the marks that the model was trained with; conflictnlp sets them."
    if reads_mean(parameters.get("pooling", "first"), manifest.task.spans):
        read = "the marked words" if manifest.task.spans else "all tokens"
        marks += (
            f" The head was trained on the mean of {read}; transformers gives it the first token, so its answers are "
            "others than those of conflictnlp."
        )
    applied = "the thresholds and the temperature" if manifest.task.is_multi else "the temperature"
    return (
        "## Use with transformers alone\n\n```python\nfrom transformers import pipeline\n\n"
        'classify = pipeline("text-classification", model="<this folder>")\n'
        f"classify(text, truncation=True, max_length={parameters['max_length']}, top_k=None)\n```\n\n"
        "So used, the text is cut where one window ends, and "
        f"{applied} of the manifest are not applied; conflictnlp reads the whole text and applies them.{marks}\n"
    )
