import csv
import io
import json

import pytest

from conflictnlp.evaluation.learning_curve import LearningCurve, Point, Trial
from conflictnlp.evaluation.learning_curve_plot import draw_learning_curve
from conflictnlp.evaluation.power_law import PowerLaw

SHARES = (0.1, 0.2, 0.4, 0.7, 1.0)


def curve(seeds=3, shares=SHARES, target=None):
    law = PowerLaw(0.85, 2.0, 0.5)
    points = [
        Point(
            share,
            tuple(
                Trial(share, seed, round(share * 1000), law.score(share * 1000) + 0.002 * seed, f"run{seed}")
                for seed in range(seeds)
            ),
        )
        for share in shares
    ]
    return LearningCurve("topic, tfidf on sample", tuple(points), 200, target)


def test_a_point_has_the_t_interval_of_its_seeds():
    point = Point(0.5, tuple(Trial(0.5, seed, 10, score, "r") for seed, score in enumerate((0.5, 0.6, 0.7))))
    # t(0.975, 2) = 4.3027; 0.1 / sqrt(3) = 0.057735
    row = point.to_dict()
    assert (row["mean"], row["sd"]) == pytest.approx((0.6, 0.1))
    assert (row["low"], row["high"]) == pytest.approx((0.35159, 0.84841), abs=1e-4)


def test_one_seed_has_no_spread():
    point = Point(0.5, (Trial(0.5, 1, 10, 0.4, "r"),))
    assert point.to_dict() == {
        "share": 0.5, "size": 10, "mean": 0.4, "sd": None, "low": None, "high": None, "seeds": 1
    }  # fmt: skip


def test_the_csv_has_a_row_a_share():
    rows = list(csv.DictReader(io.StringIO(curve().to_csv())))
    assert [row["size"] for row in rows] == ["100.0", "200.0", "400.0", "700.0", "1000.0"]
    assert float(rows[0]["mean"]) == pytest.approx(0.652)
    assert rows[0]["seeds"] == "3"


def test_json_holds_the_trials_the_fit_and_the_forecasts():
    values = json.loads(json.dumps(curve(target=0.82).to_dict(), allow_nan=False))
    assert [trial["run_id"] for trial in values["points"][4]["trials"]] == ["run0", "run1", "run2"]
    assert values["extrapolation"]["law"]["c"] == pytest.approx(0.5, abs=0.01)
    assert [one["size"] for one in values["extrapolation"]["forecasts"]] == [2000, 4000]
    assert values["extrapolation"]["usable"] is True and values["target"] == 0.82


def test_markdown_and_terminal_say_what_the_curve_foretells():
    for text in (curve(target=0.82).to_markdown(), curve(target=0.82).to_text()):
        assert "2 times the rows (2000): macro-F1 0.807 (0.80" in text
        assert "Macro-F1 0.82 takes about" in text
        assert "200 test rows" in text


def test_an_unusable_curve_says_so_and_foretells_nothing():
    text = curve(shares=SHARES[:3], target=0.8).to_markdown()
    assert "The curve cannot be extrapolated: 3 sizes;" in text
    assert "times the rows" not in text and "takes about" not in text


@pytest.mark.parametrize(("seeds", "words"), [(3, "extrapolated"), (1, "(no extrapolation)")])
def test_the_picture_shows_the_extrapolation_or_that_there_is_none(tmp_path, seeds, words):
    png, svg = draw_learning_curve(curve(seeds, target=0.82), tmp_path)
    assert png.read_bytes().startswith(b"\x89PNG") and len(png.read_bytes()) > 5000
    assert words in svg.read_text() and "target" in svg.read_text()
