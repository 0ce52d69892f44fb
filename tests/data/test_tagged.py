from __future__ import annotations

import logging

import pytest

from conflictnlp.config import ColumnsConfig, DataConfig
from conflictnlp.data.codes import coded_texts
from conflictnlp.data.example import Span
from conflictnlp.data.tagged import TaggedText, tagged_examples, tagger_texts
from conflictnlp.errors import InputError
from tests.data.helpers import MARKED, example, sentence, write_rows
from tests.data.test_codes import first

MET = "FARC met ELN in Velm."


def asked(text: str, *actors: str, title: str = "") -> list:
    return [example(number, text=text, actor=Span(name), title=title) for number, name in enumerate(actors)]


class TestExamples:
    """Rows that each ask about one actor, as texts with all of them."""

    def test_rows_of_one_text_are_joined(self):
        assert tagged_examples(asked(MET, "FARC", "ELN"), MARKED) == [TaggedText(MET, ((0, 4), (9, 12)))]

    def test_every_mention_is_marked(self):
        (text,) = tagged_examples(asked("FARC fled. FARC and farc.", "FARC"), MARKED)
        assert text.spans == ((0, 4), (11, 15))

    def test_aliases_are_marked_too(self):
        (text,) = tagged_examples(asked("Islamic State (IS) fled.", "Islamic State|IS"), MARKED)
        assert text.spans == ((0, 13), (15, 17))

    def test_of_overlapping_mentions_the_longest_stays(self):
        rows = [example(0, text="Free Syrian Army fled.", actor=Span(name, *place)) for name, place in OVERLAPS]
        assert tagged_examples(rows, MARKED)[0].spans == ((0, 16),)

    def test_the_title_is_part_of_the_text(self):
        (text,) = tagged_examples(asked("FARC fled.", "FARC", title="FARC news"), MARKED)
        assert text == TaggedText("FARC news\nFARC fled.", ((0, 4), (10, 14)))

    def test_an_actor_that_is_not_there_marks_nothing(self):
        assert tagged_examples(asked(MET, "Hamas"), MARKED) == [TaggedText(MET, ())]

    def test_texts_stand_in_the_order_of_their_first_rows(self):
        rows = [*asked("ELN fled.", "ELN"), *asked(MET, "FARC"), *asked("ELN fled.", "ELN")]
        assert [text.text for text in tagged_examples(rows, MARKED)] == ["ELN fled.", MET]


OVERLAPS = [("Syrian Army", (5, 16)), ("Free Syrian Army", (0, 16)), ("Free", (0, 4))]


