from __future__ import annotations

import pytest

from conflictnlp.evaluation.spans import SpanScores, score_spans

MARKED = [[(0, 4), (10, 12)], [(5, 9)], []]


def test_found_as_marked():
    assert score_spans(MARKED, MARKED) == SpanScores(1.0, 1.0)


def test_by_hand():
    # Two of four found are right, two of three marked are found.
    scores = score_spans(MARKED, [[(0, 4), (10, 13)], [(5, 9)], [(0, 2)]])
    assert (scores.precision, scores.recall) == (0.5, pytest.approx(2 / 3))
    assert scores.f1 == pytest.approx(4 / 7)


def test_with_overlap_a_shared_character_is_enough():
    scores = score_spans(MARKED, [[(3, 6), (12, 14)], [(5, 9)], []], overlap=True)
    assert (scores.precision, scores.recall) == (pytest.approx(2 / 3), pytest.approx(2 / 3))


def test_with_overlap_two_found_spans_may_lie_in_one_marked():
    scores = score_spans([[(0, 9)]], [[(0, 4), (5, 9)]], overlap=True)
    assert scores == SpanScores(1.0, 1.0)


def test_a_span_that_is_found_twice_is_right_once():
    assert score_spans([[(0, 4)]], [[(0, 4), (0, 4)]]).precision == 0.5


@pytest.mark.parametrize(
    ("marked", "found", "scores"),
    [([], [], (0, 0)), ([[]], [[]], (0, 0)), ([[(0, 1)]], [[]], (0, 0)), ([[]], [[(0, 1)]], (0, 0))],
)
def test_without_cases_ratios_are_zero(marked, found, scores):
    result = score_spans(marked, found)
    assert (result.precision, result.recall) == scores
    assert result.f1 == 0


def test_texts_of_different_number_are_refused():
    with pytest.raises(ValueError, match="argument 2 is longer"):
        score_spans([[]], [[], []])
