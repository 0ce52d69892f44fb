from __future__ import annotations

import numpy as np
import pytest

from conflictnlp.errors import InputError
from conflictnlp.evaluation import score
from conflictnlp.evaluation.comparison_report import CONFIGURATIONS, MODELS, compare, rare_labels
from tests.evaluation.conftest import make_contestant


def test_every_run_has_its_score_and_one_seed(comparison, rivals):
    for found, contestant in zip(comparison.models, rivals, strict=True):
        scores = score(contestant.predictions.outcome)
        assert found.estimate.value[0] == pytest.approx(scores["macro_f1"])
        assert (found.name, found.seeds, found.others["accuracy"]) == (contestant.name, 1, scores["accuracy"])
        interval = found.estimate.interval()
        assert interval.low < scores["macro_f1"] < interval.high


def test_a_configuration_is_the_mean_of_its_seeds(comparison):
    values = [found.estimate.value[0] for found in comparison.models[:3]]
    good = comparison.configurations[0]
    assert (good.name, good.seeds, good.runs) == ("good", 3, ("good-s1", "good-s2", "good-s3"))
    assert good.estimate.value[0] == pytest.approx(np.mean(values))
    assert good.spread == pytest.approx(np.std(values, ddof=1))


def test_models_of_different_configurations_are_compared(comparison):
    found = comparison.differences[MODELS]
    assert {(each.first[:4], each.second[:7]) for each in found} == {("good", "bad_one")}
    assert len(found) == 9
    assert all(each.p < 0.05 and each.estimate.interval().low > 0 for each in found)
    assert all(each.p_holm >= each.p for each in found)


def test_the_second_question_is_answered_with_three_seeds(comparison):
    (found,) = comparison.differences[CONFIGURATIONS]
    assert (found.first, found.second, found.seeds, found.unanswered) == ("good", "bad_one", (3, 3), None)
    assert found.p == found.p_holm < 0.05
    assert found.estimate.interval().low > 0.1


def test_the_second_question_is_not_answered_with_two_seeds(rivals):
    comparison = compare(rivals[:5], resamples=100)
    (found,) = comparison.differences[CONFIGURATIONS]
    assert found.unanswered == "3 and 2 seeds: 3 or more of each are needed"
    assert (found.p, found.p_holm, found.estimate.interval()) == (None, None, None)
    assert comparison.configurations[0].estimate.interval() is not None
    assert comparison.configurations[1].estimate.interval() is None


def test_seeds_of_one_configuration_are_compared_as_models_alone(rivals):
    comparison = compare(rivals[:3], resamples=100)
    assert len(comparison.differences[MODELS]) == 3
    assert comparison.differences[CONFIGURATIONS] == []
    assert "all runs are of one configuration" in comparison.why_not(CONFIGURATIONS)


def test_a_repeated_seed_is_no_further_seed(rivals):
    again = make_contestant("good-again", "good", 2, rivals[1].predictions.outcome)
    comparison = compare([*rivals, again], resamples=100)
    assert [found.seeds for found in comparison.configurations] == [3, 3]
    assert comparison.notes == ["good-again repeats seed 2 of good: left out of these two configurations"]


def test_rows_apart_are_counted_and_listed_once(single):
    gold = [0, 1, 2, 0]
    one, other = single(gold, [0, 1, 2, 1]), single(gold, [0, 2, 2, 1])
    comparison = compare([make_contestant("a", "a", 1, one), make_contestant("b", "b", 1, other)], resamples=100)
    assert comparison.differences[MODELS][0].rows_apart == 1
    assert comparison.disagreements == [
        {
            "id": "r1",
            "group": "1",
            "gold": "b",
            "prediction: a": "b",
            "probability: a": 0.8,
            "prediction: b": "c",
            "probability: b": 0.8,
            "right": ["a"],
            "text": "Text r1",
        }
    ]


def test_several_labels_are_compared_over_all_declared(several):
    gold = [[1, 0], [0, 1], [1, 1], [0, 0]] * 5
    contestants = [
        make_contestant("a", "a", 1, several(gold, gold)),
        make_contestant("b", "b", 1, several(gold, [[1, 0], [0, 0], [1, 0], [0, 0]] * 5)),
    ]
    comparison = compare(contestants, resamples=500)
    (found,) = comparison.differences[MODELS]
    assert found.estimate.value.tolist() == [0.5, 0.0, 1.0]
    assert (found.rows_apart, found.p < 0.05) == (10, True)
    case = comparison.disagreements[0]
    assert (case["gold"], case["prediction: a"], case["prediction: b"]) == (["b"], ["b"], [])
    assert "probability: a" not in case


def test_one_group_is_refused(single):
    outcome = single([0, 1, 0], [0, 1, 1], clusters=["x"] * 3)
    with pytest.raises(InputError, match="of one group"):
        compare([make_contestant("a", "a", 1, outcome), make_contestant("b", "b", 1, outcome)])


def test_rare_labels_are_told(single):
    outcome = single([0] * 12 + [1] * 3, [0] * 15)
    comparison = compare([make_contestant(name, name, 1, outcome) for name in "ab"], resamples=100)
    assert comparison.labels == [(1, "a", 12), (2, "b", 3)]
    assert rare_labels(comparison) == ["b"]
