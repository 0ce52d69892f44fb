"""What callers in Python give, as examples."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from datasets import Dataset

from conflictnlp.data.example import Span
from conflictnlp.errors import InputError
from conflictnlp.inference.arguments import make_examples
from conflictnlp.task import Label, Task

EVENT = Task("plover", "single", (Label("a", ""), Label("b", "")), ("source", "target"), ("target",))


def spans(examples) -> list[dict[str, str]]:
    return [{role: span.words for role, span in example.spans} for example in examples]


def test_one_text_with_its_actor(actor_task):
    (example,) = make_examples(actor_task, "IS fled.", {"actor": "IS|Daesh", "title": "News"})
    assert (example.text, example.title, example.where, example.id) == ("IS fled.", "News", "text 1", "0")
    assert dict(example.spans) == {"actor": Span("IS|Daesh")}


def test_one_actor_for_all_texts(actor_task):
    assert spans(make_examples(actor_task, ["a", "b"], {"actor": "IS"})) == [{"actor": "IS"}] * 2


def test_one_actor_and_title_a_text(actor_task):
    examples = make_examples(actor_task, ["a", "b"], {"actors": ["IS", "ELN"], "titles": ["One", None]})
    assert spans(examples) == [{"actor": "IS"}, {"actor": "ELN"}]
    assert [example.title for example in examples] == ["One", ""]


def test_a_task_without_actors_takes_none(topic_task):
    assert spans(make_examples(topic_task, ("a", "b"), {})) == [{}, {}]


def test_an_optional_role_may_lack():
    assert spans(make_examples(EVENT, ["a", "b"], {"source": "IS", "targets": ["ELN", None]})) == [
        {"source": "IS", "target": "ELN"},
        {"source": "IS"},
    ]


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, pd.NaT, np.nan], ids=str)
def test_what_is_missing_is_empty(actor_task, missing):
    examples = make_examples(actor_task, ["a", missing], {"actors": [missing, "IS"], "titles": ["One", missing]})
    assert [(example.text, example.title) for example in examples] == [("a", "One"), ("", "")]
    assert spans(examples) == [{}, {"actor": "IS"}]


@pytest.mark.parametrize(
    "texts",
    [
        pd.Series(["a", "b"], index=[7, 3]),
        np.array(["a", "b"]),
        Dataset.from_dict({"text": ["a", "b"]})["text"],
        iter("ab"),
    ],
    ids=["series", "array", "datasets", "iterator"],
)
def test_texts_may_stand_in_anything_that_is_iterated(topic_task, texts):
    assert [example.text for example in make_examples(topic_task, texts, {})] == ["a", "b"]


def test_no_texts_no_examples(actor_task):
    assert make_examples(actor_task, [], {"actors": []}) == []


@pytest.mark.parametrize(
    ("texts", "marks", "told"),
    [
        ("a", {}, "task momentum reads a text for one actor; give actor=..."),
        (["a"], {}, "give actors=[...]"),
        ("a", {"actor": ["IS"]}, "actor is a list, not a str; actors= is for lists"),
        (["a"], {"actor": "IS", "actors": ["IS"]}, "give actor or actors, not both"),
        (["a", "b"], {"actors": ["IS"]}, "2 texts but 1 actors"),
        (["a", "b"], {"actors": "IS"}, "2 texts but 1 actors"),
        (["a"], {"actor": "IS", "titles": []}, "1 texts but 0 titles"),
        ("a", {"actor": "IS", "colour": "red"}, "unknown argument colour"),
        (["a", 5], {"actor": "IS"}, "text 2 is a int, not a str"),
        (["a"], {"actors": [["IS"]]}, "actor 1 is a list, not a str"),
        (["a"], {"actor": "IS", "titles": [5]}, "title 1 is a int, not a str"),
        (None, {"actor": "IS"}, "texts is a NoneType; give a str or a list"),
        ({"text": ["a"]}, {"actor": "IS"}, "texts is a dict; give a str or a list"),
        (b"a", {"actor": "IS"}, "texts is a bytes; give a str or a list"),
        (pd.DataFrame({"text": ["a"]}), {"actor": "IS"}, "texts is a DataFrame; give predict_frame the table"),
        (Dataset.from_dict({"text": ["a"]}), {"actor": "IS"}, "texts is a Dataset; give predict_frame the table"),
        ([b"a"], {"actor": "IS"}, "text 1 is a bytes, not a str"),
    ],
    ids=str,
)
def test_arguments_that_do_not_fit_are_refused(actor_task, texts, marks, told):
    with pytest.raises(InputError) as error:
        make_examples(actor_task, texts, marks)
    assert told in str(error.value)
