"""Further training rows: read, kept from what is scored, and reported."""

from __future__ import annotations

import logging

import pytest

from conflictnlp.composition import load_task
from conflictnlp.config import ColumnsConfig, DataConfig
from conflictnlp.data.extra import read_extra
from conflictnlp.errors import InputError
from tests.data.helpers import FATE, KINDS, MARKED, labelled, load, sentence, write, write_rows

OWN = {
    "train": [*labelled(range(6)), *labelled(range(6, 12), "loss")],
    "validation": labelled([20, 21]),
    "test": labelled([30, 31]),
}


def soft(number: int, gain: object, loss: object, **fields: object) -> dict:
    return {"text": sentence(number), "prob_gain": gain, "prob_loss": loss, **fields}


def extra(tmp_path, rows, **settings):
    """Load data of 12 training rows with further ones."""
    path = write_rows(tmp_path / "more.jsonl", rows)
    return load(tmp_path, **OWN, extra=[str(path)], **settings)


class TestLabels:
    """Coded rows."""

    def test_they_stand_beside_the_splits(self, tmp_path):
        splits = extra(tmp_path, labelled([40, 41], "loss"))
        assert [(name, len(rows)) for name, rows in splits.items()] == [
            ("train", 12),
            ("validation", 2),
            ("test", 2),
            ("extra", 2),
        ]
        assert [(row.text, row.label) for row in splits.extra] == [(sentence(40), "loss"), (sentence(41), "loss")]

    def test_they_are_counted_apart(self, tmp_path):
        report = extra(tmp_path, labelled([40, 41], "loss")).report
        assert report.rows == {"train": 12, "validation": 2, "test": 2, "extra": 2}
        assert report.labels["extra"] == {"gain": 0, "loss": 2}
        assert "rows: train 12, validation 2, test 2, extra 2" in report.to_text()

    def test_the_configs_label_column_is_theirs_too(self, tmp_path):
        rows = [{"text": sentence(n), "fate": "loss", "label": "other"} for n in (40, 41)]
        own = {name: [{**row, "fate": row["label"]} for row in split] for name, split in OWN.items()}
        path = write_rows(tmp_path / "more.jsonl", rows)
        splits = load(tmp_path, **own, extra=[str(path)], columns=ColumnsConfig(label="fate"))
        assert [row.label for row in splits.extra] == ["loss", "loss"]

    @pytest.mark.parametrize("name", ["topic", "event_type"])
    @pytest.mark.parametrize("label", [None, "sub_label"])
    def test_the_samples_are_in_the_column_of_their_task(self, name, label):
        task = load_task(name)
        examples, faults = read_extra(DataConfig(extra=["sample:train"], columns=ColumnsConfig(label=label)), task)
        assert len(examples) > 100 and not faults
        assert {example.label for example in examples} == set(task.label_names)

    def test_an_unknown_label_is_refused(self, tmp_path):
        with pytest.raises(InputError, match=r"more\.jsonl:1: unknown label 'draw'"):
            extra(tmp_path, labelled([40], "draw"))

    def test_several_labels_at_once(self, tmp_path):
        more = write_rows(tmp_path / "more.jsonl", [{"text": sentence(60), "labels": ["a", "c"]}])
        rows = [{"text": sentence(n), "labels": [["a"], ["b", "c"]][n % 2]} for n in range(40)]
        splits = load(tmp_path, KINDS, train=rows, extra=[str(more)])
        assert splits.extra[-1].labels == ("a", "c")

    def test_no_further_sets_change_nothing(self, tmp_path):
        splits = load(tmp_path, **OWN)
        assert "extra" not in splits.report.rows
        assert [name for name, _ in splits.items()] == ["train", "validation", "test"]


