import math

import pytest

from conflictnlp.errors import InputError
from conflictnlp.evaluation.agreement import agreement


def test_alpha_by_hand() -> None:
    # Eight values, five a and three b; one of four pairs parts: 1 - (2 / 8) / (2 * 5 * 3 / (8 * 7)).
    result = agreement(["a", "a", "b", "a"], ["a", "a", "b", "b"], ["1", "2", "3", "4"])
    assert result.alpha == pytest.approx(1 - 0.25 / (30 / 56))
    assert result.share == 0.75


def test_per_class_counts_what_either_coder_gave() -> None:
    result = agreement(["a", "a", "b", "a"], ["a", "a", "b", "b"], ["1", "2", "3", "4"], labels=["a", "b", "c"])
    assert result.per_class() == {"a": pytest.approx(0.8), "b": pytest.approx(2 / 3), "c": None}


def test_coders_who_always_agree_have_alpha_one() -> None:
    result = agreement(["a", "b", "a"], ["a", "b", "a"], ["1", "2", "3"])
    assert result.alpha == 1.0
    assert result.interval is not None
    assert result.interval.high == 1.0


def test_one_label_only_leaves_alpha_undefined() -> None:
    result = agreement(["a", "a"], ["a", "a"], ["1", "2"])
    assert math.isnan(result.alpha)
    assert result.to_dict()["alpha"] is None
    assert "undefined" in result.to_text()


def test_repeating_the_rows_of_a_cluster_does_not_narrow_the_interval() -> None:
    human = ["a", "b", "a", "b", "a", "b", "b", "a"]
    model = ["a", "b", "b", "b", "a", "a", "b", "a"]
    clusters = [str(number) for number in range(8)]
    once = agreement(human, model, clusters)
    fivefold = agreement(human * 5, model * 5, clusters * 5)
    assert once.interval is not None
    assert fivefold.interval is not None
    width = once.interval.high - once.interval.low
    assert fivefold.interval.high - fivefold.interval.low >= 0.85 * width


def test_no_cases_are_refused() -> None:
    with pytest.raises(InputError, match="no case"):
        agreement([], [], [])
