"""The packaged event sentences: their card tells the truth, and every code fits its task and its text."""

from __future__ import annotations

from collections import Counter
from functools import partial
from importlib import resources

import pytest

from conflictnlp.composition import load_task
from conflictnlp.config import ColumnsConfig, DataConfig
from conflictnlp.data.check import FAULTS, check_near_duplicates, check_split
from conflictnlp.data.events import CODINGS, event_rows, event_texts
from conflictnlp.data.extra import read_extra
from conflictnlp.data.reports import report_texts
from conflictnlp.data.sample import sample_texts
from conflictnlp.errors import InputError
from tests.data.helpers import stated_number

CARD = resources.files("conflictnlp.data.events").joinpath("DATA_CARD.md").read_text(encoding="utf-8")
TEXTS = {coding: list(event_texts(coding)) for coding in CODINGS}
EVENTS = [event for record in TEXTS["plover"] for event in record["events"]]
TASKS = {"plover": "plover", "plover_quad": "plover", "event_type": "case21", "event_subtype": "case21"}


number = partial(stated_number, CARD)


class TestCard:
    """Its figures are counted from the files."""

    def test_texts(self):
        assert number(r"([\d,]+) English texts") == sum(map(len, TEXTS.values()))
        for coding, texts in TEXTS.items():
            assert number(rf"`{coding}.jsonl` \| ([\d,]+)") == len(texts)

    def test_events_and_labels(self):
        assert number(r"([\d,]+) events: source") == len(EVENTS)
        roots = Counter(event["label"] for event in EVENTS).values()
        assert number(r"roots, (\d+) to") == min(roots)
        assert number(r"roots, \d+ to (\d+) of each") == max(roots)
        sub_types = Counter(record["label"] for record in TEXTS["case21"]).values()
        assert number(r"shared task, (\d+) to") == min(sub_types)
        assert number(r"shared task, \d+ to (\d+) of each") == max(sub_types)

    def test_the_second_set_is_what_stands_last(self):
        told = [stated_number(CARD, rf"the last ([\d,]+){of}") for of in (" texts of PLOVER", " of CASE")]
        assert [len(TEXTS[coding]) - last for coding, last in zip(CODINGS, told, strict=True)] == [1198, 1482]

    def test_nearly_a_fifth_report_several_events(self):
        assert 0.17 < sum(len(record["events"]) > 1 for record in TEXTS["plover"]) / len(TEXTS["plover"]) < 0.2


@pytest.mark.parametrize(("task", "coding"), TASKS.items())
def test_every_row_is_read_for_its_task_without_a_fault(task, coding):
    # The columns of a set may bear any name; those of the package are the tasks'.
    config = DataConfig(extra=[f"events:{coding}"], columns=ColumnsConfig(label="quad"))
    examples, faults = read_extra(config, load_task(task))
    assert not faults
    assert len(examples) == (len(EVENTS) if coding == "plover" else len(TEXTS["case21"]))
    assert {example.label for example in examples} == set(load_task(task).label_names)
    found = check_split("extra", examples, load_task(task), 2000)
    assert [fault for fault in found if fault.kind in FAULTS] == []


def test_offsets_hold_the_words():
    for row in event_rows("plover"):
        for role in ("source", "target"):
            if row[role] is None:
                assert (row[f"{role}_start"], row[f"{role}_end"]) == (None, None)
            else:
                assert row["text"][row[f"{role}_start"] : row[f"{role}_end"]] == row[role]


def test_a_row_tells_its_coarse_class_too():
    types = load_task("event_subtype").coarser["event_type"]
    assert {(row["event_subtype"], row["event_type"]) for row in event_rows("case21")} == {
        (sub_type, name) for name, sub_types in types.items() for sub_type in sub_types
    }


def test_texts_repeat_neither_one_another_nor_what_else_ships():
    task = load_task("event_type")
    own, _ = read_extra(DataConfig(extra=["events:case21"]), task)
    assert not check_near_duplicates({"extra": own}, 0.9)
    others = {record["text"] for record in report_texts()} | {
        record["text"] for split in ("train", "validation", "test") for record in sample_texts(split)
    }
    every = [record["text"] for texts in TEXTS.values() for record in texts]
    assert len(set(every)) == len(every)
    assert not others & set(every)


def test_an_unknown_coding_is_refused():
    with pytest.raises(InputError, match="events:cameo: no such coding; there are plover, case21"):
        list(event_rows("cameo"))
