"""A comparison as tables: for a terminal, in Markdown, CSV and LaTeX."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conflictnlp.evaluation.comparison_report import (
    CONFIGURATIONS,
    COVERS,
    MODELS,
    QUESTIONS,
    TESTS,
    Comparison,
    Difference,
    rare_labels,
)
from conflictnlp.evaluation.uncertainty import Interval
from conflictnlp.files import write_text

_LATEX = str.maketrans(
    {c: f"\\{c}" for c in "&%$#_{}"}
    | {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"\\": r"\textbackslash{}"}
)
_SIGNED = "difference"
_TERMINAL_ROWS = 20


@dataclass(frozen=True)
class Table:
    """A table before it is set.

    Attributes:
        name: of its files.
        title: what it shows.
        columns: heading by key; a cell is a text, a number, an Interval or None.
        rows: cells by key.
        notes: what a reader must know, the intervals' coverage among it.
        parts: keys of columns that a terminal shows as a line of their own above the rows that share them.
    """

    name: str
    title: str
    columns: dict[str, str]
    rows: list[dict[str, Any]]
    notes: tuple[str, ...]
    parts: tuple[str, ...] = ()

    def _cells(self) -> list[list[str]]:
        return [[_cell(key, row.get(key)) for key in self.columns] for row in self.rows]

    def _is_text(self) -> list[bool]:
        return [any(isinstance(row.get(key), str) for row in self.rows) for key in self.columns]

    def to_text(self, limit: int | None = None) -> str:
        """Return aligned lines for a terminal, at most `limit` rows of them."""
        kept = [number for number, key in enumerate(self.columns) if key not in self.parts]
        cells = [list(self.columns.values()), *self._cells()[:limit]]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [self.title]
        above: list[Any] = []
        for number, row in enumerate(cells):
            part = [self.rows[number - 1][key] for key in self.parts] if number else []
            if part != above:
                lines.append(f"  {' | '.join(part)} seeds")
            above = part
            aligned = [row[n].ljust(widths[n]) if self._is_text()[n] else row[n].rjust(widths[n]) for n in kept]
            lines.append(f"  {'  '.join(aligned)}".rstrip())
        if limit is not None and len(self.rows) > limit:
            lines.append(f"  … {len(self.rows) - limit} more: in the JSON, and in the files of --output")
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])

    def to_markdown(self) -> str:
        """Return Markdown."""
        heads = list(self.columns.values())
        rule = [":--" if is_text else "--:" for is_text in self._is_text()]
        lines = [_bar(heads), _bar(rule), *map(_bar, self._cells())]
        return "\n".join([f"**{self.title}**", "", *lines, "", *(f"{_sentence(note)}  " for note in self.notes)]) + "\n"

    def to_csv(self) -> str:
        """Return CSV with numbers in full and an interval as two columns."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([name for key in self.columns for name in (("low", "high") if key == "interval" else (key,))])
        for row in self.rows:
            line: list[Any] = []
            for key in self.columns:
                value = row.get(key)
                ends = (value.low, value.high) if isinstance(value, Interval) else (None, None)
                line += ends if key == "interval" else [value]
            writer.writerow(line)
        return stream.getvalue()

    def to_latex(self) -> str:
        """Return a LaTeX table with the rules of booktabs."""
        caption = " ".join(map(_sentence, (self.title, *self.notes))).translate(_LATEX)
        columns = "".join("l" if is_text else "r" for is_text in self._is_text())
        heads = " & ".join(head.translate(_LATEX) for head in self.columns.values())
        lines = ["% \\usepackage{booktabs}", "\\begin{table}", "  \\centering", f"  \\caption{{{caption}}}"]
        lines += [f"  \\label{{tab:{self.name}}}", f"  \\begin{{tabular}}{{{columns}}}", "    \\toprule"]
        lines += [f"    {heads} \\\\", "    \\midrule"]
        for row in self._cells():
            cells = [_minus(cell.translate(_LATEX)) for cell in row]
            lines.append(f"    {' & '.join(cells)} \\\\")
        return "\n".join([*lines, "    \\bottomrule", "  \\end{tabular}", "\\end{table}"]) + "\n"


def make_tables(comparison: Comparison) -> list[Table]:
    """Set a comparison into tables.

    Args:
        comparison: what was found.

    Returns:
        scores of models and of configurations, the two questions' differences, and differences by class.
    """
    tables = [_scores(comparison, MODELS), _scores(comparison, CONFIGURATIONS)]
    tables += [_differences(comparison, question) for question in QUESTIONS]
    return [*tables, _classes(comparison)]


