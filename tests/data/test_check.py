import json

import pytest

from conflictnlp.data.check import (
    FAULTS,
    LEAKS,
    NOTES,
    DataReport,
    check_near_duplicates,
    check_split,
    label_counts,
    shared_texts,
)
from conflictnlp.data.example import Span
from tests.data.helpers import FATE, KINDS, MARKED, example, make_task, sentence

NEAR = " ".join(f"word{number}" for number in range(40))
NEARER = f"{NEAR} more"


def found(*examples, task=FATE, long_words=2000):
    return [(finding.kind, finding.index) for finding in check_split("train", examples, task, long_words)]


def across(**splits):
    return [(finding.kind, finding.split, finding.index) for finding in check_near_duplicates(splits, 0.9)]


def marked(text, *span):
    return example(0, text=text, actor=Span(*span))


def test_sound_rows_have_no_finding():
    assert found(example(1), example(2, "loss")) == []


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_empty_text(text):
    assert found(example(1), example(2, text=text)) == [("empty_text", 1)]


@pytest.mark.parametrize("text", ['""""', "...", "12 345", "😀", "_"])
def test_text_without_a_word(text):
    assert found(example(1, text=text)) == [("wordless_text", 0)]


def test_one_letter_of_any_script_is_a_word():
    assert found(example(1, text="é"), example(2, text="战")) == []


def test_over_long_text_is_noted():
    assert found(example(1, text="a b c"), example(2, text="a b c d"), long_words=3) == [("long_text", 1)]


@pytest.mark.parametrize("text", ["cafÃ© fell", "armyâ€™s men", "caf\ufffd fell", "a \x07 bell"])
def test_sign_of_a_wrong_encoding_is_noted(text):
    assert found(example(1, text=text)) == [("encoding", 0)]


def test_accents_are_no_sign_of_a_wrong_encoding():
    assert found(example(1, text="Ångström, São Paulo’s “café”, naïveté\r\n")) == []


def test_actor_that_is_not_in_the_text():
    assert found(marked("The army fell.", "rebels"), task=MARKED) == [("actor_not_in_text", 0)]


def test_actor_that_is_part_of_a_word_is_not_in_the_text():
    assert found(marked("The armyless town.", "army"), task=MARKED) == [("actor_not_in_text", 0)]


def test_actor_named_by_an_alias_is_in_the_text():
    assert found(marked("IS fell.", "Islamic State|IS"), task=MARKED) == []


def test_actor_in_the_title_is_in_what_the_model_reads():
    assert found(example(1, text="They fell.", title="IS loses", actor=Span("IS")), task=MARKED) == []


@pytest.mark.parametrize("offsets", [(4, 7), (0, 4), (7, 7), (8, 4), (-3, 2), (4, 99)])
def test_offsets_that_do_not_hold_the_words(offsets):
    assert found(marked("The army fell.", "army", *offsets), task=MARKED) == [("wrong_offsets", 0)]


def test_right_offsets():
    assert found(marked("The 😀 army fell.", "army", 6, 10), task=MARKED) == []


@pytest.mark.parametrize(("words", "offsets"), [("army", (3, 8)), ("Army", (4, 8)), ("army.", (4, 8))])
def test_offsets_off_by_a_blank_sign_or_case_are_noted(words, offsets):
    assert found(marked("The army fell.", words, *offsets), task=MARKED) == [("loose_offsets", 0)]


def test_detail_tells_what_the_offsets_hold():
    finding = check_split("train", [marked("The army fell.", "army", 0, 3)], MARKED, 2000)[0]
    assert finding.detail == "actor 'army': characters 0 to 3 hold 'The'"


def test_repeated_text_is_noted_from_its_second_row_on():
    rows = [example(1, text="Fell!"), example(2, text="fell"), example(3, text="FELL.")]
    assert found(*rows) == [("duplicate", 1), ("duplicate", 2)]


def test_conflicting_labels_are_a_fault_of_all_their_rows():
    assert found(example(1, text="fell"), example(2), example(3, "loss", text="Fell.")) == [
        ("conflicting_labels", 0),
        ("conflicting_labels", 2),
    ]


def test_conflicting_label_sets():
    assert found(example(1, "a", text="fell"), example(2, "a", "b", text="fell"), task=KINDS) == [
        ("conflicting_labels", 0),
        ("conflicting_labels", 1),
    ]


def test_two_actors_of_one_text_are_two_questions():
    text = "The army beat the rebels."
    rows = [example(1, "gain", text=text, actor=Span("army")), example(2, "loss", text=text, actor=Span("rebels"))]
    assert found(*rows, task=MARKED) == []


