"""Articles asked about stated actors, alone or beside found ones."""

from __future__ import annotations

import re

import pytest

from conflictnlp.data.example import Example
from conflictnlp.inference.asking import ask, ask_about, beside_found

TEXT = "Assad's men met IS. Government forces fled; the terror group and Daesh won."


def article(text: str = TEXT, title: str = "") -> Example:
    return Example("row", "1", text, title=title)


def found(*words: str, text: str = TEXT) -> Example:
    """Return a question about an actor that was found under these words."""
    return ask(article(text), words, [match.span() for match in re.finditer("|".join(words), text)], 0)


def told(questions: list[Example]) -> list[tuple[str, list[str]]]:
    """Return each question's name and its mentions' words."""
    return [
        (span.names[0], [asked.text[start:end] for start, end in span.mentions or ()])
        for asked in questions
        for _, span in asked.spans
    ]


def test_those_that_are_named_are_asked_about_in_their_order():
    assert told(ask_about(article(), [["IS", "Daesh"], ["FARC"], ["Assad"]])) == [
        ("IS", ["IS", "Daesh"]),
        ("Assad", ["Assad"]),
    ]


def test_mentions_of_the_title_stand_before_the_text():
    (asked,) = ask_about(article("IS fled.", " On IS "), [["IS"]])
    assert asked.spans[0][1].mentions == ((-3, -1), (0, 2))


def test_a_found_actor_adds_its_further_mentions_to_the_stated_one():
    others = [found("Assad's men", "Government forces"), found("IS", "terror group")]
    assert told(beside_found(ask_about(article(), [["Assad"], ["Caliphate", "Daesh", "IS"]]), others)) == [
        ("Assad", ["Assad", "Government forces"]),
        ("Caliphate", ["IS", "terror group", "Daesh"]),
    ]


def test_a_found_actor_that_overlaps_nobody_stands_beside_them():
    others = [found("Government forces"), found("IS")]
    assert told(beside_found(ask_about(article(), [["IS"]]), others)) == [
        ("IS", ["IS"]),
        ("Government forces", ["Government forces"]),
    ]


def test_a_found_actor_that_overlaps_two_adds_to_neither():
    stated = ask_about(article(), [["IS"], ["Daesh"]])
    assert told(beside_found(stated, [found("IS", "Daesh", "terror group")])) == [("IS", ["IS"]), ("Daesh", ["Daesh"])]


def test_another_party_that_bears_the_name_adds_nothing():
    text = "The Free Syrian Army and the FSA fled."
    others = [found("Free Syrian Army", "FSA", text=text)]
    assert told(beside_found(ask_about(article(text), [["Syrian army"]]), others)) == [("Syrian army", ["Syrian Army"])]


@pytest.mark.parametrize("title", ["", "War news"])
def test_where_nobody_is_stated_the_found_ones_are_asked_about(title):
    others = [ask(article(title=title), ["IS"], [(16, 18)], 0)]
    assert beside_found([], others) == others


def test_where_nobody_is_found_the_stated_ones_are_asked_about():
    stated = ask_about(article(), [["IS"]])
    assert beside_found(stated, []) == stated
