from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from conflictnlp.config import DataConfig, PretrainConfig
from conflictnlp.data.unlabelled import UnlabelledTexts, load_unlabelled
from conflictnlp.errors import InputError
from conflictnlp.task import Label, Task

TASK = Task("topic", "single", (Label("war", "fighting"), Label("deal", "talks")))


def write(folder: Path, name: str, rows: list[dict]) -> str:
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return name


def dated(*dates: str | None) -> list[dict]:
    return [{"text": f"Report number {index}.", "date": date} for index, date in enumerate(dates)]


def load(folder: Path, rows: list[dict], data: DataConfig | None = None, **settings) -> UnlabelledTexts:
    config = PretrainConfig(texts=[write(folder, "texts.jsonl", rows)], **{"exclude": [], **settings})
    return load_unlabelled(config, replace(data or DataConfig(), root=str(folder)), TASK, seed=1)


def test_texts_are_read_once_whatever_their_case_and_parted_by_the_seed(tmp_path):
    rows = [{"text": f"Troops moved on day {n}.", "title": "News" if n == 0 else None} for n in range(10)]
    rows += [{"text": "TROOPS moved, on day 3"}, {"text": "..."}, {"text": None}]
    found = load(tmp_path, rows, validation=0.2)
    assert (len(found.train), len(found.held_out), len(found.keys)) == (8, 2, 10)
    assert set(found.train) | set(found.held_out) == {
        "News\nTroops moved on day 0.",
        *(row["text"] for row in rows[1:10]),
    }
    assert found.dropped == {"repeated": 1, "no words": 2}
    assert (found.undated, found.latest_date, found.sources) == (10, None, {"texts.jsonl": 13})
    assert load(tmp_path, rows, validation=0.2) == found


def test_only_rows_that_are_surely_earlier_are_read(tmp_path):
    dates = ["2015-12-31", "2016-01-01", "2015", "2016", "2015-02", "2016-01-01T10:00", "2014-03-05 08:00:00"]
    found = load(tmp_path, dated(*dates), before="2016-01-01")
    kept = {int(text.rstrip(".").split()[-1]) for text in [*found.train, *found.held_out]}
    assert kept == {0, 2, 4, 6}
    assert (found.dropped, found.latest_date, found.undated) == ({"too late": 3}, "2015-12-31", 0)


@pytest.mark.parametrize("date", [None, "", "yesterday", "2015-13-01", "2015-02-30"])
def test_a_row_without_a_date_is_refused_where_dates_matter(tmp_path, date):
    with pytest.raises(InputError, match=r"texts\.jsonl:2: date .* every row needs a date"):
        load(tmp_path, dated("2010-01-01", date), before="2016-01-01")
    assert load(tmp_path, dated("2010-01-01", date)).undated == 1


def test_invented_texts_need_no_date(tmp_path):
    config = PretrainConfig(texts=["sample:validation"], exclude=[], before="1900-01-01")
    found = load_unlabelled(config, DataConfig(root=str(tmp_path)), TASK, seed=1)
    assert (found.undated, found.latest_date) == (0, None)
    assert len(found.keys) > 30


def test_test_and_validation_of_the_data_are_left_out(tmp_path):
    test = write(tmp_path, "test.jsonl", [{"text": "REPORT number 1", "label": "war"}])
    validation = write(tmp_path, "validation.jsonl", [{"text": "Report number 2!", "label": "unheard of"}])
    data = DataConfig(test=test, validation=[validation])
    found = load(tmp_path, dated(*["2010-01-01"] * 5), data, exclude=None)
    assert sorted(found.keys) == ["report number 0", "report number 3", "report number 4"]
    assert found.dropped == {"excluded": 2}


def test_what_training_cuts_off_is_left_out(tmp_path):
    rows = [{"text": f"Report number {n}.", "label": ("war", "deal")[n % 2]} for n in range(40)]
    data = DataConfig(train=write(tmp_path, "train.jsonl", rows))
    found = load(tmp_path, rows, data, exclude=None)
    # A fifth is the test, and a tenth of the rest the validation.
    assert found.dropped["excluded"] == pytest.approx(11, abs=2)


def test_own_sources_to_leave_out_replace_the_default(tmp_path):
    test = write(tmp_path, "test.jsonl", [{"text": "Report number 1."}])
    other = write(tmp_path, "other.jsonl", [{"text": "Report number 0."}])
    found = load(tmp_path, dated("2010", "2010", "2010"), DataConfig(test=test), exclude=[other])
    assert sorted(found.keys) == ["report number 1", "report number 2"]


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ([{"body": "Rain."}], r"texts\.jsonl:1: no column 'text'; there are body"),
        ([{"text": 3}], r"texts\.jsonl:1: text is int"),
        ([], "holds no rows"),
        ([{"text": "One."}, {"text": "one"}], r"1 texts are left \(left out: repeated 1\)"),
    ],
)
def test_texts_that_cannot_be_read_are_told(tmp_path, rows, line):
    with pytest.raises(InputError, match=line):
        load(tmp_path, rows)


def test_a_data_set_that_is_not_there_cannot_be_left_out(tmp_path):
    config = PretrainConfig(texts=["sample:train"])
    with pytest.raises(InputError, match="CONFLICTNLP_DATA"):
        load_unlabelled(config, DataConfig(name="momentum", root="", test="dev.jsonl"), TASK, seed=1)