def to_text(comparison: Comparison) -> str:
    """Return what a terminal shows."""
    outcome = comparison.contestants[0].predictions.outcome
    head = f"{len(outcome.gold)} test rows in {len(set(outcome.clusters))} groups, the same for every run"
    tables = [table.to_text(_TERMINAL_ROWS) for table in make_tables(comparison)]
    return "\n\n".join([head, *tables, *(f"note: {note}" for note in comparison.notes)])


def write_tables(comparison: Comparison, folder: Path) -> None:
    """Write every table as Markdown, CSV and LaTeX."""
    for table in make_tables(comparison):
        write_text(folder / f"{table.name}.md", table.to_markdown())
        write_text(folder / f"{table.name}.csv", table.to_csv())
        write_text(folder / f"{table.name}.tex", table.to_latex())


def _scores(comparison: Comparison, of: str) -> Table:
    of_models = of == MODELS
    columns = {"name": "model" if of_models else "configuration", "seeds": "seeds", "macro_f1": "macro-F1"}
    columns |= {} if of_models else {"sd": "SD over seeds"}
    columns |= {"interval": _percent(comparison, "interval")}
    columns |= {"accuracy": "accuracy", "ece": "ECE"} if of_models else {}
    rows = [
        {"name": score.name, "seeds": score.seeds, "macro_f1": float(score.estimate.value[0]), "sd": score.spread}
        | {"interval": score.estimate.interval(0), **score.others}
        for score in (comparison.models if of_models else comparison.configurations)
    ]
    title = "Scores of the trained models" if of_models else "Scores of the configurations, means over seeds"
    return Table("models" if of_models else "configurations", title, columns, rows, (COVERS[of],))


def _differences(comparison: Comparison, question: str) -> Table:
    found = comparison.differences[question]
    answered = sum(difference.p is not None for difference in found)
    columns = {"first": "first", "second": "second", "seeds": "seeds", "difference": "first - second"}
    columns |= {"interval": _percent(comparison, "interval"), "p": "p", "p_holm": f"p (Holm, {answered})"}
    columns |= {"rows_apart": "rows apart"} if question == MODELS else {}
    columns |= {"unanswered": "not answered"} if answered < len(found) else {}
    rows = [
        {"first": d.first, "second": d.second, "seeds": _seeds(d)}
        | {"difference": float(d.estimate.value[0]), "interval": d.estimate.interval(0), "p": d.p}
        | {"p_holm": d.p_holm, "rows_apart": d.rows_apart, "unanswered": d.unanswered}
        for d in found
    ]
    why_not = comparison.why_not(question)
    notes = [why_not] if why_not else [f"{TESTS[question]}; {comparison.resamples} resamples", COVERS[question]]
    title = f"{question.capitalize()}. {QUESTIONS[question]}"
    return Table(question.replace(" ", "_"), title, columns, rows, tuple(notes))


def _classes(comparison: Comparison) -> Table:
    columns = {"question": "question", "first": "first", "second": "second", "seeds": "seeds", "label": "label"}
    columns |= {"cases": "cases", "difference": "F1, first - second", "interval": _percent(comparison, "interval")}
    rows = [
        {"question": question, "first": d.first, "second": d.second, "seeds": _seeds(d)}
        | {"label": label, "cases": cases, "difference": float(d.estimate.value[place])}
        | {"interval": d.estimate.interval(place)}
        # The configurations first: where they are answered, models of single seeds tell less.
        for question in (CONFIGURATIONS, MODELS)
        for d in comparison.differences[question]
        if d.p is not None
        for place, label, cases in comparison.labels
    ]
    notes = ["each interval stands for itself: none is corrected for the number of classes"]
    if rare := rare_labels(comparison):
        notes.append(f"under ten cases: {', '.join(rare)}")
    parts = ("question", "first", "second", "seeds")
    return Table("classes", "Differences in F1 by class", columns, rows, tuple(notes), parts)


def _percent(comparison: Comparison, word: str) -> str:
    return f"{comparison.level:.0%} {word}"


def _cell(key: str, value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, Interval):
        return f"[{value.low:.3f}, {value.high:.3f}]"
    if key.startswith("p") and isinstance(value, float):
        return "<0.001" if value < 0.001 else f"{value:.3f}"
    if isinstance(value, float):
        return f"{value:+.3f}" if key == _SIGNED else f"{value:.3f}"
    return str(value)


def _seeds(difference: Difference) -> str:
    return f"{difference.seeds[0]} / {difference.seeds[1]}"


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}{'' if words.endswith('?') else '.'}"


def _bar(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _minus(cell: str) -> str:
    """Set minus signs and the sign of small p-values in LaTeX's mathematics."""
    if cell[:1] in "+-<" and cell[1:2].isdigit():
        return f"${cell}$"
    return cell.replace("[-", "[$-$").replace(", -", ", $-$").replace("–", "--") if cell[:1] in "[–" else cell
