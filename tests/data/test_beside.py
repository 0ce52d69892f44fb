"""Rows beside the data's own: which are left out, and what is told of them."""

from __future__ import annotations

import pytest

from conflictnlp.config import DataConfig
from conflictnlp.data.beside import is_late, label_column, refuse_late, without_faults, without_leaks
from conflictnlp.data.read import Row
from conflictnlp.errors import InputError
from tests.data.helpers import FATE, example, sentence

RULED = DataConfig(name="own", extra_before="2016-01-01")


def test_faulty_rows_go_and_are_counted_by_kind():
    rows = [example(1), example(2, text=" "), example(3), example(4, text="--")]
    kept, faults = without_faults("more", rows, FATE, 2000)
    assert [row.id for row in kept] == ["1", "3"]
    assert faults == {"empty_text": 1, "wordless_text": 1}


def test_texts_of_the_splits_go_and_repeats_among_the_rows_are_told():
    rows = [example(1), example(2), example(3), example(4, text=f"{sentence(2)} again")]
    kept, leaks, found = without_leaks("more", rows, {"train": [example(3)], "test": [example(1)]}, 0.6)
    assert [row.id for row in kept] == ["2", "4"]
    assert leaks == {"leak": 2}
    assert {(finding.kind, finding.split) for finding in found} == {("leak", "more"), ("near_duplicate", "more")}


@pytest.mark.parametrize(
    ("source", "column"),
    [("reports:all", FATE.name), ("sample:train", FATE.name), ("more.csv", "own"), ("codes:momentum@more.csv", "own")],
)
def test_what_ships_with_the_package_names_a_label_s_column_by_the_task(source, column):
    assert label_column(Row("more:1", {FATE.name: "gain", "own": "gain"}), source, FATE, "own") == column
    assert label_column(Row("more:1", {"own": "gain"}), source, FATE, "own") == "own"


@pytest.mark.parametrize(
    ("date", "late"),
    [("2015-12-31", False), ("2016-01-01", True), ("31/12/2011", True), ("", True), (None, True)],
)
def test_a_row_needs_a_date_before_the_rule_s(date, late):
    assert is_late(Row("more.csv:1", {"date": date}), "more.csv", RULED) == late


def test_what_was_invented_and_where_nothing_is_ruled_no_row_is_late():
    row = Row("more.csv:1", {"text": "no date"})
    assert not is_late(row, "events:case21", RULED)
    assert not is_late(row, "more.csv", DataConfig())


def test_a_late_row_is_refused_with_its_place_and_date():
    with pytest.raises(InputError, match=r"more\.csv:7: date 2017-05-01: data=own takes only further rows from before"):
        refuse_late(Row("more.csv:7", {"date": "2017-05-01"}), "more.csv", RULED)
    refuse_late(Row("more.csv:8", {"date": "2015-05-01"}), "more.csv", RULED)