def test_text_in_two_splits_is_a_leak_of_the_earlier():
    assert across(train=[example(1), example(2)], validation=[], test=[example(3), example(2)]) == [
        ("leak", "train", 1)
    ]


def test_text_in_all_splits_leaks_from_both_earlier_ones():
    assert across(train=[example(1)], validation=[example(1)], test=[example(1)]) == [
        ("leak", "train", 0),
        ("leak", "validation", 0),
    ]


def test_leak_does_not_depend_on_case_and_signs():
    assert across(train=[example(1, text="IS fell!")], test=[example(2, text="is  FELL")]) == [("leak", "train", 0)]


def test_every_row_of_a_leaked_text_is_a_leak():
    assert across(train=[example(1), example(1)], test=[example(1)]) == [("leak", "train", 0), ("leak", "train", 1)]


def test_wordless_text_leaks_too():
    assert across(train=[example(1, text='""')], test=[example(2, text='"" ')]) == [("leak", "train", 0)]


def test_empty_text_is_no_leak():
    assert across(train=[example(1, text="")], test=[example(2, text=" ")]) == []


def test_leak_tells_where_the_other_row_stands_and_its_labels():
    leaks = check_near_duplicates(
        {"train": [example(1)], "test": [example(5), example(9, "loss", text=sentence(1))]}, 0.9
    )
    assert leaks[0].where == "data.csv:1"
    assert leaks[0].detail.startswith("see data.csv:9: ")
    assert leaks[0].detail.endswith("with other labels there: loss")


def test_labels_of_another_actor_are_no_other_labels():
    text = "The army beat the rebels."
    splits = {
        "train": [example(1, "gain", text=text, actor=Span("army"))],
        "test": [example(2, "loss", text=text, actor=Span("rebels"))],
    }
    assert "other labels" not in check_near_duplicates(splits, 0.9)[0].detail


def test_nearly_the_same_text_in_two_splits():
    assert across(train=[example(1, text=NEARER)], test=[example(2, text=NEAR)]) == [("near_leak", "train", 0)]


def test_nearly_the_same_text_within_a_split_is_noted_once():
    assert across(train=[example(1, text=NEAR), example(2), example(3, text=NEARER)]) == [
        ("near_duplicate", "train", 2)
    ]


def test_exact_leak_is_not_told_again_as_a_near_one():
    splits = {"train": [example(1, text=NEAR)], "test": [example(2, text=NEAR), example(3, text=NEARER)]}
    assert ("near_leak", "train", 0) not in across(**splits)


def test_shared_texts_are_counted_with_their_rows():
    splits = {"train": [example(1), example(1), example(2)], "validation": [], "test": [example(1), example(3)]}
    assert shared_texts(splits) == {"texts": 1, "train": 2, "validation": 0, "test": 1}


def test_nothing_shared_is_empty():
    assert shared_texts({"train": [example(1)], "test": [example(2)]}) == {}


def test_labels_are_counted_in_declared_order_with_zeros():
    task = make_task("p", "q", "r")
    assert list(label_counts([example(1, "r"), example(2, "q"), example(3, "r")], task).items()) == [
        ("p", 0),
        ("q", 1),
        ("r", 2),
    ]


def report():
    rows = {"train": [example(1, text=""), example(2)], "test": [example(2)]}
    result = DataReport(
        rows={name: len(examples) for name, examples in rows.items()},
        labels={name: label_counts(examples, FATE) for name, examples in rows.items()},
        findings=[*check_split("train", rows["train"], FATE, 2000), *check_near_duplicates(rows, 0.9)],
    )
    result.dropped = {"train": {"empty_text": 1}}
    return result


def test_report_counts_rows_by_kind_and_split():
    assert report().counts() == {"empty_text": {"train": 1}, "leak": {"train": 1}}


def test_report_is_json():
    values = json.loads(json.dumps(report().to_dict()))
    assert values["rows"] == {"train": 2, "test": 1}
    assert values["examples"]["empty_text"] == ["data.csv:1: the text is empty"]


def test_report_in_words_names_rows_and_levels():
    lines = report().to_text().splitlines()
    assert lines[0] == "rows: train 2, test 1"
    assert "labels in train: gain 2 (100%), loss 0 (0%)" in lines
    assert "fault: empty text: train 1" in lines
    assert "    data.csv:1: the text is empty" in lines
    assert "leak: text stands in a later split too: train 1" in lines
    assert "dropped from train: empty text 1" in lines


def test_report_without_findings_says_so():
    assert DataReport().to_text().endswith("no faults found")


def test_no_kind_is_of_two_levels():
    kinds = [*FAULTS, *NOTES, *LEAKS]
    assert len(kinds) == len(set(kinds))