class TestDistributions:
    """A teacher's probabilities."""

    def test_they_become_what_training_aims_at(self, tmp_path):
        splits = extra(tmp_path, [soft(40, 0.3, 0.7), soft(41, 0.9, 0.1)])
        assert [(row.label, row.chances) for row in splits.extra] == [("loss", (0.3, 0.7)), ("gain", (0.9, 0.1))]

    def test_texts_of_numbers_are_numbers(self, tmp_path):
        more = write(tmp_path / "more.csv", f"text,prob_loss,prob_gain\n{sentence(40)},0.75,0.25\n")
        assert load(tmp_path, **OWN, extra=[str(more)]).extra[0].chances == (0.25, 0.75)

    def test_a_label_wins_over_them(self, tmp_path):
        (row,) = extra(tmp_path, [soft(40, 0.3, 0.7, label="gain")]).extra
        assert (row.label, row.chances) == ("gain", None)

    def test_one_column_of_them_is_no_distribution(self, tmp_path):
        with pytest.raises(InputError, match=r"more\.jsonl:1: no column 'label' or 'labels'"):
            extra(tmp_path, [{"text": sentence(40), "prob_gain": 1.0}])

    def test_rows_that_the_teacher_could_not_score_are_left_out(self, tmp_path):
        splits = extra(tmp_path, [soft(40, None, None, error="empty text"), soft(41, 1.0, 0.0)])
        assert [row.text for row in splits.extra] == [sentence(41)]

    def test_labels_and_distributions_may_be_mixed(self, tmp_path):
        splits = extra(tmp_path, [soft(40, 0.3, 0.7), *labelled([41])])
        assert [row.chances for row in splits.extra] == [(0.3, 0.7), None]

    def test_what_predict_rounds_is_taken(self, tmp_path):
        assert len(extra(tmp_path, [soft(40, 0.33, 0.66)]).extra) == 1

    @pytest.mark.parametrize(
        ("chances", "told"),
        [
            ((0.5, 0.6), "the prob_ columns sum to 1.100, not to 1"),
            ((0.5, 0.4), "the prob_ columns sum to 0.900, not to 1"),
            ((1.2, -0.2), "the prob_ columns sum to 1.000, not to 1"),
            ((float("nan"), 0.5), "the prob_ columns sum to nan"),
            (("high", 0.5), "prob_ columns must hold probabilities"),
            (([0.5], 0.5), "prob_ columns must hold probabilities"),
        ],
        ids=str,
    )
    def test_what_is_no_distribution_is_refused(self, tmp_path, chances, told):
        with pytest.raises(InputError) as error:
            extra(tmp_path, [soft(40, 0.5, 0.5), soft(41, *chances)])
        assert "more.jsonl:2: " in str(error.value)
        assert told in str(error.value)

    def test_the_fingerprint_changes_with_them(self, tmp_path):
        rows = [labelled([40]), [soft(40, 0.9, 0.1)], [soft(40, 0.8, 0.2)], [soft(40, 0.9, 0.1)]]
        found = [extra(tmp_path, row).fingerprints for row in rows]
        assert len({prints["extra"] for prints in found}) == 3
        assert found[1] == found[3]
        assert len({prints["train"] for prints in found}) == len({prints["test"] for prints in found}) == 1


class TestLeaks:
    """Nothing that is scored is learnt from."""

    def test_texts_of_scored_splits_are_left_out_and_counted(self, tmp_path):
        rows = labelled([20, 30, 31, 40])
        splits = extra(tmp_path, rows)
        assert [row.text for row in splits.extra] == [sentence(40)]
        assert splits.report.rows["extra"] == 1
        assert splits.report.dropped == {"extra": {"leak": 3}}
        assert "dropped from extra: text stands in a later split too 3" in splits.report.to_text()

    def test_so_are_nearly_the_same_texts(self, tmp_path):
        more = write_rows(tmp_path / "more.jsonl", [{"text": sentence(30) + " again", "label": "gain"}])
        splits = load(tmp_path, **OWN, extra=[str(more)], near_duplicate=0.8)
        assert splits.report.dropped == {"extra": {"near_leak": 1}}

    def test_case_and_signs_do_not_hide_a_text(self, tmp_path):
        splits = extra(tmp_path, [{"text": sentence(30).upper().replace(" ", ", ") + "!", "label": "loss"}])
        assert splits.report.dropped == {"extra": {"leak": 1}}

    def test_texts_of_a_test_that_is_cut_from_train_are_left_out_too(self, tmp_path):
        rows = [*labelled(range(20)), *labelled(range(50, 70), "loss")]
        more = write_rows(tmp_path / "more.jsonl", rows)
        splits = load(tmp_path, train=rows, extra=[str(more)])
        assert (len(splits.train), len(splits.extra)) == (29, 0)
        assert splits.report.dropped["extra"] == {"leak": 40}

    def test_a_text_that_is_trained_on_already_is_not_trained_on_twice(self, tmp_path):
        assert extra(tmp_path, labelled([0, 40])).report.dropped == {"extra": {"leak": 1}}

    def test_keeping_leaks_is_refused(self, tmp_path):
        with pytest.raises(InputError, match=r"data\.on_leak=keep.*drop data\.on_leak=keep or set data\.extra=\[\]"):
            extra(tmp_path, labelled([40]), on_leak="keep")

    def test_keeping_leaks_without_further_rows_is_not(self, tmp_path):
        assert len(load(tmp_path, **OWN, on_leak="keep").train) == 12


class TestFaults:
    """Faulty rows are always left out."""

    def test_they_are_counted(self, tmp_path):
        rows = [{"text": " ", "label": "gain"}, {"text": "1 2 3", "label": "gain"}, *labelled([40])]
        splits = extra(tmp_path, rows)
        assert splits.report.dropped == {"extra": {"empty_text": 1, "wordless_text": 1}}
        assert len(splits.extra) == 1

    def test_even_where_nothing_is_left(self, tmp_path):
        report = extra(tmp_path, [{"text": " ", "label": "gain"}]).report
        assert (report.rows["extra"], report.dropped) == (0, {"extra": {"empty_text": 1}})

    def test_an_actor_that_is_not_in_its_text(self, tmp_path):
        rows = [{"text": f"{name} fled from {sentence(n)}", "actor": "FARC", "label": "loss"} for n, name in BOTH]
        own = {name: [{**row, "text": f"ELN: {row['text']}", "actor": "ELN"} for row in OWN[name]] for name in OWN}
        more = write_rows(tmp_path / "more.jsonl", rows)
        splits = load(tmp_path, MARKED, **own, extra=[str(more)])
        assert splits.report.dropped == {"extra": {"actor_not_in_text": 1}}

    def test_one_text_with_two_labels(self, tmp_path):
        rows = [*labelled([40]), *labelled([40], "loss")]
        assert extra(tmp_path, rows).report.dropped == {"extra": {"conflicting_labels": 2}}


