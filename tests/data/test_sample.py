from collections import Counter

import pytest

from conflictnlp.composition import compose
from conflictnlp.data.load import load_splits
from conflictnlp.data.near_duplicates import normalise
from conflictnlp.data.sample import COUNTRIES, sample_rows, sample_texts
from conflictnlp.errors import InputError

SPLITS = ("train", "validation", "test")
TEXTS = {split: list(sample_texts(split)) for split in SPLITS}
ALL = [record for records in TEXTS.values() for record in records]
TASKS = ("topic", "event_type", "momentum")


def of_kind(kind):
    return [record for record in ALL if record["kind"] == kind]


@pytest.fixture(scope="module", params=TASKS)
def loaded(request):
    config, _ = compose([f"task={request.param}", "data=sample", "model=tfidf"])
    return config.to_task(), load_splits(config.data, config.to_task())


def test_twelve_countries_are_split_eight_two_two():
    assert [len(COUNTRIES[split]) for split in SPLITS] == [8, 2, 2]
    assert len({country for countries in COUNTRIES.values() for country in countries}) == 12


def test_every_country_has_texts_of_its_own_split_alone():
    for split in SPLITS:
        assert {record["country"] for record in TEXTS[split]} == set(COUNTRIES[split])


def test_there_are_240_reports_of_40_to_120_words():
    lengths = [len(record["text"].split()) for record in of_kind("report")]
    assert len(lengths) >= 240
    assert 40 <= min(lengths) <= max(lengths) <= 120


def test_there_are_16_articles_of_400_to_900_words():
    lengths = [len(record["text"].split()) for record in of_kind("article")]
    assert len(lengths) >= 16
    assert 400 <= min(lengths) <= max(lengths) <= 900


def test_articles_stand_in_every_split():
    assert all(any(record["kind"] == "article" for record in TEXTS[split]) for split in SPLITS)


def test_all_ten_topics_occur():
    assert len({record["topic"] for record in ALL}) == 10


def test_150_texts_bear_one_of_seven_event_types():
    counts = Counter(record["event_type"] for record in ALL)
    assert len(counts) == 7
    assert sum(counts.values()) >= 150


def test_400_actors_are_coded_for_momentum_each_label_50_times():
    counts = Counter(actor["label"] for record in ALL for actor in record["actors"])
    assert sum(counts.values()) >= 400
    assert len(counts) == 4
    assert min(counts.values()) >= 50


def test_ids_are_unique():
    assert len({record["id"] for record in ALL}) == len(ALL)


def test_no_text_stands_twice():
    assert len({normalise(record["text"]) for record in ALL}) == len(ALL)


def test_names_of_actors_stand_in_their_text():
    missing = [
        (record["id"], name)
        for record in ALL
        for actor in record["actors"]
        for name in (actor["actor"], *actor["aliases"])
        if name not in record["text"]
    ]
    assert missing == []


def test_no_name_is_shared_by_two_actors_of_a_text():
    for record in ALL:
        names = [name.lower() for actor in record["actors"] for name in (actor["actor"], *actor["aliases"])]
        assert len(names) == len(set(names)), record["id"]


def test_no_actor_always_wins_or_always_loses():
    courses = {}
    for record in ALL:
        for actor in record["actors"]:
            if actor["label"] != "none":
                courses.setdefault((record["country"], actor["actor"]), []).append(actor["label"])
    frequent = {name: labels for name, labels in courses.items() if len(labels) >= 4}
    assert len(frequent) >= 12
    assert [name for name, labels in frequent.items() if len(set(labels)) == 1] == []


def test_every_label_stands_in_every_split(loaded):
    task, splits = loaded
    for name, examples in splits.items():
        assert {label for example in examples for label in example.labels} == set(task.label_names), name


def test_sample_passes_the_checks_without_a_finding(loaded):
    _, splits = loaded
    assert splits.report.findings == []


def test_sample_is_given_in_splits_and_loses_no_row(loaded):
    task, splits = loaded
    rows = {
        split: sum(len(record["actors"]) for record in TEXTS[split]) if task.spans else len(TEXTS[split])
        for split in SPLITS
    }
    assert {name: len(examples) for name, examples in splits.items()} == rows


def test_pairs_of_one_text_form_one_group():
    groups = {}
    for row in sample_rows("train/actors"):
        groups.setdefault(row["group"], set()).add(row["text"])
    assert all(len(texts) == 1 for texts in groups.values())


def test_offsets_of_pairs_hold_the_actor():
    for split in SPLITS:
        for row in sample_rows(f"{split}/actors"):
            assert row["text"][row["start"] : row["end"]] == row["actor"].split("|")[0]


def test_unknown_split_lists_the_splits():
    with pytest.raises(InputError, match="sample:dev: no such split; splits are train, validation, test"):
        list(sample_texts("dev"))
