"""The packaged codes: their card tells the truth, and they are joined with the right texts."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import partial
from importlib import resources

import pytest

from conflictnlp.data.codes import coded_rows, coded_texts
from conflictnlp.errors import InputError
from tests.data.helpers import stated_number, write_rows

FOLDER = resources.files("conflictnlp.data.codes")
CARD = FOLDER.joinpath("DATA_CARD.md").read_text(encoding="utf-8")
CODES = [json.loads(line) for line in FOLDER.joinpath("momentum.jsonl").read_text(encoding="utf-8").splitlines()]
PAIRS = [actor for record in CODES for actor in record["actors"]]


number = partial(stated_number, CARD)


def first(count: int, **fields: object) -> list[dict]:
    """Rows for the first coded texts; each text is long enough for its offsets."""
    return [{"id": record["id"], "text": "word " * 400, **fields} for record in CODES[:count]]


class TestCard:
    """Its figures are counted from the file."""

    def test_items(self):
        assert number(r"of ([\d,]+) items of the topic set") == len(CODES)

    def test_items_without_an_actor(self):
        assert number(r"(\d+) items name no armed actor") == sum(not record["actors"] for record in CODES)

    def test_pairs(self):
        assert number(r"others hold ([\d,]+) \(text, actor\) pairs") == len(PAIRS)

    def test_labels(self):
        table = re.findall(r"^\| (\w+) \| ([\d,]+) \|$", CARD, re.M)
        assert {label: int(count.replace(",", "")) for label, count in table} == Counter(label for *_, label in PAIRS)


def test_every_item_stands_once():
    assert len({record["id"] for record in CODES}) == len(CODES)


def test_labels_are_the_tasks(momentum_task):
    assert {label for *_, label in PAIRS} == set(momentum_task.label_names)


def test_offsets_are_those_of_words():
    assert all(0 <= start < end for start, end, _ in PAIRS)


def test_no_text_is_in_the_package():
    assert {key for record in CODES for key in record} == {"id", "actors"}


class TestJoining:
    """Codes and the user's own texts."""

    def test_rows_are_pairs_of_text_and_actor(self, tmp_path):
        path = write_rows(tmp_path / "texts.jsonl", first(10, date="2010-01-01"))
        rows = list(coded_rows("momentum", str(path)))
        assert len(rows) == sum(len(record["actors"]) for record in CODES[:10])
        row, record = rows[0], next(record for record in CODES if record["actors"])
        start, end, label = record["actors"][0]
        assert (row["start"], row["end"], row["label"], row["group"]) == (start, end, label, record["id"])
        assert (row["actor"], row["date"]) == (row["text"][start:end], "2010-01-01")
        assert len({row["id"] for row in rows}) == len(rows)

    def test_texts_that_are_not_coded_are_left_out(self, tmp_path):
        write_rows(tmp_path / "texts.jsonl", [{"id": "other", "text": "Rain."}, *first(1)])
        assert [record["id"] for record in coded_texts("momentum", "texts.jsonl", tmp_path)] == [CODES[0]["id"]]

    def test_texts_of_a_folder_without_any_of_them_are_refused(self, tmp_path):
        path = write_rows(tmp_path / "texts.jsonl", [{"id": "other", "text": "Rain."}])
        with pytest.raises(InputError, match=r"holds none of the texts that codes:momentum is about"):
            list(coded_rows("momentum", str(path)))

    def test_other_texts_under_the_same_ids_are_refused(self, tmp_path):
        path = write_rows(tmp_path / "texts.jsonl", [{**row, "text": "Rain."} for row in first(10)])
        with pytest.raises(InputError, match=r"the text of ce-topic-\S+ is not the one that codes:momentum is about"):
            list(coded_rows("momentum", str(path)))

    def test_a_file_without_texts_is_refused_with_its_row(self, tmp_path):
        path = write_rows(tmp_path / "texts.jsonl", [{"id": CODES[0]["id"], "body": "Rain."}])
        with pytest.raises(InputError, match=r"texts\.jsonl:1: no column 'text'"):
            list(coded_rows("momentum", str(path)))

    def test_unknown_codes_are_refused(self):
        with pytest.raises(InputError, match="codes:topic: no such codes ship with this package"):
            list(coded_rows("topic", "texts.jsonl"))
