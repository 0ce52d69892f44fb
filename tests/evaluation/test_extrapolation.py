import math

import numpy as np
import pytest

from conflictnlp.evaluation.extrapolation import extrapolate
from conflictnlp.evaluation.power_law import PowerLaw, fit_power_law

SIZES = np.array([100.0, 200.0, 400.0, 700.0, 1000.0])
LAW = PowerLaw(0.85, 2.0, 0.5)


def table(*curves):
    """Sizes and scores of several seeds, a curve each."""
    return np.repeat(SIZES[: len(curves[0]), None], len(curves), axis=1), np.array(curves).T


def noisy(law, seeds, spread=0.005):
    draws = np.random.default_rng(3).normal(0, spread, (seeds, len(SIZES)))
    return table(*(np.array([law.score(size) for size in SIZES]) + draw for draw in draws))


def test_a_curve_that_is_a_power_law_is_found_again():
    found = fit_power_law(SIZES, np.array([LAW.score(size) for size in SIZES]))
    assert (found.a, found.b, found.c) == pytest.approx((0.85, 2.0, 0.5), abs=1e-4)


@pytest.mark.parametrize("law", [PowerLaw(1.0, 3.0, 0.3), PowerLaw(0.6, 40.0, 1.2), PowerLaw(0.7, 0.0, 0.5)])
def test_steep_slow_and_flat_curves_are_fitted(law):
    found = fit_power_law(SIZES, np.array([law.score(size) for size in SIZES]))
    assert [found.score(n) for n in (100, 1000, 4000)] == pytest.approx(
        [law.score(n) for n in (100, 1000, 4000)], abs=1e-3
    )


def test_a_fitted_score_never_passes_one():
    found = fit_power_law(SIZES, np.log(SIZES) / np.log(1000) * 0.95)
    assert found.a <= 1 and found.score(1e9) <= 1


def test_the_size_is_the_inverse_of_the_score():
    assert LAW.size(LAW.score(1234)) == pytest.approx(1234)
    assert LAW.size(0.85) == LAW.size(0.9) == math.inf
    assert PowerLaw(0.7, 0.0, 0.5).size(0.6) == 0
    assert PowerLaw(0.9, 0.8, 0.01).size(0.89999) == math.inf


def test_more_rows_are_forecast_within_an_interval_that_holds_the_truth():
    found = extrapolate(*noisy(LAW, 8), target=0.8, resamples=100)
    assert found.usable and found.notes == []
    assert [(one.factor, one.size) for one in found.forecasts] == [(2, 2000), (4, 4000)]
    for one in found.forecasts:
        assert one.interval.low <= LAW.score(one.size) <= one.interval.high
        assert one.interval.low < one.score < one.interval.high
    assert found.need.low <= 1600 <= found.need.high  # 0.85 - 2 / 40 = 0.8
    assert found.need.more == found.need.size - 1000
    assert f"takes about {found.need.size} rows" in found.need.statement


def test_the_same_numbers_give_the_same_interval():
    assert extrapolate(*noisy(LAW, 3)) == extrapolate(*noisy(LAW, 3))


def test_seeds_that_agree_leave_no_doubt():
    curve = [LAW.score(size) for size in SIZES]
    found = extrapolate(*table(curve, curve, curve), target=0.8)
    assert found.rmse == pytest.approx(0, abs=1e-6)
    assert found.need.size == pytest.approx(1600, abs=2)
    assert found.notes == ["3 seeds: the intervals of the fit come out too narrow with fewer than 5"]


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (0.7, "0.7 is reached with about 178 rows, of 1000"),
        (0.84, "takes over 10 times the present 1000 rows"),
        (0.9, "is not reached: the curve levels off at 0.850 (0.850 to 0.850); more articles of this kind do not help"),
    ],
)
def test_a_target_that_is_reached_far_or_out_of_reach_is_told_in_words(target, told):
    curve = [LAW.score(size) for size in SIZES]
    need = extrapolate(*table(curve, curve), target=target).need
    assert told in need.statement
    assert need.more == (0 if target == 0.7 else None)


def test_a_ceiling_that_may_be_higher_is_left_open():
    seeds = ([PowerLaw(a, 2.0, 0.5).score(size) for size in SIZES] for a in (0.78, 0.78, 0.82))
    need = extrapolate(*table(*seeds), target=0.81).need
    assert need.statement == (
        "macro-F1 0.81 is not reached: the curve levels off at 0.793 (0.780 to 0.820); "
        "the interval leaves open whether more articles help"
    )
    assert need.size is None and need.high is None


def test_three_sizes_are_not_extrapolated():
    curve = [LAW.score(size) for size in SIZES[:3]]
    found = extrapolate(*table(curve, curve), target=0.8)
    assert (found.law, found.forecasts, found.need) == (None, [], None)
    assert found.reasons == ["3 sizes; a curve of three parameters needs 4 or more"]


def test_shares_of_one_size_count_once():
    sizes, scores = noisy(LAW, 3)
    sizes[1] = sizes[0]
    sizes[3] = sizes[2]
    assert "3 sizes;" in extrapolate(sizes, scores).reasons[0]


def test_one_seed_is_fitted_but_foretells_nothing():
    found = extrapolate(*table([LAW.score(size) for size in SIZES]))
    assert found.law.a == pytest.approx(0.85, abs=1e-3)
    assert found.forecasts == [] and found.reasons == ["one seed; without a second nothing is known of chance"]


def test_a_curve_that_falls_is_not_extrapolated():
    falling = [0.6, 0.7, 0.75, 0.7, 0.6]
    found = extrapolate(*table(falling, [score + 0.01 for score in falling]), target=0.8)
    assert not found.usable and found.forecasts == [] and found.need is None
    assert "macro-F1 falls from 0.755 at 400 rows to 0.705 at 700" in found.reasons[0]


def test_a_fall_that_chance_explains_is_none():
    curve = np.array([LAW.score(size) for size in SIZES])
    seeds = [curve + [0, 0, 0, 0.02, -0.03], curve + [0, 0, 0, 0, 0.01], curve + [0, 0, 0, 0.01, -0.02]]
    assert not [reason for reason in extrapolate(*table(*seeds)).reasons if "falls" in reason]


def test_a_curve_that_accelerates_is_told_to_have_another_shape():
    curve = [0.07, 0.08, 0.14, 0.26, 0.44]
    found = extrapolate(*table(curve, curve, curve))
    assert not found.usable
    assert "the curve has another shape: at 1000 rows the fit misses macro-F1 by 0.1" in found.reasons[0]


def test_seeds_that_disagree_make_the_interval_too_wide():
    found = extrapolate(*table(*([law.score(n) for n in SIZES] for law in (LAW, PowerLaw(0.6, 2, 0.5), LAW))))
    assert found.forecasts == []
    assert "the interval for 2 times the rows is 0.25 wide (0.56 to 0.81)" in found.reasons
