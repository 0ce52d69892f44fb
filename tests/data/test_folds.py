from collections import Counter

import numpy as np
import pytest

from conflictnlp.composition import compose
from conflictnlp.config import DataConfig, SplitConfig
from conflictnlp.data import load_splits
from conflictnlp.data.example import Example
from conflictnlp.data.folds import deal, load_fold, load_folds
from conflictnlp.errors import InputError
from conflictnlp.task import Label, Task

TASK = Task("topic", "single", (Label("war", "fighting"), Label("deal", "talks")))
MULTI = Task("acts", "multi", (Label("attack", "fire"), Label("arrest", "custody")))
WORDS = [f"{a}{b}{c}" for a in "bdfg" for b in "aeiou" for c in "klmn"]


def rows(labels, groups=None, copies=()):
    """One row a label, each of its own words; `copies` repeat the text of an earlier row."""
    found = []
    for number, label in enumerate(labels):
        source = dict(copies).get(number, number)
        text = " ".join(WORDS[(source * 7 + step * (source + 1)) % len(WORDS)] for step in range(12)) + f" {source}"
        group = groups[number] if groups else None
        found.append(Example(f"row {number}", str(number), text, label, group=group))
    return found


def folds_of(examples, count, task=TASK, **split):
    return deal(examples, count, DataConfig(split=SplitConfig(**split)), task)


def test_every_row_is_in_one_fold_and_labels_are_balanced():
    numbers = folds_of(rows([("war",)] * 20 + [("deal",)] * 10), 5)
    assert sorted(Counter(numbers[:20].tolist()).values()) == [4] * 5
    assert sorted(Counter(numbers[20:].tolist()).values()) == [2] * 5


def test_rows_of_one_group_share_a_fold():
    groups = [f"g{number // 3}" for number in range(30)]
    numbers = folds_of(rows([("war",), ("deal",), ("war",)] * 10, groups), 3)
    assert all(len({numbers[i] for i in range(30) if groups[i] == group}) == 1 for group in groups)
    assert set(numbers) == {1, 2, 3}


def test_the_same_text_shares_a_fold_even_where_groups_may_part():
    groups = ["one"] * 12
    numbers = folds_of(rows([("war",), ("deal",)] * 6, groups, copies=[(10, 0), (11, 1)]), 2, method="stratified")
    assert numbers[10] == numbers[0] and numbers[11] == numbers[1]
    assert set(numbers) == {1, 2}


def test_the_seed_draws_the_folds():
    examples = rows([("war",), ("deal",)] * 20)
    assert (folds_of(examples, 4, seed=1) == folds_of(examples, 4, seed=1)).all()
    assert (folds_of(examples, 4, seed=1) != folds_of(examples, 4, seed=2)).any()


def test_several_labels_are_balanced():
    labels = [("attack",)] * 8 + [("arrest",)] * 8 + [("attack", "arrest")] * 4 + [()] * 8
    numbers = folds_of(rows(labels), 4, MULTI)
    assert set(numbers) == {1, 2, 3, 4}
    per_fold = [sum("attack" in labels[i] for i in np.flatnonzero(numbers == fold)) for fold in (1, 2, 3, 4)]
    assert max(per_fold) - min(per_fold) <= 1


def test_fewer_groups_than_folds_is_told():
    with pytest.raises(InputError, match=r"evaluation.folds=3: the 4 rows form 2 group\(s\)"):
        folds_of(rows([("war",), ("deal",)] * 2, ["a", "a", "b", "b"]), 3)


@pytest.fixture(scope="module")
def sample():
    config, _ = compose(["task=topic", "model=tfidf"])
    return load_splits(config.data, config.to_task())


def pool(over):
    config, _ = compose(["task=topic", "model=tfidf", "evaluation.folds=4", f"evaluation.folds_over={over}"])
    return load_folds(config, config.to_task())


def test_a_test_file_is_untouched_by_default(sample):
    test = {example.text for example in sample.test}
    folds = pool("train")
    assert len(folds.pool.train) == len(sample.train) + len(sample.validation)
    assert test.isdisjoint(example.text for example in folds.pool.train)


def test_all_rows_take_part_where_asked(sample):
    folds = pool("all")
    assert len(folds.pool.train) == sum(len(rows) for _, rows in sample.items())
    splits = [folds.splits(fold) for fold in (1, 2, 3, 4)]
    held_out = [example.id for one in splits for example in one.test]
    assert sorted(held_out) == sorted(example.id for example in folds.pool.train)
    for one in splits:
        assert len(one.train) + len(one.validation) + len(one.test) == len(folds.pool.train)
        assert {e.text for e in one.train}.isdisjoint(e.text for e in one.test)
        assert one.report.rows == {name: len(rows) for name, rows in one.items()}


def test_one_fold_alone_is_the_same_fold():
    config, _ = compose(["task=topic", "model=tfidf", "evaluation.folds=4", "evaluation.fold=3"])
    task = config.to_task()
    assert load_fold(config, task).fingerprints == load_folds(config, task).splits(3).fingerprints


def test_without_a_test_file_no_test_is_cut(tmp_path):
    lines = [
        f'{{"text": "{" ".join(WORDS[i : i + 9])}", "label": "{label}"}}'
        for i, label in enumerate(["armed_conflict", "politics"] * 15)
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))
    words = ["task=topic", "model=tfidf", "data=files", f"data.train={tmp_path}/rows.jsonl", "evaluation.folds=3"]
    config, _ = compose(words)
    assert len(load_folds(config, config.to_task()).pool.train) == 30
