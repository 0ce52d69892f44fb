import json

import pytest

from conflictnlp.config import ColumnsConfig, DataConfig, SplitConfig
from conflictnlp.data.load import fitting_sets, load_splits
from conflictnlp.errors import InputError
from tests.data.helpers import FATE, KINDS, MARKED, labelled, load, make_task, sentence, write, write_rows

BOTH = [*labelled(range(20)), *labelled(range(20, 40), "loss")]


def texts(examples):
    return [example.text for example in examples]


def test_given_splits_are_taken_as_they_are(tmp_path):
    splits = load(
        tmp_path,
        train=[*labelled([1, 2]), *labelled([3], "loss")],
        validation=labelled([4]),
        test=labelled([5], "loss"),
    )
    assert [texts(rows) for _, rows in splits.items()] == [
        [sentence(1), sentence(2), sentence(3)],
        [sentence(4)],
        [sentence(5)],
    ]
    assert splits.report.rows == {"train": 3, "validation": 1, "test": 1}


def test_validation_is_cut_from_train_and_dev_left_whole(tmp_path):
    splits = load(tmp_path, train=BOTH, test=labelled(range(50, 60)))
    assert [len(rows) for _, rows in splits.items()] == [36, 4, 10]


def test_test_split_is_cut_from_train_where_there_is_none(tmp_path):
    splits = load(tmp_path, train=BOTH)
    assert [len(rows) for _, rows in splits.items()] == [29, 3, 8]
    assert splits.report.rows == {"train": 29, "validation": 3, "test": 8}


def test_made_splits_are_repeatable(tmp_path):
    one, two = (load(tmp_path, train=BOTH) for _ in range(2))
    assert one.fingerprints == two.fingerprints


def test_seed_of_the_split_changes_it(tmp_path):
    one, two = (load(tmp_path, train=BOTH, split=SplitConfig(seed=seed)) for seed in (1, 2))
    assert one.fingerprints["test"] != two.fingerprints["test"]


