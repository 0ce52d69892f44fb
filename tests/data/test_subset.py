from itertools import pairwise

import pytest

from conflictnlp.composition import compose
from conflictnlp.data import Example, load_splits
from conflictnlp.data.folds import load_fold
from conflictnlp.data.subset import take_share
from conflictnlp.errors import InputError


def rows(count, group=None):
    return [Example(f"f:{n}", str(n), f"text {n}", ("war",), group=group(n) if group else None) for n in range(count)]


def ids(examples):
    return [int(example.id) for example in examples]


@pytest.mark.parametrize(("share", "count"), [(0.01, 1), (0.1, 10), (0.25, 25), (0.999, 100), (1.0, 100)])
def test_a_share_is_of_the_rows(share, count):
    assert len(take_share(rows(100), share, seed=1)) == count


@pytest.mark.parametrize("group", [None, lambda n: f"g{n % 13}"])
def test_a_larger_share_holds_the_smaller(group):
    taken = [set(ids(take_share(rows(100, group), share, seed=4))) for share in (0.1, 0.2, 0.4, 0.7, 1.0)]
    assert all(small < large for small, large in pairwise(taken))


def test_groups_are_taken_whole_and_the_order_is_kept():
    taken = ids(take_share(rows(60, lambda n: f"g{n % 6}"), 0.4, seed=2))
    assert taken == sorted(taken)
    groups = {number % 6 for number in taken}
    assert (len(groups), len(taken)) == (3, 30)


def test_rows_of_one_text_stay_together():
    twins = [Example(f"f:{n}", str(n), f"text {n // 2}", ("war",)) for n in range(40)]
    taken = set(ids(take_share(twins, 0.5, seed=1)))
    assert all((number ^ 1) in taken for number in taken)


def test_seeds_draw_differently_and_repeatably():
    one, again, other = (ids(take_share(rows(100), 0.2, seed)) for seed in (1, 1, 2))
    assert one == again != other


def test_a_configured_share_leaves_validation_and_test_alone():
    config, _ = compose(["task=topic", "model=tfidf"])
    whole = load_splits(config.data, config.to_task())
    config.data.share, config.data.share_seed = 0.5, 3
    half = load_splits(config.data, config.to_task())
    assert half.train == take_share(whole.train, 0.5, 3)
    assert (half.validation, half.test) == (whole.validation, whole.test)
    assert half.report.rows["train"] == len(half.train) == sum(half.report.labels["train"].values()) == 102
    assert whole.report.rows["train"] == 204


def test_rows_of_other_sets_are_not_shared_out(tmp_path):
    file = tmp_path / "more.csv"
    labels = compose(["task=topic"])[0].to_task().label_names[:2]
    file.write_text("text,label\n" + "".join(f"Words of set {n} alone.,{labels[n % 2]}\n" for n in range(6)))
    config, _ = compose(["task=topic", "model=tfidf", "data.near_duplicate=1", f"data.extra=[{file}]"])
    whole = load_splits(config.data, config.to_task())
    config.data.share = 0.5
    half = load_splits(config.data, config.to_task())
    assert (len(whole.train), len(half.train)) == (204, 102)
    assert half.extra == whole.extra
    assert len(half.extra) == 6


def test_each_fold_learns_from_a_share_of_its_rows():
    config, _ = compose(["task=topic", "model=tfidf", "evaluation.folds=4", "evaluation.fold=2"])
    whole = load_fold(config, config.to_task())
    config.data.share, config.data.share_seed = 0.5, 3
    half = load_fold(config, config.to_task())
    assert half.train == take_share(whole.train, 0.5, 3)
    assert (half.validation, half.test) == (whole.validation, whole.test)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["data.share=0"], "data.share=0.0: must be above zero"),
        (["data.share=1.5"], "data.share=1.5: is a share of the training rows, at most 1"),
        (["data.share_seed=-1"], "data.share_seed=-1: must be zero or above"),
    ],
)
def test_what_is_no_share_is_refused(words, told):
    with pytest.raises(InputError, match=told):
        compose(words)
