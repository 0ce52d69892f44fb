import csv

import numpy as np
import pytest

from conflictnlp.evaluation.metrics import Outcome
from conflictnlp.evaluation.selective import risk_coverage, write_curves


def outcome(right: list[bool], stated: list[float]) -> Outcome:
    probabilities = np.array([[chance, 1 - chance] for chance in stated])
    gold = np.array([0 if hit else 1 for hit in right])
    return Outcome(
        ["up", "down"], gold, np.zeros(len(gold), dtype=np.int64), probabilities, [str(n) for n in range(len(gold))]
    )


def test_the_most_certain_cases_are_kept_first():
    curve = risk_coverage(outcome([False, True, True, True], [0.6, 0.9, 0.8, 0.7]))
    assert curve.coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert curve.risk.tolist() == [0.0, 0.0, 0.0, 0.25]
    assert curve.threshold == pytest.approx([0.9, 0.8, 0.7, 0.6])


def test_cases_of_one_confidence_are_kept_together():
    curve = risk_coverage(outcome([True, False, True], [0.8, 0.8, 0.6]))
    assert curve.coverage == pytest.approx([2 / 3, 1.0])
    assert curve.risk == pytest.approx([0.5, 1 / 3])


def test_the_area_is_the_mean_risk():
    assert risk_coverage(outcome([True] * 4, [0.9, 0.8, 0.7, 0.6])).area == 0.0
    assert risk_coverage(outcome([False] * 4, [0.9, 0.8, 0.7, 0.6])).area == pytest.approx(1.0)
    # Risks 0, 0, 0 and 1/4, each over a quarter of the cases.
    assert risk_coverage(outcome([False, True, True, True], [0.6, 0.9, 0.8, 0.7])).area == pytest.approx(1 / 16)


def test_scores_tell_what_the_most_certain_four_fifths_are_worth():
    scores = risk_coverage(outcome([True] * 4 + [False], [0.9, 0.8, 0.7, 0.65, 0.6])).scores()
    wanted = {"aurc": 0.04, "accuracy_at_80_coverage": 1.0, "threshold_at_80_coverage": 0.65}
    assert scores == pytest.approx(wanted)


def test_one_case_is_a_curve():
    curve = risk_coverage(outcome([False], [0.9]))
    assert (curve.area, curve.accuracy_at(0.5), curve.threshold_at(0.5)) == (1.0, 0.0, 0.9)


def test_a_threshold_keeps_at_least_the_share():
    curve = risk_coverage(outcome([True] * 4, [0.9, 0.8, 0.8, 0.7]))
    assert curve.threshold_at(0.5) == 0.8


def test_curves_are_written_by_split(tmp_path):
    path = tmp_path / "curve.csv"
    write_curves(path, {"val": outcome([True, False], [0.9, 0.6]), "test": outcome([False], [1 / 3 + 0.5])})
    assert path.read_text().splitlines() == [
        "split,threshold,coverage,risk,cases",
        "val,0.9,0.5,0.0,1",
        "val,0.6,1.0,0.5,2",
        "test,0.8333333333333333,1.0,1.0,1",
    ]


def test_a_written_threshold_keeps_the_cases_told(tmp_path):
    stated = np.random.default_rng(1).uniform(0.5, 1, 50)
    write_curves(tmp_path / "curve.csv", {"val": outcome([True] * 50, list(stated))})
    with (tmp_path / "curve.csv").open() as stream:
        assert all((stated >= float(row["threshold"])).sum() == int(row["cases"]) for row in csv.DictReader(stream))


def test_several_labels_leave_no_curve(tmp_path, several):
    write_curves(tmp_path / "curve.csv", {"val": several([[1, 0]], [[1, 0]])})
    assert list(tmp_path.iterdir()) == []