BOTH = [(40, "FARC"), (41, "ELN")]


class TestDates:
    """The rule of `extra_before`."""

    def test_earlier_rows_are_taken(self, tmp_path):
        rows = labelled([40], date="2015-12-31")
        assert len(extra(tmp_path, rows, extra_before="2016-01-01").extra) == 1

    @pytest.mark.parametrize(
        ("date", "told"),
        [
            ("2016-01-01", "date 2016-01-01"),
            ("2022-05-01", "date 2022-05-01"),
            (None, "date missing"),
            ("", "date missing"),
            ("31/12/2016", "date 31/12/2016"),
            ("1 May 2019", "date 1 May 2019"),
        ],
    )
    def test_later_and_undated_ones_end_the_run(self, tmp_path, date, told):
        rows = [*labelled([40], date="2010-01-01"), *labelled([41], date=date)]
        with pytest.raises(InputError) as error:
            extra(tmp_path, rows, extra_before="2016-01-01", name="portal")
        assert f"more.jsonl:2: {told}: data=portal takes only further rows from before 2016-01-01" in str(error.value)

    def test_rows_without_the_column_end_it_too(self, tmp_path):
        with pytest.raises(InputError, match="date missing"):
            extra(tmp_path, labelled([40]), extra_before="2016-01-01")

    def test_the_column_may_bear_another_name(self, tmp_path):
        rows = labelled([40], day="2015-01-01")
        settings = {"extra_before": "2016-01-01", "columns": ColumnsConfig(date="day")}
        assert len(extra(tmp_path, rows, **settings).extra) == 1

    def test_without_the_rule_dates_do_not_matter(self, tmp_path):
        assert len(extra(tmp_path, labelled([40], date="2022-01-01")).extra) == 1

    def test_invented_texts_need_none(self, tmp_path, momentum_task):
        config = DataConfig(extra=["sample:train", "reports:borders"], extra_before="2016-01-01")
        examples, faults = read_extra(config, momentum_task)
        assert len(examples) > 400
        assert not faults


class TestSources:
    """Several sets, some of which may lack."""

    def test_they_are_read_in_their_order(self, tmp_path):
        one = write_rows(tmp_path / "one.jsonl", labelled([40]))
        two = write_rows(tmp_path / "two.jsonl", labelled([41]))
        splits = load(tmp_path, **OWN, extra=[str(two), str(one)])
        assert [row.text for row in splits.extra] == [sentence(41), sentence(40)]

    def test_a_missing_one_is_refused(self, tmp_path):
        with pytest.raises(InputError, match=r"none\.jsonl: no such file"):
            load(tmp_path, **OWN, extra=["none.jsonl"])

    def test_a_missing_optional_one_is_warned_about(self, tmp_path, caplog):
        more = write_rows(tmp_path / "more.jsonl", labelled([40]))
        with caplog.at_level(logging.WARNING):
            splits = load(tmp_path, **OWN, extra=["none.jsonl?", f"{more}?"])
        assert len(splits.extra) == 1
        assert [record.message for record in caplog.records] == [
            "data.extra: none.jsonl is not there; training goes on without it"
        ]

    def test_relative_ones_start_at_the_root(self, tmp_path):
        write_rows(tmp_path / "sets" / "more.jsonl", labelled([40]))
        config = DataConfig(root=str(tmp_path / "sets"), extra=["more.jsonl?"])
        assert [row.text for row in read_extra(config, FATE)[0]] == [sentence(40)]

    def test_a_split_of_the_sample_is_read_by_actor(self, momentum_task):
        examples, _ = read_extra(DataConfig(extra=["sample:test"]), momentum_task)
        assert all(example.spans for example in examples)


class TestLimit:
    """`data.limit` holds for the further rows too."""

    @pytest.mark.parametrize(("limit", "own", "further"), [(4, 4, 4), (10, 10, 10), (11, 11, 10), (100, 12, 10)])
    def test_neither_part_passes_it(self, tmp_path, limit, own, further):
        splits = extra(tmp_path, labelled(range(40, 50)), limit=limit)
        assert [len(rows) for _, rows in splits.items()] == [own, 2, 2, further]

    def test_drawn_rows_are_repeatable_and_in_order(self, tmp_path):
        one, two = (extra(tmp_path, labelled(range(40, 60)), limit=6).extra for _ in range(2))
        order = [sentence(number) for number in range(40, 60)]
        assert [row.text for row in one] == sorted((row.text for row in one), key=order.index)
        assert one == two
