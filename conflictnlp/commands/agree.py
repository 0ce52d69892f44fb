"""`conflictnlp agree`: a model's predictions against a human coder's labels."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import get_terminal_size
from textwrap import wrap
from typing import Any

from conflictnlp.commands.agree_input import heaviest, need, read_codes, read_rows
from conflictnlp.data.near_duplicates import normalise
from conflictnlp.data.read import Row
from conflictnlp.errors import InputError
from conflictnlp.evaluation.agreement import Agreement, agreement
from conflictnlp.files import atomic_path, open_text

# Of a case where no label of several applies.
_NO_LABEL = "(no label)"
_COLUMNS = ("id", "actor", "human", "model", "probability", "text", "sentence")
_INDENT = "    "


@dataclass(frozen=True)
class AgreeResult:
    """What the comparison of two files gave.

    Attributes:
        agreement: alpha, its interval and the cross table.
        disagreements: cases to read: id, actor, human, model, probability, text, and the sentence that weighed most.
        left_out: cases of either file without a counterpart, a label or a prediction.
    """

    agreement: Agreement
    disagreements: list[dict[str, Any]]
    left_out: dict[str, int]

    def to_text(self, limit: int = 10) -> str:
        """Return tables for a terminal, with at most `limit` disagreements."""
        lines = [self.agreement.to_text(), *(f"left out: {why}: {count}" for why, count in self.left_out.items())]
        shown, total = self.disagreements[:limit], len(self.disagreements)
        if not shown:
            return "\n".join(lines)
        lines += ["", f"{len(shown)} of {total} disagreements, the model's surest first:"]
        width = get_terminal_size().columns
        for case in shown:
            chance = "" if case["probability"] is None else f" {case['probability']:.2f}"
            named = " ".join(str(case[key]) for key in ("id", "actor") if case[key] is not None)
            lines.append(_cut(f"human {case['human']}, model {case['model']}{chance}: {named}", width))
            if words := case["sentence"] or case["text"]:
                lines.append(_INDENT + _cut(str(words), width - len(_INDENT)))
        if total > len(shown):
            lines.append(f"{total - len(shown)} more; --output FILE takes all {total}")
        return "\n".join(lines)


def agree(predictions: str, labels: str, label_column: str | None = None, task: str | None = None) -> AgreeResult:
    """Match two files case by case and compare their codes.

    A case is known by its `id` and, where the labels name one, its `actor`; where no id matches, by its text and
    actor. Labels are held against those that the predictions tell probabilities of.

    Args:
        predictions: what `conflictnlp predict` or `conflictnlp code` wrote.
        labels: the human's file, with `label` (or `labels`, or `prediction`).
        label_column: the column of the human's code, if it bears another name.
        task: momentum or topic, of what `code` wrote; None for momentum.

    Returns:
        agreement, disagreements and what was left out.

    Raises:
        InputError: a file cannot be read, a column is missing, a case stands twice, no case matches, or a label is
            none of the model's.
    """
    codes = read_codes(predictions, task)
    ours, theirs = codes.rows, read_rows(labels)
    columns = {name for row in theirs for name in row.values}
    column = label_column or next((name for name in ("label", "labels", "prediction") if name in columns), "label")
    need(column, theirs, labels)
    per_actor = codes.task != "topic" and any(row.values.get("actor") for row in theirs)
    if codes.task == "momentum" and not per_actor:
        raise InputError(
            f"{labels}: names no actor (column 'actor') to tell those of {predictions} apart; add it, or compare "
            "topics with --task topic"
        )
    found: dict[tuple[str, ...], tuple[Row, Row]] = {}
    for key in ("id", "text"):
        index = _index(ours, key, per_actor, predictions)
        if not index:
            continue
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
    if codes.labels:
        predicted = [name for mine, _ in pairs for name in _names(mine.values["prediction"], many)]
        _refuse_others([their for _, their in coded], column, many, list(dict.fromkeys([*codes.labels, *predicted])))
    left_out = {
        "labels left empty": len(found) - len(coded),
        "labels without a prediction": len(theirs) - len(found) + len(coded) - len(pairs),
        "predictions without a label": len(ours) - len(found),
    }
    human = [_code(their.values.get(column), many) or _NO_LABEL for _, their in pairs]
    model = [_code(mine.values["prediction"], many) for mine, _ in pairs]
    # Cases of one article are dependent; joint records tell it by its id alone.
    clusters = [
        str(their.values.get("group") or mine.values.get("text") or mine.values.get("id") or mine.where)
        for mine, their in pairs
    ]
    result = agreement(human, model, clusters, _in_order({*human, *model}, codes.labels, many))
    apart = [
        {
            "id": mine.values.get("id"),
            "actor": mine.values.get("actor"),
            "human": ours_says,
            "model": says,
            "probability": mine.values["probability"],
            "text": mine.values.get("text") or their.values.get("text"),
            "sentence": heaviest(mine.values.get("evidence")),
        }
        for (mine, their), ours_says, says in zip(pairs, human, model, strict=True)
        if ours_says != says
    ]
    apart.sort(key=lambda case: -(case["probability"] or 0))
    return AgreeResult(result, apart, {why: n for why, n in left_out.items() if n})


def check_output(output: str | None) -> None:
    """Refuse a file that no disagreement could be written to.

    Args:
        output: its name, or None for none.

    Raises:
        InputError: the suffix is not .csv, .tsv or .jsonl, or a folder bears the name.
    """
    if output is None:
        return
    if Path(output).suffix not in (".csv", ".tsv", ".jsonl"):
        raise InputError(f"--output {output}: use .csv, .tsv or .jsonl")
    if Path(output).is_dir():
        raise InputError(f"--output {output}: is a folder; name a file")


def write_disagreements(cases: list[dict[str, Any]], output: str) -> None:
    """Write the cases to read, the model's surest first.

    Args:
        cases: as `agree` returned them.
        output: a `.csv`, `.tsv` or `.jsonl` file.

    Raises:
        InputError: the suffix is another, or a folder bears the name.
    """
    check_output(output)
    suffix = Path(output).suffix
    with atomic_path(output) as temporary, open_text(temporary, "wt") as stream:
        if suffix == ".jsonl":
            stream.writelines(json.dumps(case, ensure_ascii=False) + "\n" for case in cases)
            return
        table = csv.DictWriter(stream, _COLUMNS, delimiter="\t" if suffix == ".tsv" else ",")
        table.writeheader()
        table.writerows(cases)


def _code(value: Any, many: bool) -> str:
    """Return the code that a cell holds, "" if none; several labels of one case (`many`) are one code together."""
    if value is None or value != value:
        return ""
    return ("|".join(_names(value, many)) or _NO_LABEL) if many else str(value)


def _names(value: Any, many: bool) -> list[str]:
    """Return the labels that a cell holds, sorted."""
    if value is None or value != value:
        return []
    if not many:
        return [str(value)]
    names = _list_of(value)
    if names is None:
        names = re.split(r"[|;,\s]+", str(value))
    return sorted({str(name) for name in names if name != ""})


def _refuse_others(rows: list[Row], column: str, many: bool, labels: Sequence[str]) -> None:
    """Refuse a label that the model does not know: a slip of the hand would count as a class of its own."""
    for row in rows:
        for name in _names(row.values.get(column), many):
            if name not in labels:
                raise InputError(
                    f"{row.where}: {column} {name!r} is none of the predictions' labels ({', '.join(labels)}); "
                    "correct it, or leave the cell empty"
                )


def _in_order(codes: set[str], labels: Sequence[str], many: bool) -> list[str]:
    """Return codes in the order of the labels; others follow, sorted."""
    place = {label: number for number, label in enumerate(labels)}

    def places(code: str) -> list[tuple[int, str]]:
        if code == _NO_LABEL:
            return []
        return sorted((place.get(name, len(place)), name) for name in (code.split("|") if many else [code]))

    return sorted(codes, key=places)


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


def _cut(text: str, width: int) -> str:
    """Return a text on one line of a terminal, cut at a space where there is one."""
    first, *others = wrap(" ".join(text.split()), max(20, width - 2)) or [""]
    return f"{first} …" if others else first
