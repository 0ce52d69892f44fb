from collections import Counter
from dataclasses import replace

import pytest

from conflictnlp.data.split import cut
from conflictnlp.errors import InputError
from tests.data.helpers import FATE, KINDS, example, make_task

LONG = " ".join(f"word{number}" for number in range(40))


def split(examples, share=0.2, method="group", seed=1, task=FATE):
    return cut(examples, share, method, seed, task, 0.9)


def numbers(examples):
    return [int(one.id) for one in examples]


def mixed(size, *labels):
    return [example(number, labels[number % len(labels)]) for number in range(size)]


@pytest.mark.parametrize("method", ["group", "date", "stratified"])
def test_every_row_lands_on_one_side_in_its_old_order(method):
    rows = [example(number, date=f"2014-01-{number + 1:02}") for number in range(20)]
    kept, cut_off = split(rows, method=method)
    assert sorted(numbers(kept) + numbers(cut_off)) == list(range(20))
    assert numbers(kept) == sorted(numbers(kept))
    assert numbers(cut_off) == sorted(numbers(cut_off))


@pytest.mark.parametrize("task", [FATE, KINDS])
@pytest.mark.parametrize("method", ["group", "stratified"])
def test_same_seed_gives_the_same_split(method, task):
    rows = mixed(40, *task.label_names)
    assert split(rows, method=method, task=task) == split(rows, method=method, task=task)


@pytest.mark.parametrize("task", [FATE, KINDS])
def test_other_seed_gives_another_split(task):
    rows = mixed(40, *task.label_names)
    assert split(rows, task=task) != split(rows, seed=2, task=task)


def test_no_group_stands_on_two_sides():
    rows = [example(number, "gain" if number % 3 else "loss", group=f"g{number // 4}") for number in range(80)]
    kept, cut_off = split(rows)
    assert {one.group for one in kept}.isdisjoint({one.group for one in cut_off})
    assert len(cut_off) == 16


def test_rows_without_a_group_are_independent():
    assert len(split(mixed(20, "gain", "loss"))[1]) == 4


@pytest.mark.parametrize("method", ["group", "stratified", "date"])
def test_no_text_stands_on_two_sides(method):
    rows = [
        example(n, text=f"Report {n % 10}!" if n < 20 else f"REPORT {n % 10}", date="2014-01-01") for n in range(40)
    ]
    kept, cut_off = split(rows, method=method)
    assert {one.text[7] for one in kept}.isdisjoint({one.text[7] for one in cut_off})


def test_nearly_the_same_text_stays_on_one_side():
    rows = [*mixed(8, "gain", "loss"), example(8, text=LONG), example(9, text=f"{LONG} more")]
    for seed in range(10):
        _, cut_off = split(rows, share=0.3, seed=seed)
        assert ({8, 9} & set(numbers(cut_off))) in ({8, 9}, set())


def test_groups_that_share_a_text_stay_together():
    rows = [example(1, group="a"), example(2, text="shared", group="a"), example(3, text="Shared.", group="b")]
    rows += [example(4, group="b"), *(example(number) for number in range(5, 12))]
    for seed in range(10):
        _, cut_off = split(rows, seed=seed)
        assert len({1, 2, 3, 4} & set(numbers(cut_off))) in (0, 4)


def test_stratified_split_looks_past_groups():
    rows = [example(number, group="all") for number in range(10)]
    assert len(split(rows, method="stratified")[1]) == 2


def test_labels_are_balanced():
    _, cut_off = split([example(number, "gain" if number % 4 else "loss") for number in range(80)])
    assert Counter(one.label for one in cut_off) == {"gain": 12, "loss": 4}


def test_label_of_one_row_is_no_hindrance():
    kept, cut_off = split([*mixed(20, "gain", "loss"), example(20, "draw")], task=make_task("gain", "loss", "draw"))
    assert len(kept) + len(cut_off) == 21
    assert len(cut_off) == 4


def test_label_sets_are_balanced():
    sets = [("a",), ("b", "c"), ()]
    rows = [replace(example(number), labels=sets[number % 3]) for number in range(60)]
    _, cut_off = split(rows, task=KINDS)
    assert Counter(one.labels for one in cut_off) == {("a",): 4, ("b", "c"): 4, (): 4}


@pytest.mark.parametrize("task", [FATE, KINDS])
@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.99])
@pytest.mark.parametrize("size", [2, 3, 10])
def test_neither_side_is_empty(size, share, task):
    kept, cut_off = split(mixed(size, *task.label_names), share=share, task=task)
    assert kept
    assert cut_off


def test_latest_rows_are_cut_off():
    dates = ["2016-05-01", "2012-01-01", "2017-01-01", "2013-01-01", "2016-12-31"]
    _, cut_off = split([example(n, date=date) for n, date in enumerate(dates)], share=0.4, method="date")
    assert numbers(cut_off) == [2, 4]


def test_group_is_as_late_as_its_latest_row():
    rows = [example(0, date="2011-01-01", group="a"), example(1, date="2018-01-01", group="a")]
    rows += [example(number, date="2015-01-01") for number in range(2, 10)]
    assert numbers(split(rows, method="date")[1]) == [0, 1]


def test_one_group_is_left_when_the_latest_would_take_all():
    rows = [example(0, date="2011-01-01"), example(1, date="2012-01-01")]
    assert numbers(split(rows, share=0.99, method="date")[1]) == [1]


def test_row_without_a_date_is_named():
    rows = [example(0, date="2011-01-01"), example(1)]
    with pytest.raises(InputError, match=r"data\.csv:1: no date, which data\.split\.method=date needs"):
        split(rows, method="date")


@pytest.mark.parametrize("date", ["3 May 2014", "05/03/2014", "20140503", "2014-5-3"])
def test_date_that_is_not_iso_is_named(date):
    rows = [example(0, date="2011-01-01"), example(1, date=date)]
    with pytest.raises(InputError, match=r"data\.csv:1: date .* is not ISO"):
        split(rows, method="date")


@pytest.mark.parametrize("date", ["2014", "2014-05", "2014-05-03T10:00:00", "2014-05-03 10:00:00"])
def test_iso_dates_of_any_precision(date):
    assert numbers(split([example(0, date="2011-01-01"), example(1, date=date)], method="date")[1]) == [1]


@pytest.mark.parametrize(
    "rows",
    [[example(1)], [example(1, group="a"), example(2, group="a")], [example(1, text="fell"), example(2, text="Fell.")]],
    ids=["one row", "one group", "one text"],
)
def test_one_group_cannot_be_split(rows):
    with pytest.raises(InputError, match=r"form 1 group\(s\); give the split as a file"):
        split(rows)
