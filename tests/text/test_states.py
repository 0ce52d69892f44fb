"""Names of states, and where a text is set."""

from __future__ import annotations

import pytest

from conflictnlp.text.states import ABROAD, STATES, name_states, setting


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("Syrian army", "syria army"),
        ("South Sudanese and Sudanese", "south_sudan and sudan"),
        ("Nigerien, Nigerian", "niger, nigeria"),
        ("U.S. and US", "united_states and united_states"),
        ("the Saudi-led coalition", "the saudi_arabia-led coalition"),
        ("Democratic Republic of the Congo", "congo"),
        ("FRENCH troops", "france troops"),
    ],
)
def test_a_state_is_one_word_however_it_is_called(words, told):
    assert name_states(words) == told


@pytest.mark.parametrize("words", ["they told us", "Chadwick", "Indianapolis", "Islamic State"])
def test_other_words_stay(words):
    assert name_states(words) == words


@pytest.mark.parametrize("letter", ["\u0130", "\u0131"])
def test_letters_that_only_match_without_case_are_no_fault(letter):
    assert name_states(f"{letter}ran, T\u00dcRK{letter}YE")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Fighting went on in Syria.", {"syria"}),
        ("in northern Syria", {"syria"}),
        ("in other parts of the United States", {"united_states"}),
        ("the Syrian city of Idlib", {"syria"}),
        ("Syria\u2019s Idlib province", {"syria"}),
        ("in Syria, across Iraq and throughout Syria", {"syria"}),
        ("in Syria and in Iraq", {"syria", "iraq"}),
        ("Russia said that Russian troops met the Syrian army.", set()),
        ("men in Russian uniforms", set()),
        ("", set()),
    ],
)
def test_a_text_is_set_where_it_names_places(text, told):
    assert setting(text) == told


def test_states_known_for_troops_abroad_are_of_the_table():
    assert ABROAD < STATES
