from __future__ import annotations

import csv
import io

from conflictnlp.evaluation.comparison_report import compare
from conflictnlp.evaluation.comparison_tables import Table, make_tables, to_text, write_tables
from conflictnlp.evaluation.uncertainty import Interval

TABLE = Table(
    "these_two_models",
    "Does it differ?",
    {"first": "first", "difference": "a - b", "interval": "95% interval", "p": "p", "unanswered": "not answered"},
    [
        {"first": "bad_one|x", "difference": -0.12345, "interval": Interval(-0.2, -0.01), "p": 0.0002},
        {"first": "b", "difference": 0.5, "interval": None, "p": 0.25, "unanswered": "few & far"},
    ],
    ("intervals cover groups",),
)


def test_latex_text():
    assert TABLE.to_latex() == (
        "% \\usepackage{booktabs}\n"
        "\\begin{table}\n"
        "  \\centering\n"
        "  \\caption{Does it differ? Intervals cover groups.}\n"
        "  \\label{tab:these_two_models}\n"
        "  \\begin{tabular}{lrrrl}\n"
        "    \\toprule\n"
        "    first & a - b & 95\\% interval & p & not answered \\\\\n"
        "    \\midrule\n"
        "    bad\\_one|x & $-0.123$ & [$-$0.200, $-$0.010] & $<0.001$ & -- \\\\\n"
        "    b & $+0.500$ & -- & 0.250 & few \\& far \\\\\n"
        "    \\bottomrule\n"
        "  \\end{tabular}\n"
        "\\end{table}\n"
    )


def test_markdown_text():
    assert TABLE.to_markdown() == (
        "**Does it differ?**\n\n"
        "| first | a - b | 95% interval | p | not answered |\n"
        "| :-- | --: | --: | --: | :-- |\n"
        "| bad_one\\|x | -0.123 | [-0.200, -0.010] | <0.001 | – |\n"
        "| b | +0.500 | – | 0.250 | few & far |\n\n"
        "Intervals cover groups.  \n"
    )


def test_csv_has_numbers_in_full_and_both_ends():
    rows = list(csv.DictReader(io.StringIO(TABLE.to_csv())))
    assert rows[0] == {
        "first": "bad_one|x",
        "difference": "-0.12345",
        "low": "-0.2",
        "high": "-0.01",
        "p": "0.0002",
        "unanswered": "",
    }
    assert (rows[1]["low"], rows[1]["unanswered"]) == ("", "few & far")


def test_a_long_table_is_cut_for_the_terminal():
    lines = TABLE.to_text(limit=1).splitlines()
    assert lines[-2:] == ["  … 1 more: in the JSON, and in the files of --output", "  intervals cover groups"]


def test_seeds_stand_beside_every_score_and_every_difference(comparison):
    for table in make_tables(comparison):
        assert table.rows
        assert all(row["seeds"] in (1, 3, "1 / 1", "3 / 3") for row in table.rows), table.name


def test_every_table_says_what_its_intervals_cover(comparison):
    notes = {table.name: " ".join(table.notes) for table in make_tables(comparison)}
    assert "not that of the seed" in notes["models"]
    assert "not that of the seed" in notes["these_two_models"]
    assert "of test groups and of seeds" in notes["configurations"]
    assert "of test groups and of seeds" in notes["these_two_configurations"]
    assert "none is corrected" in notes["classes"]


def test_the_terminal_shows_both_questions_by_name(comparison):
    text = to_text(comparison)
    assert text.startswith("90 test rows in 45 groups, the same for every run")
    assert "\nThese two models. " in text
    assert "\nThese two configurations. " in text
    assert "p (Holm, 9)" in text
    assert "\n  these two configurations | good | bad_one | 3 / 3 seeds\n" in text


def test_the_terminal_says_why_a_question_is_not_answered(rivals):
    assert "3 and 1 seeds: 3 or more of each are needed" in to_text(compare(rivals[:4], resamples=100))
    assert "not answered: all runs are of one configuration" in to_text(compare(rivals[:2], resamples=100))


def test_every_table_is_written_three_times(comparison, tmp_path):
    write_tables(comparison, tmp_path)
    names = {"models", "configurations", "these_two_models", "these_two_configurations", "classes"}
    assert {path.name for path in tmp_path.iterdir()} == {f"{n}.{s}" for n in names for s in ("md", "csv", "tex")}
    assert "\\toprule" in (tmp_path / "classes.tex").read_text()