def test_made_splits_share_no_group(tmp_path):
    rows = [{**row, "group": number // 4} for number, row in enumerate(BOTH)]
    splits = load(tmp_path, train=rows)
    groups = [{example.group for example in examples} for _, examples in splits.items()]
    assert len(set.union(*groups)) == sum(map(len, groups)) == 10


def test_date_split_tests_on_the_latest_rows(tmp_path):
    rows = [{**row, "date": f"20{number:02}-01-01"} for number, row in enumerate(BOTH)]
    splits = load(tmp_path, train=rows, split=SplitConfig(method="date", test=0.2, validation=0.25))
    years = [[int(example.date[2:4]) for example in examples] for _, examples in splits.items()]
    assert years == [list(range(24)), list(range(24, 32)), list(range(32, 40))]


def test_multi_label_splits_are_made(tmp_path):
    rows = [{"text": sentence(n), "labels": [[], ["a"], ["b", "c"]][n % 3]} for n in range(60)]
    splits = load(tmp_path, KINDS, train=rows)
    sizes = [len(examples) for _, examples in splits.items()]
    assert sum(sizes) == 60
    assert sizes[2] == 12
    assert splits.report.labels["test"] == {"a": 4, "b": 4, "c": 4}


def test_split_column_parts_the_training_file(tmp_path):
    names = ["train", "train", "dev", "val", "valid", "Validation", "TEST"]
    rows = [{**row, "split": name} for row, name in zip(BOTH[19:26], names, strict=True)]
    splits = load(tmp_path, train=rows)
    assert [len(examples) for _, examples in splits.items()] == [2, 4, 1]


def test_row_without_a_split_is_for_training(tmp_path):
    rows = [*BOTH[10:30], {**BOTH[30], "split": "test"}, {**BOTH[31], "split": None}]
    assert texts(load(tmp_path, train=rows).test) == [sentence(30)]


def test_unknown_split_is_refused_with_its_row(tmp_path):
    with pytest.raises(InputError, match=r"train\.jsonl:2: split='holdout'; must be train, validation or test"):
        load(tmp_path, train=[{**BOTH[0], "split": "test"}, {**BOTH[1], "split": "holdout"}])


def test_limit_takes_rows_of_train_alone(tmp_path):
    splits = load(tmp_path, train=BOTH, validation=labelled(range(50, 60)), test=labelled(range(60, 70)), limit=12)
    assert [len(examples) for _, examples in splits.items()] == [12, 10, 10]


def test_limit_of_the_test_split(tmp_path):
    splits = load(tmp_path, train=BOTH, validation=labelled(range(50, 60)), test=labelled(range(60, 70)), limit_test=3)
    assert [len(examples) for _, examples in splits.items()] == [40, 10, 3]


def test_limit_beyond_the_rows_takes_all(tmp_path):
    assert len(load(tmp_path, train=BOTH, test=labelled([50]), validation=labelled([51]), limit=41).train) == 40


def test_limited_rows_are_repeatable_and_in_order(tmp_path):
    one, two = (load(tmp_path, train=BOTH, validation=labelled([50]), test=labelled([51]), limit=9) for _ in range(2))
    order = [sentence(number) for number in range(40)]
    assert texts(one.train) == texts(two.train) == sorted(texts(one.train), key=order.index)


def test_list_of_files_is_read_in_its_order(tmp_path):
    write_rows(tmp_path / "a.jsonl", labelled([1]))
    write_rows(tmp_path / "b.jsonl", labelled([2], "loss"))
    config = DataConfig(
        root=str(tmp_path), train=["b.jsonl", "a.jsonl"], validation=["a.jsonl"], test="b.jsonl", on_leak="keep"
    )
    assert texts(load_splits(config, FATE).train) == [sentence(2), sentence(1)]


def test_columns_are_named_by_the_config(tmp_path):
    rows = [{"body": row["text"], "quad": row["label"]} for row in BOTH]
    splits = load(tmp_path, train=rows, columns=ColumnsConfig(text="body", label="quad"))
    assert splits.report.labels["test"].keys() == {"gain", "loss"}


def test_named_set_tells_the_label_column_of_each_task(tmp_path):
    rows = [{"text": row["text"], "quad": row["label"], "label": "other"} for row in BOTH]
    assert len(load(tmp_path, train=rows, tasks={"course": "quad"}).test) == 8


def test_config_column_wins_over_the_one_of_the_set(tmp_path):
    rows = [{"text": row["text"], "quad": "other", "mine": row["label"]} for row in BOTH]
    splits = load(tmp_path, train=rows, tasks={"course": "quad"}, columns=ColumnsConfig(label="mine"))
    assert len(splits.test) == 8


def test_one_part_alone_is_read_without_training_data(tmp_path):
    path = write_rows(tmp_path / "test.jsonl", labelled([1, 2]))
    splits = load_splits(DataConfig(test=str(path)), FATE, parts=("test",))
    assert [len(examples) for _, examples in splits.items()] == [0, 0, 2]


def test_na_stays_a_label_in_csv(tmp_path):
    task = make_task("NA", "none")
    rows = "".join(f"{sentence(number)},{'NA' if number % 2 else 'none'}\n" for number in range(20))
    splits = load(tmp_path, task, train=str(write(tmp_path / "rows.csv", f"text,label\n{rows}")))
    assert splits.report.labels["test"] == {"NA": 2, "none": 2}


def test_text_of_200_000_characters_is_read(tmp_path):
    text = "word, " * 33_334
    path = write(tmp_path / "rows.csv", f'text,label\n"{text}",gain\n{sentence(1)},loss\n')
    splits = load(tmp_path, train=str(path), validation=labelled([2]), test=labelled([3]))
    assert len(splits.train[0].text) == 200_004
    assert splits.report.counts() == {"long_text": {"train": 1}}


def test_fingerprint_covers_text_label_title_and_actor(tmp_path):
    base = {"text": "IS fell to the army", "label": "loss", "actor": "IS", "title": "News"}
    variants = [
        base,
        *(
            {**base, key: value}
            for key, value in (
                ("text", "IS fell to the army!"),
                ("label", "gain"),
                ("actor", "army"),
                ("title", "More"),
                ("start", 0),
            )
        ),
    ]
    for row in variants:
        row["end"] = 2
    found = set()
    for row in variants:
        path = tmp_path / "one.jsonl"
        path.write_text(json.dumps(row))
        found.add(load_splits(DataConfig(test=str(path)), MARKED, parts=("test",)).fingerprints["test"])
    assert len(found) == len(variants)


def test_fingerprint_does_not_depend_on_the_file(tmp_path):
    one = load(tmp_path / "one", train=BOTH, test=labelled([50]))
    two = load(tmp_path / "two", train=BOTH, test=labelled([50]))
    assert one.fingerprints == two.fingerprints


def test_sets_that_fit_a_task_are_listed():
    assert fitting_sets(make_task("a", "b")) == ["files"]


def test_group_in_two_given_splits_is_a_leak(tmp_path):
    train = [*labelled([1], group="g1"), *labelled([2], "loss", group="g2")]
    test = [*labelled([3], group="g2"), *labelled([4], "loss", group="g3")]
    with pytest.raises(InputError, match=r"train\.jsonl:2: group stands in a later split too"):
        load(tmp_path, train=train, validation=labelled([5, 6]), test=test)


def test_row_of_another_split_in_the_training_file_is_refused_where_a_test_file_is_given(tmp_path):
    train = [*labelled([1]), *labelled([2], "loss"), *labelled([3], split="test")]
    with pytest.raises(InputError, match=r"train\.jsonl:3: says split=test but stands in data.train"):
        load(tmp_path, train=train, validation=labelled([5]), test=labelled([6]))


def test_rows_that_say_test_are_the_test_of_a_file_with_several_splits(tmp_path):
    path = write_rows(tmp_path / "all.jsonl", [*labelled([1, 2], split="train"), *labelled([3], split="test")])
    assert texts(load_splits(DataConfig(test=str(path)), FATE, parts=("test",)).test) == [sentence(3)]
