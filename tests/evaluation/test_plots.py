from __future__ import annotations

import pytest
from matplotlib import pyplot as plt

from conflictnlp.evaluation import bootstrap_intervals, score
from conflictnlp.evaluation.plots import draw_all

NAMES = {"confusion_matrix", "reliability", "per_class_f1"}


def draw(outcome, folder):
    return draw_all(outcome, score(outcome), bootstrap_intervals(outcome, 50), folder / "plots", bins=10)


@pytest.fixture(scope="module")
def of_single(single, tmp_path_factory):
    outcome = single([0, 0, 1, 1] * 4, [0, 1, 1, 1] * 4, labels=["gaining", "losing", "unheard"])
    return draw(outcome, tmp_path_factory.mktemp("single"))


@pytest.fixture(scope="module")
def of_several(several, tmp_path_factory):
    rows = [[1, 0, 0, 0, 1], [0, 1, 0, 0, 0], [0, 0, 0, 0, 1]] * 4
    return draw(several(rows, rows[::-1]), tmp_path_factory.mktemp("several"))


@pytest.mark.parametrize("kind", ["of_single", "of_several"])
def test_every_picture_is_drawn_as_png_and_svg(request, kind):
    paths = request.getfixturevalue(kind)
    names = [*NAMES, "risk_coverage"] if kind == "of_single" else NAMES
    assert {path.name for path in paths} == {f"{name}.{suffix}" for name in names for suffix in ("png", "svg")}
    for path in paths:
        data = path.read_bytes()
        assert data.startswith(b"\x89PNG") if path.suffix == ".png" else b"<svg" in data
        assert len(data) > 5000


def svg(paths, name: str) -> str:
    return next(path for path in paths if path.name == f"{name}.svg").read_text()


def test_the_confusion_matrix_names_labels_that_occur(of_single):
    picture = svg(of_single, "confusion_matrix")
    assert "gaining" in picture
    assert "losing" in picture
    assert "unheard" not in picture


def test_the_bars_name_labels_with_their_cases(of_single):
    assert "gaining (n=8)" in svg(of_single, "per_class_f1")


def test_bars_of_few_cases_are_explained(of_single):
    assert "under 10 cases" in svg(of_single, "per_class_f1")


def test_the_reliability_diagram_tells_the_error_and_the_bins(of_single):
    assert "10 bins of equal mass" in svg(of_single, "reliability")


def test_no_figure_stays_open(of_single, of_several):
    assert plt.get_fignums() == []


def test_one_case_can_be_drawn(single, tmp_path):
    assert len(draw(single([1], [0]), tmp_path)) == 8


def test_one_label_of_several_can_be_drawn(several, tmp_path):
    assert len(draw(several([[1], [0]], [[0], [0]]), tmp_path)) == 6
