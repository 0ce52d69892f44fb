"""`conflictnlp agree`: a model's predictions against a human coder's labels."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

from conflictnlp.data.near_duplicates import normalise
from conflictnlp.data.read import Row, find_files, read_file
from conflictnlp.errors import InputError
from conflictnlp.evaluation.agreement import Agreement, agreement
from conflictnlp.files import atomic_path, open_text

# Of a case where no label of several applies.
_NO_LABEL = "(no label)"


@dataclass(frozen=True)
class AgreeResult:
    """What the comparison of two files gave.

    Attributes:
        agreement: alpha, its interval and the cross table.
        disagreements: cases to read: id, actor, human, model, probability, text.
        left_out: cases of either file without a counterpart, a label or a prediction.
    """

    agreement: Agreement
    disagreements: list[dict[str, Any]]
    left_out: dict[str, int]

    def to_text(self, limit: int = 10) -> str:
        """Return tables for a terminal, with at most `limit` disagreements."""
        lines = [self.agreement.to_text(), *(f"left out: {why}: {count}" for why, count in self.left_out.items())]
        shown = self.disagreements[:limit]
        if shown:
            lines += ["", f"{len(shown)} of {len(self.disagreements)} disagreements, the model's surest first:"]
        for case in shown:
            chance = "" if case["probability"] is None else f" {float(case['probability']):.2f}"
            named = " ".join(str(case[key]) for key in ("id", "actor") if case[key] is not None)
            line = f"human {case['human']}, model {case['model']}{chance}: {named}"
            lines.append(shorten(line, 80, placeholder=" …"))
        return "\n".join(lines)


def agree(predictions: str, labels: str, label_column: str | None = None) -> AgreeResult:
    """Match two files case by case and compare their codes.

    A case is known by its `id` and, where the labels name one, its `actor`; where no id matches, by its text and
    actor.

    Args:
        predictions: what `conflictnlp predict` wrote.
        labels: the human's file, with `label` (or `labels`, or `prediction`).
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
    columns = [{name for row in rows for name in row.values} for rows in (ours, theirs)]
    column = label_column or next((name for name in ("label", "labels", "prediction") if name in columns[1]), "label")
    _need("prediction", columns[0], predictions)
    _need(column, columns[1], labels)
    per_actor = any(row.values.get("actor") for row in theirs)
    found: dict[tuple[str, ...], tuple[Row, Row]] = {}
    for key in ("id", "text"):
        index = _index(ours, key, per_actor, predictions)
        wanted = _index(theirs, key, per_actor, labels)
        found = {case: (index[case], row) for case, row in wanted.items() if case in index}
        if found:
            break
    if not found:
        raise InputError(
            f"agree: no case of {labels} stands in {predictions}; both need the same id (or text), and the same actor"
        )
    many = any(_list_of(row.values.get("prediction")) is not None for row in ours)
    coded = [(mine, their) for mine, their in found.values() if many or _code(their.values.get(column), many)]
    pairs = [(mine, their) for mine, their in coded if _code(mine.values.get("prediction"), many)]
    if not pairs:
        raise InputError(f"agree: none of the {len(found)} cases of both files bears a label and a prediction")
    left_out = {
        "labels left empty": len(found) - len(coded),
        "labels without a prediction": len(theirs) - len(found) + len(coded) - len(pairs),
        "predictions without a label": len(ours) - len(found),
    }
    human = [_code(their.values.get(column), many) or _NO_LABEL for _, their in pairs]
    model = [_code(mine.values["prediction"], many) for mine, _ in pairs]
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
        InputError: the suffix is another, or a folder bears the name.
    """
    suffix = Path(output).suffix
    if suffix not in (".csv", ".tsv", ".jsonl"):
        raise InputError(f"--output {output}: use .csv, .tsv or .jsonl")
    if Path(output).is_dir():
        raise InputError(f"--output {output}: is a folder; name a file")
    with atomic_path(output) as temporary, open_text(temporary, "wt") as stream:
        if suffix == ".jsonl":
            stream.writelines(json.dumps(case, ensure_ascii=False) + "\n" for case in cases)
            return
        names = ["id", "actor", "human", "model", "probability", "text"]
        table = csv.DictWriter(stream, names, delimiter="\t" if suffix == ".tsv" else ",")
        table.writeheader()
        table.writerows(cases)


def _need(column: str, columns: set[str], name: str) -> None:
    if column not in columns:
        raise InputError(f"{name}: no column {column!r}; the columns are {', '.join(sorted(columns))}")


def _code(value: Any, many: bool) -> str:
    """Return the code that a cell holds, "" if none; several labels of one case (`many`) are one code together."""
    if value is None or value != value:
        return ""
    if not many:
        return str(value)
    names = _list_of(value)
    if names is None:
        names = re.split(r"[|;,\s]+", str(value))
    return "|".join(sorted({str(name) for name in names if name != ""})) or _NO_LABEL


def _list_of(value: Any) -> list[Any] | None:
    """Return a list, be it one or its JSON in a CSV file; None if it is neither."""
    if isinstance(value, str) and value.startswith("["):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            return None
    return value if isinstance(value, list) else None


def _index(rows: list[Row], key: str, per_actor: bool, name: str) -> dict[tuple[str, ...], Row]:
    index: dict[tuple[str, ...], Row] = {}
    for row in rows:
        told = row.values.get(key)
        value = "" if told is None else str(told) if key == "id" else normalise(str(told))
        if not value:
            continue
        actor = normalise(str(row.values.get("actor") or "").split("|")[0])
        case = (value, actor) if per_actor else (value,)
        if case in index:
            raise InputError(
                f"{row.where}: the case {' / '.join(case)[:80]} stands twice in {name} (see {index[case].where})"
            )
        index[case] = row
    return index
