"""The real sets' known faults, as their README states them."""

from __future__ import annotations

import os
import re
from functools import cache

import pytest

from conflictnlp.composition import compose
from conflictnlp.data.check import OTHER_LABELS, DataReport
from conflictnlp.data.load import load_splits, read_split
from conflictnlp.data.near_duplicates import normalise
from conflictnlp.data.sources import read_rows
from conflictnlp.data.splits import Splits

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not os.environ.get("CONFLICTNLP_DATA"), reason="CONFLICTNLP_DATA names no folder of real sets"),
]
ROWS = {
    ("topic", "topic"): (33_291, 4_534),
    ("event_type", "case21"): (343, 173),
    ("event_subtype", "case21"): (343, 173),
    ("plover", "plover"): (895, 155),
    ("plover_quad", "plover"): (895, 155),
    ("newsmtsc", "newsmtsc"): (8_739, 1_146),
    ("momentum", "momentum"): (1_885, 645),
    ("momentum", "battles"): (579, 111),
    ("satp", "satp"): (1_085, 232),
    ("india_police", "india_police"): (14_937, 3_171),
    ("relevance", "bbc_relevance"): (1_588, 315),
}


@cache
def checked(task: str, data: str) -> Splits:
    config, _ = compose([f"task={task}", f"data={data}", "model=tfidf"])
    return load_splits(config.data, config.to_task(), strict=False)


def report(task: str, data: str | None = None) -> DataReport:
    return checked(task, data or task).report


def values(rows):
    return [row.values for row in rows]


def two_label_sets(name: str) -> int:
    """Texts with two label sets, within a split or in two."""
    splits = checked(name, name)
    within = splits.report.of(["conflicting_labels"])
    across = [finding for finding in splits.report.of(["leak"]) if OTHER_LABELS in finding.detail]
    return len({normalise(getattr(splits, f.split)[f.index].text) for f in (*within, *across)})


@pytest.mark.parametrize(("task", "data"), ROWS)
def test_every_row_is_read(task, data):
    config, _ = compose([f"task={task}", f"data={data}", "model=tfidf"])
    found = tuple(len(read_split(config.data, config.to_task(), split)) for split in ("train", "test"))
    assert found == ROWS[task, data]


@pytest.mark.parametrize(
    ("task", "data", "leaked"),
    [("newsmtsc", "newsmtsc", 4), ("satp", "satp", 6), ("relevance", "bbc_relevance", 24)],
)
def test_leaked_texts_are_found(task, data, leaked):
    assert report(task, data).counts()["leak"] == {"train": leaked}
    assert report(task, data).shared == {"texts": leaked, "train": leaked, "validation": 0, "test": leaked}


def test_162_texts_of_india_police_leak_into_436_dev_rows():
    shared = report("india_police").shared
    assert (shared["texts"], shared["test"]) == (162, 436)


@pytest.mark.parametrize(("name", "texts"), [("satp", 10), ("india_police", 32)])
def test_texts_with_two_label_sets_are_found(name, texts):
    assert two_label_sets(name) == texts


def test_texts_without_a_word_are_found():
    splits = checked("india_police", "india_police")
    found = {(finding.split, finding.index) for finding in splits.report.of(["wordless_text"])}
    blank = {
        (name, index)
        for name, examples in splits.items()
        for index, example in enumerate(examples)
        if not re.search(r"\w", example.text)
    }
    assert len(blank) == 134
    assert blank <= found


@pytest.mark.parametrize(("role", "missing"), [("source", 4), ("target", 20)])
def test_plover_actors_that_are_not_in_their_sentence_are_found(role, missing):
    findings = [f for f in report("plover").of(["actor_not_in_text"]) if f.detail.startswith(role)]
    assert len(findings) == missing


def test_plover_sources_that_differ_from_the_marked_words_are_found():
    findings = [f for f in report("plover").of(["wrong_offsets", "loose_offsets"]) if f.detail.startswith("source")]
    assert len(findings) == 13


@pytest.mark.parametrize(
    ("task", "data"),
    [("momentum", "momentum"), ("momentum", "battles"), ("event_type", "case21"), ("event_subtype", "case21")],
)
def test_sets_without_known_faults_have_none(task, data):
    assert report(task, data).counts() == {}


def test_named_set_drops_its_known_leaks_and_faults():
    config, _ = compose(["task=satp", "data=satp", "model=tfidf"])
    splits = load_splits(config.data, config.to_task())
    texts = [{normalise(example.text) for example in examples} for _, examples in splits.items()]
    assert len(splits.test) == 232
    assert len(set.union(*texts)) == sum(map(len, texts))


def test_articles_are_for_evaluation_alone():
    config, _ = compose(["task=momentum", "data=momentum_articles", "model=tfidf"])
    splits = load_splits(config.data, config.to_task(), parts=("test",))
    assert [len(examples) for _, examples in splits.items()] == [0, 0, 44]


def test_packaged_codes_fit_the_topic_sets_texts():
    rows = list(read_rows("codes:momentum@topic/train.parquet", os.environ["CONFLICTNLP_DATA"]))
    assert len(rows) == 1_699
    words = [
        (row["text"][row["start"] - 1 : row["start"]], row["actor"], row["text"][row["end"] :][:1])
        for row in values(rows)
    ]
    assert [found for found in words if found[0].isalnum() or found[1] != found[1].strip() or found[2].isalnum()] == []


def test_packaged_codes_are_of_no_year_that_is_scored():
    rows = read_rows("codes:momentum@topic/train.parquet", os.environ["CONFLICTNLP_DATA"])
    years = {row["date"][:4] for row in values(rows)}
    assert years == {"2010", "2011", "2012", "2014", "2015"}


def test_further_rows_of_momentum_are_added_without_leaks():
    config, _ = compose(["task=momentum", "data=momentum", "model=tfidf"])
    splits = load_splits(config.data, config.to_task())
    scored = {normalise(example.text) for example in (*splits.validation, *splits.test)}
    assert splits.report.rows["extra"] > 3_500
    assert sum(normalise(example.text) in scored for example in splits.train) == 0
    assert len(splits.test) == 645
