import random

import pytest

from conflictnlp.data import near_duplicates as module
from conflictnlp.data.near_duplicates import near_duplicates, normalise

BASE = [f"word{number}" for number in range(40)]


def edited(number):
    """The base text with its last `number` words replaced; its triples shared with the base are 38 - number."""
    return " ".join([*BASE[: len(BASE) - number], *(f"new{step}" for step in range(number))])


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CONFLICTNLP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("The ARMY,  fell!\n", "the army fell"),
        ("Straße", "strasse"),
        ("cafe\u0301", "café"),
        ("ﬁghting", "fighting"),
        ("😀 ... 😀", ""),
        ("", ""),
    ],
)
def test_normalised_text_is_its_words(text, same):
    assert normalise(text) == same


def test_pair_is_found_by_its_share_of_triples():
    # 36 of 40 triples are shared.
    assert near_duplicates([" ".join(BASE), edited(2)], 0.9) == [(0, 1)]


def test_pair_below_the_threshold_is_left():
    # 35 of 41 triples are shared.
    assert near_duplicates([" ".join(BASE), edited(3)], 0.9) == []


@pytest.mark.parametrize("threshold", [0.01, 0.5, 0.99, 1.0])
def test_every_threshold_is_usable(threshold):
    assert near_duplicates([" ".join(BASE), "other " * 20], threshold) == []


def test_pairs_bear_the_smaller_index_first_and_are_sorted():
    texts = ["something else " * 8, edited(1), " ".join(BASE), edited(2)]
    assert near_duplicates(texts, 0.85) == [(1, 2), (1, 3), (2, 3)]


def test_short_texts_are_no_near_duplicates():
    assert near_duplicates(["one two three four five six seven", "one two three four five six"], 0.1) == []


@pytest.mark.parametrize("texts", [[], ["alone"], [" ".join(BASE)]])
def test_too_few_texts_have_no_pairs(texts):
    assert near_duplicates(texts, 0.9) == []


def test_nearly_all_pairs_over_the_threshold_are_found():
    rng = random.Random(1)
    texts = []
    for _ in range(200):
        words = [f"w{rng.randrange(9_999)}" for _ in range(62)]
        texts += [" ".join(words), " ".join([*words[:-2], "one", "two"])]
    assert len(near_duplicates(texts, 0.9)) >= 198


def test_second_call_computes_nothing(monkeypatch):
    texts = [" ".join(BASE), edited(1)]
    first = near_duplicates(texts, 0.9)
    monkeypatch.setattr(module, "_compute", lambda *_: pytest.fail("computed again"))
    assert near_duplicates(texts, 0.9) == first == [(0, 1)]


@pytest.mark.parametrize(("texts", "threshold"), [([edited(0), edited(5)], 0.9), ([edited(0), edited(1)], 0.99)])
def test_other_texts_or_threshold_are_computed_anew(texts, threshold):
    near_duplicates([edited(0), edited(1)], 0.9)
    assert near_duplicates(texts, threshold) == []


def test_damaged_cache_is_computed_anew(cache):
    texts = [edited(0), edited(1)]
    near_duplicates(texts, 0.9)
    for file in cache.rglob("*.json"):
        file.write_text("{")
    assert near_duplicates(texts, 0.9) == [(0, 1)]


def test_cache_that_cannot_be_written_is_no_error(cache):
    cache.write_text("a file where the folder should be")
    assert near_duplicates([edited(0), edited(1)], 0.9) == [(0, 1)]