class TestTexts:
    """All that a tagger learns from."""

    def gather(self, tmp_path, train=(), scored=(), **sources):
        return tagger_texts(DataConfig(root=str(tmp_path), **sources), MARKED, train, scored)

    def test_texts_without_an_actor(self, tmp_path):
        write_rows(tmp_path / "none.jsonl", [{"text": sentence(1)}])
        found = self.gather(tmp_path, asked(MET, "FARC"), no_actors=["none.jsonl"])
        assert found == [TaggedText(MET, ((0, 4),)), TaggedText(sentence(1), ())]

    def test_their_column_may_bear_another_name(self, tmp_path):
        write_rows(tmp_path / "none.jsonl", [{"body": sentence(1)}])
        found = self.gather(tmp_path, no_actors=["none.jsonl"], columns=ColumnsConfig(text="body"))
        assert found == [TaggedText(sentence(1), ())]

    def test_of_codes_those_that_name_nobody(self, tmp_path):
        rows = [{**row, "text": f"{sentence(number)} {'word ' * 400}"} for number, row in enumerate(first(10))]
        write_rows(tmp_path / "texts.jsonl", rows)
        found = self.gather(tmp_path, no_actors=["codes:momentum@texts.jsonl"])
        records = list(coded_texts("momentum", "texts.jsonl", tmp_path))
        assert [text.text for text in found] == [record["text"] for record in records if not record["actors"]]
        assert 0 < len(found) < 10

    def test_sources_and_targets_of_events(self, tmp_path):
        row = {"text": MET, "source_start": 0, "source_end": 4, "target_start": 9, "target_end": 12}
        lacking = {"text": sentence(1), "source_start": 0, "source_end": 8, "target_start": None, "target_end": None}
        write_rows(tmp_path / "events.jsonl", [row, lacking])
        assert self.gather(tmp_path, parties=["events.jsonl"]) == [
            TaggedText(MET, ((0, 4), (9, 12)), "party"),
            TaggedText(sentence(1), ((0, 8),), "party"),
        ]

    def test_texts_that_are_scored_are_left_out(self, tmp_path):
        write_rows(tmp_path / "none.jsonl", [{"text": sentence(1).upper()}, {"text": sentence(2)}])
        found = self.gather(tmp_path, scored=[example(1)], no_actors=["none.jsonl"], parties=["none.jsonl"])
        assert [(text.text, text.kind) for text in found] == [(sentence(2), "actor")]

    def test_a_text_stands_once_as_the_training_rows_mark_it(self, tmp_path):
        write_rows(
            tmp_path / "none.jsonl", [{"text": MET}, {"text": " "}, {"text": sentence(2)}, {"text": sentence(2)}]
        )
        found = self.gather(tmp_path, asked(MET, "ELN"), no_actors=["none.jsonl"])
        assert found == [TaggedText(MET, ((9, 12),)), TaggedText(sentence(2), ())]

    def test_missing_optional_sources_are_warned_about(self, tmp_path, caplog):
        with caplog.at_level(logging.WARNING):
            assert self.gather(tmp_path, no_actors=["none.jsonl?"], parties=["events.jsonl?"]) == []
        assert "data.no_actors: none.jsonl is not there" in caplog.text
        assert "data.parties: events.jsonl is not there" in caplog.text

    def test_a_scored_text_is_left_out_with_its_title_too(self, tmp_path):
        write_rows(tmp_path / "none.jsonl", [{"text": sentence(1)}, {"text": f"Rain. {sentence(1)}"}])
        assert self.gather(tmp_path, scored=[example(1, title="Rain")], no_actors=["none.jsonl"]) == []

    @pytest.mark.parametrize("key", ["no_actors", "parties"])
    def test_missing_sources_are_refused(self, tmp_path, key):
        with pytest.raises(InputError, match="no such file"):
            self.gather(tmp_path, **{key: ["none.jsonl"]})

    @pytest.mark.parametrize("key", ["no_actors", "parties"])
    @pytest.mark.parametrize("row", [{"body": "Rain."}, {"text": None}, {"text": 7}])
    def test_rows_without_a_text_are_refused_with_their_place(self, tmp_path, key, row):
        write_rows(tmp_path / "rows.jsonl", [{"text": "Rain."}, row])
        with pytest.raises(InputError, match=r"rows\.jsonl:2: no column 'text' with a text; the columns are"):
            self.gather(tmp_path, **{key: ["rows.jsonl"]})


class TestDates:
    """The rule of `extra_before` for texts of other sets than the data's own."""

    def gather(self, tmp_path, row, key="no_actors", **settings):
        write_rows(tmp_path / "other" / "rows.jsonl", [{"text": sentence(1), **row}])
        config = DataConfig(
            **{"root": str(tmp_path), "train": "own/train.jsonl", "extra_before": "2016-01-01"}
            | {key: ["other/rows.jsonl"]}
            | settings
        )
        return tagger_texts(config, MARKED, [], [])

    @pytest.mark.parametrize("key", ["no_actors", "parties"])
    def test_earlier_rows_are_taken(self, tmp_path, key):
        assert len(self.gather(tmp_path, {"date": "2015-12-31"}, key)) == 1

    @pytest.mark.parametrize("key", ["no_actors", "parties"])
    def test_later_ones_end_the_run(self, tmp_path, key):
        with pytest.raises(InputError, match=r"rows\.jsonl:1: date 2016-01-01: data=files takes only further rows"):
            self.gather(tmp_path, {"date": "2016-01-01"}, key)

    def test_texts_without_an_actor_need_a_date(self, tmp_path):
        with pytest.raises(InputError, match=r"rows\.jsonl:1: date missing"):
            self.gather(tmp_path, {})

    def test_events_need_none(self, tmp_path):
        assert len(self.gather(tmp_path, {}, "parties")) == 1

    @pytest.mark.parametrize("train", ["other/train.jsonl", ["own/a.jsonl", "other/b.jsonl"]])
    def test_a_file_beside_the_training_rows_is_their_own(self, tmp_path, train):
        assert len(self.gather(tmp_path, {"date": "2022-01-01"}, train=train)) == 1

    def test_codes_are_held_to_it(self, tmp_path):
        rows = [{**row, "text": f"{sentence(number)} {'word ' * 400}"} for number, row in enumerate(first(10))]
        write_rows(tmp_path / "texts.jsonl", [{**row, "date": "2016-05-01"} for row in rows])
        with pytest.raises(InputError, match=r"^codes:momentum@texts\.jsonl:\d+: date 2016-05-01"):
            self.gather(tmp_path, {}, no_actors=["codes:momentum@texts.jsonl"], train="train.jsonl")

    def test_without_the_rule_dates_do_not_matter(self, tmp_path):
        assert len(self.gather(tmp_path, {"date": "2022-01-01"}, extra_before=None)) == 1
