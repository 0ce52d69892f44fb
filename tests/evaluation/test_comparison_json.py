from __future__ import annotations

import csv
import json

from conflictnlp.evaluation.comparison_json import to_dict, write_disagreements
from conflictnlp.evaluation.comparison_report import compare


def test_both_questions_stand_under_their_names(comparison):
    values = json.loads(json.dumps(to_dict(comparison), allow_nan=False))
    assert values["these_two_models"]["correction"] == "Holm over 9 comparisons"
    (pair,) = values["these_two_configurations"]["pairs"]
    assert (pair["first"], pair["second"], pair["seeds"], pair["answered"]) == ("good", "bad_one", [3, 3], True)
    assert pair["interval"][0] < pair["difference"] < pair["interval"][1]
    assert set(pair["f1"]) == {"a", "b", "c"}


def test_runs_and_configurations_tell_their_seeds(comparison):
    values = to_dict(comparison)
    assert [(run["run_id"], run["seed"], run["seeds"]) for run in values["models"]][3] == ("bad_one-s1", 1, 1)
    assert [found["seed_values"] for found in values["configurations"]] == [[1, 2, 3], [1, 2, 3]]


def test_what_is_not_answered_says_why(rivals):
    values = json.loads(json.dumps(to_dict(compare(rivals[2:4], resamples=100)), allow_nan=False))
    (pair,) = values["these_two_configurations"]["pairs"]
    assert (pair["answered"], pair["p"], pair["interval"]) == (False, None, None)
    assert pair["why_not"].startswith("1 and 1 seeds")
    values = to_dict(compare(rivals[:2], resamples=100))
    assert "one configuration" in values["these_two_configurations"]["why_not"]


def test_disagreements_are_written_to_read(comparison, tmp_path):
    cases = comparison.disagreements
    write_disagreements(cases, tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "disagreements.jsonl").read_text().splitlines()]
    assert lines == cases
    assert len(cases) == to_dict(comparison)["disagreements"] > 20
    with (tmp_path / "disagreements.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["id"] for row in rows] == [case["id"] for case in cases]
    assert rows[0]["right"] == "; ".join(cases[0]["right"])


def test_no_disagreement_is_an_empty_file(rivals, tmp_path):
    write_disagreements(compare([rivals[0], rivals[0]], resamples=100).disagreements, tmp_path)
    assert (tmp_path / "disagreements.jsonl").read_text() == ""
    assert (tmp_path / "disagreements.csv").read_text().strip() == "id,gold,right,text"
