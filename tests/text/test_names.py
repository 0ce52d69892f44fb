import random

import pytest

from conflictnlp.text import Passage, find_mentions, invent_name, rename


def passage(text, *names, offset=0):
    return Passage(text, tuple(tuple(find_mentions(text, [name])) for name in names), offset)


def mentioned(renamed, role=0):
    return [renamed.text[start:end] for start, end in renamed.spans[role]]


def test_invented_name_is_repeatable():
    assert invent_name(random.Random(3)) == invent_name(random.Random(3))


def test_invented_names_differ():
    generator = random.Random(3)
    assert len({invent_name(generator) for _ in range(100)}) > 90


def test_invented_name_has_a_stem_and_a_kind():
    stem, _, kind = invent_name(random.Random(3)).partition(" ")
    assert stem.isalpha()
    assert kind


@pytest.mark.parametrize("name", ["X", "Tareni Liberation Army", "Été 😀"])
def test_every_mention_is_renamed(name):
    renamed = rename(passage("IS took it. IS left.", "IS"), 0, name)
    assert renamed.text == f"{name} took it. {name} left."
    assert mentioned(renamed) == [name, name]


def test_mentions_of_other_roles_move_along():
    renamed = rename(passage("IS beat the army; IS hit the army", "IS", "army"), 0, "Tareni Front")
    assert mentioned(renamed, role=1) == ["army", "army"]


def test_role_is_chosen_by_its_number():
    renamed = rename(passage("IS beat the army", "IS", "army"), 1, "guard")
    assert renamed.text == "IS beat the guard"
    assert mentioned(renamed) == ["IS"]


def test_border_of_the_title_moves_along():
    renamed = rename(passage("IS news\nthe IS fell", "IS", offset=8), 0, "Tareni Front")
    assert renamed.text[renamed.offset :] == "the Tareni Front fell"


def test_overlapping_roles_leave_the_passage_as_it_is():
    mixed = passage("the Free Army fell", "Free Army", "Army")
    assert rename(mixed, 0, "Front") == mixed


def test_passage_without_the_role_is_unchanged():
    absent = passage("they fell", "IS")
    assert rename(absent, 0, "Front") == absent
