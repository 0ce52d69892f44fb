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


def test_one_cluster_leaves_no_interval() -> None:
    result = agreement(["a", "b"], ["a", "b"], ["1", "1"])
    assert result.interval is None
    assert result.to_dict()["alpha_interval"] is None


def test_coders_who_never_agree_have_an_alpha_below_zero() -> None:
    # Each label four times of eight; every pair parts: 1 - 1 / (2 * 4 * 4 / (8 * 7)).
    result = agreement(["a", "b"] * 2, ["b", "a"] * 2, ["1", "2", "3", "4"])
    assert result.alpha == pytest.approx(1 - 56 / 32)


def test_rows_are_the_humans_and_columns_the_models() -> None:
    result = agreement(["a", "a", "b"], ["a", "b", "b"], ["1", "2", "3"], labels=["b", "a"])
    assert result.table.tolist() == [[1, 0], [1, 1]]
    assert result.to_dict()["labels"] == ["b", "a"]


def test_the_seed_decides_the_interval() -> None:
    coders = (["a", "b", "a", "b", "b"], ["a", "b", "b", "b", "a"], list("12345"))
    assert agreement(*coders, seed=3).interval == agreement(*coders, seed=3).interval


def shown(labels: list[str], cases: int = 1) -> list[str]:
    """The lines of the table for coders who agree on every case but one."""
    human = labels * cases
    model = [*human[:-1], human[0]]
    return agreement(human, model, ["1"] * len(human)).to_text().splitlines()[3:]


def test_few_labels_head_their_columns() -> None:
    assert shown(["gaining", "losing", "none"], 10) == [
        "human, model  gaining  losing  none  agreed",
        "gaining            10       .     .   0.952",
        "losing              .      10     .   1.000",
        "none                1       .     9   0.947",
    ]


def test_long_labels_are_numbered() -> None:
    labels = ["civilian_targeting", "international_relations", "remote_violence", "strategic_development"]
    assert shown(labels)[:2] == [
        "human, model                1  2  3  4  agreed",
        " 1 civilian_targeting       1  .  .  .   0.667",
    ]


def test_very_many_labels_are_counted_one_by_one() -> None:
    lines = shown([f"label_{number}" for number in range(10, 50)], 2)
    assert lines[0] == "label     human  model  both  agreed"
    assert lines[-1] == "label_49      2      1     1   0.667"


@pytest.mark.parametrize("count", [1, 4, 7, 10, 15, 20, 40])
@pytest.mark.parametrize("cases", [1, 300])
def test_the_table_fits_a_terminal(count: int, cases: int) -> None:
    lines = shown([f"{number}_a_label_of_thirty_letters" for number in range(count)], cases)
    assert len(lines) == count + 1
    assert max(map(len, lines)) <= 80
