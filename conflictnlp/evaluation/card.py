"""The model card: what a bundle is, how it was made and how far to trust it."""

from __future__ import annotations

from typing import Any

from conflictnlp.bundle import ONNX, Manifest
from conflictnlp.data.check import FAULTS, LEAKS, DataReport
from conflictnlp.evaluation.report import Evaluation

# What a hub calls the library that opens a bundle's weights, by the kind of its estimator.
LIBRARY_NAMES = {"tfidf": "sklearn", "transformer": "transformers", ONNX: "onnx"}


def model_card(
    manifest: Manifest,
    evaluation: Evaluation,
    report: DataReport,
    data: dict[str, str],
    config: dict[str, Any],
    split: str = "test",
) -> str:
    """Write a model card in Markdown, with the front matter that hubs read.

    Args:
        manifest: the bundle's.
        evaluation: on the split that was scored last.
        report: what the data checks found and dropped.
        data: name, description and terms of the data.
        config: the composed config.
        split: the name of that split.

    Returns:
        Markdown.
    """
    task = manifest.task
    library = LIBRARY_NAMES[manifest.estimator["kind"]]
    front = ["---", "language: en", f"library_name: {library}", "pipeline_tag: text-classification", "tags:"]
    front += [f"- {tag}" for tag in ("conflictnlp", "armed-conflict", task.name)]
    base = manifest.training.get("base_model")
    if base and "/" in base and not base.startswith(("/", ".")):
        front.append(f"base_model: {base}")
    lines = [*front, "---", "", f"# {config['model']['name']} for {task.name}", "", task.description, ""]
    lines += ["## Labels", "", task.codebook]
    if task.spans:
        lines += ["", f"A text is read for one {' and '.join(task.spans)}, marked at every mention."]
    lines += ["", "## Training data", "", f"`{data['name']}`: {data['description'] or 'the user’s own files.'}"]
    if data["terms"]:
        lines.append(f"Terms: {data['terms']}.")
    lines += ["", "| split | rows | labels |", "|---|---|---|"]
    for name, rows in report.rows.items():
        counts = ", ".join(f"{label} {n}" for label, n in report.labels[name].items())
        lines.append(f"| {name} | {rows} | {counts} |")
    titles = {**FAULTS, **LEAKS}
    for name, kinds in report.dropped.items():
        lines.append(f"\nDropped from {name}: " + ", ".join(f"{titles[k]} ({n})" for k, n in kinds.items()) + ".")
    scope = "intervals are 95% bootstrap intervals over groups or texts and do not cover the choice of seed."
    lines += ["", f"## Scores on the {split} split", "", f"One seed ({config['seed']}); {scope}"]
    lines += ["", "```", evaluation.to_text(), "```", ""]
    lines += ["## How it was made", "", f"- base model: {base or 'none (TF-IDF and logistic regression)'}"]
    lines += [f"- temperature {manifest.temperature:.3f}" + _thresholds(manifest)]
    lines += [f"- {name} {version}" for name, version in manifest.libraries.items()]
    lines += ["", "## Use", "", "```python", "import conflictnlp", 'model = conflictnlp.load("<this folder>")']
    marks = "".join(f', {role}="…"' for role in task.spans if role not in task.optional_spans)
    lines += [f"model.predict(text{marks})", "```", ""]
    return "\n".join(lines)


def _thresholds(manifest: Manifest) -> str:
    if not manifest.thresholds:
        return ""
    return ", thresholds " + ", ".join(f"{label} {value:.2f}" for label, value in manifest.thresholds.items())
