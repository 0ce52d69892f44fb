import random
from itertools import pairwise

import pytest

from conflictnlp.text import Window, plan_windows


def spans(lengths, budget, overlap=0):
    return [(window.first, window.last) for window in plan_windows(lengths, budget, overlap)]


def random_cases():
    rng = random.Random(7)
    for _ in range(300):
        budget = rng.randint(1, 30)
        lengths = [rng.randint(0, budget) for _ in range(rng.randint(0, 40))]
        yield lengths, budget, rng.randint(0, budget + 5)


CASES = list(random_cases())


def test_short_text_is_one_window():
    assert plan_windows([3, 4], 10) == [Window(0, 2)]


def test_no_units_need_no_window():
    assert plan_windows([], 10) == []


def test_window_is_filled_to_the_budget():
    assert spans([5, 5, 5], 10) == [(0, 2), (2, 3)]


def test_units_as_long_as_the_budget_stand_alone():
    assert spans([10, 10, 10], 10, overlap=4) == [(0, 1), (1, 2), (2, 3)]


def test_overlap_repeats_whole_units():
    assert spans([4, 3, 3, 4], 10, overlap=3) == [(0, 3), (2, 4)]


def test_overlap_may_repeat_several_units():
    assert spans([2, 2, 2, 2, 2], 8, overlap=4) == [(0, 4), (2, 5)]


def test_unit_longer_than_the_overlap_is_not_repeated():
    assert spans([4, 4, 4], 8, overlap=3) == [(0, 2), (2, 3)]


def test_overlap_leaves_the_next_unit_room():
    assert spans([2, 2, 6], 7, overlap=4) == [(0, 2), (2, 3)]


def test_unit_over_the_budget_is_refused():
    with pytest.raises(ValueError, match="11 tokens does not fit a window of 10"):
        plan_windows([3, 11], 10)


def test_every_unit_is_covered():
    for lengths, budget, overlap in CASES:
        covered = {unit for first, last in spans(lengths, budget, overlap) for unit in range(first, last)}
        assert covered == set(range(len(lengths)))


def test_no_window_exceeds_the_budget():
    for lengths, budget, overlap in CASES:
        assert all(sum(lengths[first:last]) <= budget for first, last in spans(lengths, budget, overlap))


def test_every_window_goes_further_than_the_last():
    for lengths, budget, overlap in CASES:
        windows = spans(lengths, budget, overlap)
        assert all(one[0] < two[0] and one[1] < two[1] for one, two in pairwise(windows))


def test_neighbours_share_at_most_the_overlap():
    for lengths, budget, overlap in CASES:
        windows = spans(lengths, budget, overlap)
        assert all(sum(lengths[b[0] : a[1]]) <= overlap for a, b in pairwise(windows))


def test_every_window_but_the_last_is_full():
    for lengths, budget, _ in CASES:
        windows = spans(lengths, budget)
        assert all(sum(lengths[a[0] : a[1] + 1]) > budget for a in windows[:-1])
