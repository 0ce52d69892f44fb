"""Draw the tables of experiments/*/README.md beside them: `python scripts/plot_studies.py`.

The README is the one place of the figures. A picture has a row for each row of a table and a mark for each column that
is drawn; `0.76 ± 0.02` is drawn with its spread, `5.8%` as a share.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from conflictnlp.evaluation.plots import STYLE, save_figures

STUDIES = Path(__file__).resolve().parents[1] / "experiments"
_NUMBER = re.compile(r"(-?[\d,]+(?:\.\d+)?)(%?)(?: ± (\d+\.\d+))?")
COLOURS = ("#2b6ca3", "#c2603d", "#8a8f98", "#d9a441")


@dataclass(frozen=True)
class Picture:
    """What is drawn of a table.

    Attributes:
        study: the folder.
        name: of the picture's files.
        rows: columns that name a row.
        columns: columns that are drawn.
        axis: what they measure.
        line: a value to mark, or None.
        start: where the axis begins; None for a little below the lowest value.
    """

    study: str
    name: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    axis: str
    line: float | None = None
    start: float | None = None


PICTURES = (
    Picture("baselines", "scores", ("task",), ("tfidf", "minilm"), "macro-F1, ± standard deviation over seeds"),
    Picture(
        "comparison-tests",
        "two_models",
        ("scenario", "groups"),
        ("equal truth: swaps of groups (the p)", "paired cluster bootstrap (the interval)", "swaps of rows"),
        "differences found where there are none (5% is right)",
        line=0.05,
    ),
    Picture(
        "comparison-tests",
        "two_configurations",
        ("scenario", "groups"),
        ("equal truth: hierarchical, Student's t (ours)", "plain percentiles", "seeds as given"),
        "differences found where there are none (5% is right)",
        line=0.05,
    ),
    Picture("momentum-data", "scores", ("rows", "head", "order", "passes"), ("macro-F1",), "macro-F1 on dev"),
    Picture(
        "momentum-inputs", "inputs", ("input", "head reads", "passes"), ("macro-F1 on dev",), "macro-F1 on momentum/dev"
    ),
    Picture("momentum-inputs", "folds", ("input",), ("held-out conflicts",), "macro-F1, mean over folds"),
    Picture(
        "momentum-articles",
        "poolings",
        ("windows", "pooling"),
        ("dev articles", "sample articles", "articles of several courses"),
        "macro-F1",
    ),
    Picture(
        "momentum-evidence",
        "drops",
        ("seed",),
        ("without the top sentence", "without another"),
        "fall of the label's probability",
        start=-0.1,
    ),
    Picture(
        "reference-article",
        "courses",
        ("actor", "seed"),
        ("P(gaining)", "P(losing)", "P(stalemate)"),
        "probability",
        start=0,
    ),
    Picture(
        "training-ways",
        "folds",
        ("set",),
        ("own rows alone", "with invented sentences", "first fold alone", "first fold with them"),
        "macro-F1",
    ),
    Picture("training-ways", "batches", ("task",), ("before", "after"), "macro-F1 on dev"),
    Picture("event-types", "folds", ("task",), ("macro-F1", "by hand"), "macro-F1, five folds"),
    Picture("event-types", "labels", ("set",), ("tfidf", "minilm"), "macro-F1 on dev"),
    Picture("training-speed", "speeds", ("what",), ("examples a second",), "examples a second", start=0),
    Picture("inference-speed", "speeds", ("way",), ("articles a second",), "articles of 250 tokens a second", start=0),
    Picture(
        "momentum-mirrored",
        "flips",
        ("model",),
        ("pairs that flip", "gaining side labelled gaining", "both labels of both right"),
        "of ten pairs",
        line=8,
        start=0,
    ),
    Picture("predict-memory", "peak", ("rows",), ("peak memory, MiB",), "peak memory, MiB", start=0),
)


def main() -> None:
    for picture in PICTURES:
        draw(picture, read_table(picture))


def read_table(picture: Picture) -> list[dict[str, str]]:
    """Return the rows of the first table that has the picture's columns, as the README writes them.

    Args:
        picture: what is drawn.

    Returns:
        cells by column, a mapping a row.

    Raises:
        ValueError: no table has them.
    """
    lines = (STUDIES / picture.study / "README.md").read_text(encoding="utf-8").splitlines()
    for place, line in enumerate(lines):
        head = cells(line)
        if set(picture.rows + picture.columns) <= set(head):
            rows = []
            for row in lines[place + 2 :]:
                if not row.startswith("|"):
                    break
                # Of two columns of one name the first counts.
                rows.append(dict(reversed(list(zip(head, cells(row), strict=True)))))
            return rows
    raise ValueError(f"{picture.study}/README.md: no table has the columns {picture.columns}")


def cells(line: str) -> list[str]:
    return [cell.strip().replace("**", "") for cell in line.strip().strip("|").split("|")]


def value(cell: str) -> tuple[float, float]:
    """Return a cell's number and its spread, 0 where none is told."""
    found = _NUMBER.search(cell)
    assert found is not None, cell
    number = float(found[1].replace(",", "")) / (100 if found[2] else 1)
    return number, float(found[3] or 0)


def name_of(row: dict[str, str], picture: Picture) -> str:
    """Return the name of a row: its words, and its numbers with what they count."""
    told = [re.sub(r" \(.*?\)", "", row[column]) for column in picture.rows]
    pairs = [(word, column) for word, column in zip(told, picture.rows, strict=True) if word != "–"]
    return ", ".join(_told(word, column) for word, column in pairs)


def _told(word: str, column: str) -> str:
    if not re.fullmatch(r"[\d,+ ]+", word):
        return word
    return f"{column} {word}" if column == "seed" else f"{word} {column}"


def draw(picture: Picture, rows: Sequence[dict[str, str]]) -> list[Path]:
    """Draw a table as PNG and SVG beside its README.

    Args:
        picture: what is drawn.
        rows: of the table.

    Returns:
        the files.
    """
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": picture.name}):
        figure, axes = plt.subplots(figsize=(8.0, 0.34 * len(rows) + 1.3), layout="constrained")
        for number, (column, colour) in enumerate(zip(picture.columns, COLOURS, strict=False)):
            places = [place + 0.14 * (number - (len(picture.columns) - 1) / 2) for place in range(len(rows))]
            # What was not measured has a dash.
            points = [(at, *value(row[column])) for at, row in zip(places, rows, strict=True) if row[column] != "–"]
            measured, numbers, spreads = zip(*points, strict=True)
            axes.errorbar(numbers, measured, xerr=spreads, fmt="o", color=colour, markersize=5, label=column)
        if picture.line is not None:
            axes.axvline(picture.line, color="black", linewidth=0.8, linestyle="--", zorder=0)
        if picture.start is not None:
            axes.set_xlim(left=picture.start)
        axes.set_yticks(range(len(rows)), [name_of(row, picture) for row in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlabel(picture.axis)
        if len(picture.columns) > 1:
            figure.legend(loc="outside upper left", ncols=1, fontsize=8, frameon=False)
        return save_figures({picture.name: figure}, STUDIES / picture.study)


if __name__ == "__main__":
    main()
