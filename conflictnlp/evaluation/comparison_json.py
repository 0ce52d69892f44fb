"""A comparison as plain JSON values, and its disagreements as files to read."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from conflictnlp.evaluation.comparison import Estimate
from conflictnlp.evaluation.comparison_report import COVERS, QUESTIONS, TESTS, Comparison, Difference, Score
from conflictnlp.files import atomic_path, open_text, write_text


def to_dict(comparison: Comparison) -> dict[str, Any]:
    """Return plain JSON values, with both questions under their names."""
    outcome = comparison.contestants[0].predictions.outcome
    by_id = {contestant.run_id: contestant for contestant in comparison.contestants}
    runs = [
        {"run_id": score.runs[0], "configuration": by_id[score.runs[0]].configuration}
        | {"seed": by_id[score.runs[0]].seed}
        | _score_dict(comparison, score)
        for score in comparison.models
    ]
    configurations = [
        {
            "runs": list(score.runs),
            "seed_values": [by_id[run].seed for run in score.runs],
            "sd_over_seeds": score.spread,
        }
        | _score_dict(comparison, score)
        for score in comparison.configurations
    ]
    questions = {
        name.replace(" ", "_"): {
            "question": QUESTIONS[name],
            "test": TESTS[name],
            "intervals": COVERS[name],
            "why_not": comparison.why_not(name),
            "correction": f"Holm over {sum(d.p is not None for d in comparison.differences[name])} comparisons",
            "pairs": [_difference_dict(comparison, difference) for difference in comparison.differences[name]],
        }
        for name in QUESTIONS
    }
    return {
        "test_rows": len(outcome.gold),
        "test_groups": len(set(outcome.clusters)),
        "labels": {label: cases for _, label, cases in comparison.labels},
        "resamples": comparison.resamples,
        "level": comparison.level,
        "models": runs,
        "configurations": configurations,
        **questions,
        "disagreements": len(comparison.disagreements),
        "notes": comparison.notes,
    }


def write_disagreements(cases: Sequence[dict[str, Any]], folder: Path) -> None:
    """Write the rows on which models part as disagreements.jsonl and disagreements.csv."""
    lines = "".join(json.dumps(case, ensure_ascii=False) + "\n" for case in cases)
    write_text(folder / "disagreements.jsonl", lines)
    names = list(dict.fromkeys(name for case in cases for name in case)) or ["id", "gold", "right", "text"]
    # A row without a group of its own must not push that column behind the text.
    names = (
        [name for name in names if name == "id"]
        + [name for name in names if name == "group"]
        + [name for name in names if name not in ("id", "group")]
    )
    with atomic_path(folder / "disagreements.csv") as temporary, open_text(temporary, "wt") as stream:
        table = csv.DictWriter(stream, names)
        table.writeheader()
        for case in cases:
            table.writerow({k: "; ".join(v) if isinstance(v, list) else v for k, v in case.items()})


def _score_dict(comparison: Comparison, score: Score) -> dict[str, Any]:
    return {
        "name": score.name,
        "seeds": score.seeds,
        "macro_f1": float(score.estimate.value[0]),
        "interval": _ends(score.estimate, 0),
        **score.others,
        "f1": {
            label: {"f1": float(score.estimate.value[place]), "interval": _ends(score.estimate, place)}
            for place, label, _ in comparison.labels
        },
    }


def _difference_dict(comparison: Comparison, found: Difference) -> dict[str, Any]:
    return {
        "first": found.first,
        "second": found.second,
        "seeds": list(found.seeds),
        "answered": found.p is not None,
        "why_not": found.unanswered,
        "difference": float(found.estimate.value[0]),
        "interval": _ends(found.estimate, 0),
        "p": found.p,
        "p_holm": found.p_holm,
        **({} if found.rows_apart is None else {"rows_apart": found.rows_apart}),
        "f1": {
            label: {"difference": float(found.estimate.value[place]), "interval": _ends(found.estimate, place)}
            for place, label, _ in comparison.labels
        },
    }


def _ends(estimate: Estimate, place: int) -> list[float] | None:
    interval = estimate.interval(place)
    return [interval.low, interval.high] if interval else None
