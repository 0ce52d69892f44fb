from __future__ import annotations

from matplotlib import pyplot as plt

from conflictnlp.evaluation.comparison_plots import draw_comparison
from conflictnlp.evaluation.comparison_report import compare


def test_scores_and_differences_are_drawn_as_png_and_svg(comparison, tmp_path):
    paths = {path.name: path for path in draw_comparison(comparison, tmp_path / "new")}
    assert set(paths) == {f"forest_{n}.{s}" for n in ("scores", "differences") for s in ("png", "svg")}
    assert all(paths[name].read_bytes().startswith(b"\x89PNG") for name in paths if name.endswith("png"))
    scores = paths["forest_scores.svg"].read_text()
    assert "good-s1 (1 seed)" in scores
    assert "bad_one (3 seeds)" in scores
    assert "not that of the seed" in scores
    assert "good - bad_one (3 / 3 seeds)" in paths["forest_differences.svg"].read_text()
    assert plt.get_fignums() == []


def test_a_question_without_an_answer_is_drawn_empty(rivals, tmp_path):
    draw_comparison(compare(rivals[:2], resamples=100), tmp_path)
    assert "none to compare" in (tmp_path / "forest_differences.svg").read_text()
