"""`conflictnlp agree`: a model's predictions against a human coder's labels."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conflictnlp.data.near_duplicates import normalise
from conflictnlp.data.read import Row, find_files, read_file
from conflictnlp.errors import InputError
from conflictnlp.evaluation.agreement import Agreement, agreement

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AgreeResult:
    """What the comparison of two files gave.

    Attributes:
        agreement: alpha, its interval and the cross table.
        disagreements: cases to read: id, actor, human, model, probability, text.
        left_out: cases of either file without a counterpart, or without a prediction.
    """

    agreement: Agreement
    disagreements: list[dict[str, Any]]
    left_out: dict[str, int]

    def to_text(self, limit: int = 10) -> str:
        """Return tables for a terminal, with at most `limit` disagreements."""
        lines = [self.agreement.to_text(), *(f"left out: {why}: {count}" for why, count in self.left_out.items())]
        if self.disagreements:
            shown = self.disagreements[:limit]
            lines += ["", f"{len(shown)} of {len(self.disagreements)} disagreements, the model's surest first:"]
            for case in shown:
                chance = "" if case["probability"] is None else f"{float(case['probability']):.2f}"
                named = " ".join(str(case[key]) for key in ("id", "actor") if case[key] is not None)
                line = f"{chance:>4}  human {case['human']}, model {case['model']}: {' '.join(named.split())}"
                lines.append(shorten(line, 80))
        return "\n".join(lines)


def agree(predictions: str, labels: str, label_column: str | None = None) -> AgreeResult:
    """Match two files case by case and compare their codes.

    A case is known by its `id` and, where the labels name one, its `actor`; where no id matches, by its text and
    actor.

    Args:
        predictions: what `conflictnlp predict` wrote.
        labels: the human's file, with `label` (or `prediction`).
        label_column: the column of the human's code, if it bears another name.

    Returns:
        agreement, disagreements and what was left out.

    Raises:
        InputError: a file cannot be read, a column is missing, a case stands twice, or no case matches.
    """
    ours = [row for path in find_files(predictions) for row in read_file(path)]
    theirs = [row for path in find_files(labels) for row in read_file(path)]
    for rows, name in ((ours, predictions), (theirs, labels)):
        if not rows:
            raise InputError(f"{name}: holds no rows")
    _need(ours[0], "prediction")
    column = label_column or next((name for name in ("label", "labels", "prediction") if name in theirs[0].values), "label")
    _need(theirs[0], column)
    per_actor = any(row.values.get("actor") for row in theirs)
    found: dict[tuple[str, ...], tuple[Row, Row]] = {}
    key = "id"
    for key in ("id", "text"):
        if key not in ours[0].values or key not in theirs[0].values:
            continue
        index = _index(ours, key, per_actor, predictions)
        wanted = _index(theirs, key, per_actor, labels)
        found = {case: (index[case], row) for case, row in wanted.items() if case in index}
        if found:
            break
    if not found:
        raise InputError(
            f"agree: no case of {labels} stands in {predictions}; both need the same id (or text), and the same actor"
        )
    coded = [(mine, their) for mine, their in found.values() if _code(their.values.get(column)) is not None]
    pairs = [(mine, their) for mine, their in coded if _code(mine.values.get("prediction")) is not None]
    left_out = {
        "labels left empty": len(found) - len(coded),
        "labels without a prediction": len(theirs) - len(found) + len(coded) - len(pairs),
        "predictions without a label": len(ours) - len(found),
    }
    human = [str(_code(their.values[column])) for _, their in pairs]
    model = [str(_code(mine.values["prediction"])) for mine, _ in pairs]
    clusters = [str(their.values.get("group") or mine.values.get("text") or mine.where) for mine, their in pairs]
    result = agreement(human, model, clusters)
    apart = [
        {
            "id": mine.values.get("id"),
            "actor": mine.values.get("actor"),
            "human": ours_says,
            "model": says,
            "probability": mine.values.get("probability"),
            "text": mine.values.get("text") or their.values.get("text"),
        }
        for (mine, their), ours_says, says in zip(pairs, human, model, strict=True)
        if ours_says != says
    ]
    apart.sort(key=lambda case: -float(case["probability"] or 0))
    return AgreeResult(result, apart, {why: n for why, n in left_out.items() if n})


def write_disagreements(cases: list[dict[str, Any]], output: str) -> None:
    """Write the cases to read, the model's surest first.

    Args:
        cases: as `agree` returned them.
        output: a `.csv`, `.tsv` or `.jsonl` file.

    Raises:
        InputError: the suffix is another.
    """
    import csv
    import json

    from conflictnlp.files import atomic_path, open_text

    suffix = Path(output).suffix
    if suffix not in (".csv", ".tsv", ".jsonl"):
        raise InputError(f"--output {output}: use .csv, .tsv or .jsonl")
    with atomic_path(output) as temporary, open_text(temporary, "wt") as stream:
        if suffix == ".jsonl":
            stream.writelines(json.dumps(case, ensure_ascii=False) + "\n" for case in cases)
            return
        names = ["id", "actor", "human", "model", "probability", "text"]
        table = csv.DictWriter(stream, names, delimiter="\t" if suffix == ".tsv" else ",")
        table.writeheader()
        table.writerows(cases)


def _need(row: Row, column: str) -> None:
    if column not in row.values:
        raise InputError(f"{row.where}: no column {column!r}; the columns are {', '.join(row.values)}")


def _index(rows: list[Row], key: str, per_actor: bool, name: str) -> dict[tuple[str, ...], Row]:
    index: dict[tuple[str, ...], Row] = {}
    for row in rows:
        value = str(row.values[key]) if key == "id" else normalise(str(row.values[key]))
        actor = normalise(str(row.values.get("actor") or "").split("|")[0])
        case = (value, actor) if per_actor else (value,)
        if case in index:
            raise InputError(
                f"{row.where}: the case {' / '.join(case)[:80]} stands twice in {name} (see {index[case].where})"
            )
        index[case] = row
    return index
