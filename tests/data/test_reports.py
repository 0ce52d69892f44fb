"""The packaged reports: their card tells the truth, and every coded name stands in its text."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import partial
from importlib import resources

import pytest

from conflictnlp.config import DataConfig
from conflictnlp.data.check import FAULTS, check_near_duplicates, check_split
from conflictnlp.data.extra import read_extra
from conflictnlp.data.near_duplicates import normalise
from conflictnlp.data.reports import THEATRES, report_rows, report_texts
from conflictnlp.data.sample import sample_texts
from conflictnlp.errors import InputError
from conflictnlp.text import find_mentions, sentence_spans
from tests.data.helpers import stated_number

CARD = resources.files("conflictnlp.data.reports").joinpath("DATA_CARD.md").read_text(encoding="utf-8")
RECORDS = list(report_texts())
PAIRS = [(record, actor) for record in RECORDS for actor in record["actors"]]
PASSAGES = [record for record in RECORDS if record["id"] != record["group"]]
ARTICLES = [record for record in RECORDS if record not in PASSAGES and len(record["text"].split()) > 90]


number = partial(stated_number, CARD)


class TestCard:
    """Its figures are counted from the files."""

    def test_texts(self):
        assert number(r"([\d,]+) English texts") == len(RECORDS)

    def test_reports_of_one_to_four_sentences(self):
        assert number(r"([\d,]+) reports of one to four sentences") == len(RECORDS) - len(ARTICLES) - len(PASSAGES)
        whole = [record for record in RECORDS if record not in (*ARTICLES, *PASSAGES)]
        assert max(len(sentence_spans(record["text"])) for record in whole) == 4

    def test_passages(self):
        assert number(r"([\d,]+) passages of") == len(PASSAGES)
        assert number(r"passages of (\d+) longer articles") == len({record["group"] for record in PASSAGES})

    def test_articles(self):
        assert number(r"(\d+) articles of 100 to 210 words") == len(ARTICLES)
        lengths = [len(record["text"].split()) for record in ARTICLES]
        assert 100 <= min(lengths) <= max(lengths) <= 210

    def test_pairs(self):
        assert number(r"with ([\d,]+) \(text, actor\) pairs") == len(PAIRS)

    def test_labels(self):
        table = {label: int(count) for label, count in re.findall(r"^\| (\w+) \| (\d+) \|$", CARD, re.M)}
        assert table == Counter(actor["label"] for _, actor in PAIRS)

    def test_files(self):
        assert re.findall(r"\(`(\w+)`\)", CARD) == list(THEATRES)
        shipped = {path.name for path in resources.files("conflictnlp.data.reports").iterdir()}
        assert {name for name in shipped if name.endswith(".jsonl")} == {f"{theatre}.jsonl" for theatre in THEATRES}


class TestTexts:
    """What was written."""

    def test_none_stands_twice_nor_in_the_sample(self):
        sample = [record["text"] for split in ("train", "validation", "test") for record in sample_texts(split)]
        words = [normalise(text) for text in (*(record["text"] for record in RECORDS), *sample)]
        assert len(set(words)) == len(words)

    def test_every_name_stands_in_its_text(self):
        missing = [
            (r["id"], name) for r, actor in PAIRS for name in actor["names"] if not find_mentions(r["text"], [name])
        ]
        assert missing == []

    def test_no_name_is_shared_by_two_actors_of_a_text(self):
        for record in RECORDS:
            names = [{name.lower() for name in actor["names"]} for actor in record["actors"]]
            assert len(set().union(*names)) == sum(map(len, names)), record["id"]

    def test_labels_are_the_tasks(self, momentum_task):
        assert {actor["label"] for _, actor in PAIRS} == set(momentum_task.label_names)

    def test_keys_are_those_of_the_card(self):
        assert {key for record in RECORDS for key in record} == {"id", "group", "text", "actors"}
        assert {key for _, actor in PAIRS for key in actor} == {"names", "label"}

    def test_ids_are_unique(self):
        assert len({record["id"] for record in RECORDS}) == len(RECORDS)


class TestRows:
    """Reports as labelled rows."""

    def test_offsets_hold_the_fullest_name(self):
        for row in report_rows("all"):
            assert row["text"][row["start"] : row["end"]].lower() == row["actor"].split("|")[0].lower(), row["id"]

    def test_pairs_of_one_text_form_one_group(self):
        groups: dict[str, set[str]] = {}
        for row in report_rows("all"):
            groups.setdefault(row["text"], set()).add(row["group"])
        assert all(len(found) == 1 for found in groups.values())

    def test_they_pass_the_checks(self, momentum_task):
        examples, faults = read_extra(DataConfig(extra=["reports:all"]), momentum_task)
        assert len(examples) == len(PAIRS)
        assert faults == Counter()
        found = [finding for finding in check_split("extra", examples, momentum_task, 2000) if finding.kind in FAULTS]
        assert (found, check_near_duplicates({"extra": examples}, 0.9)) == ([], [])

    def test_a_theatre_holds_its_own_texts(self):
        assert {row["group"].partition("-")[0] for row in report_rows("fronts")} == {"fronts"}

    @pytest.mark.parametrize("theatre", ["", "seas", "ALL"])
    def test_an_unknown_theatre_lists_them(self, theatre):
        with pytest.raises(
            InputError, match=f"reports:{theatre}: no such reports; there are all, cities, hills, fronts"
        ):
            list(report_rows(theatre))


def test_files_hold_one_object_a_line():
    for theatre in THEATRES:
        content = resources.files("conflictnlp.data.reports").joinpath(f"{theatre}.jsonl").read_text(encoding="utf-8")
        keys = {"title", "sentences", "actors"} if theatre in ("features", "releases") else {"text", "actors"}
        assert all(set(json.loads(line)) == keys for line in content.splitlines())
