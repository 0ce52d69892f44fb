from __future__ import annotations

import numpy as np
import pytest

from conflictnlp.errors import InputError
from conflictnlp.models.mentions import LABELS, FoundMention, TokenWindow, TokenWindows, decode

TEXT = "Red Front met ISIS (the army)."
PLACES = [(0, 3), (4, 9), (10, 13), (14, 16), (16, 18), (19, 20), (20, 23), (24, 28), (28, 29), (29, 30)]
WORDS = [0, 1, 2, 3, 3, 4, 5, 6, 7, 8]
WINDOW = TokenWindow([1, *range(10, 20), 2], 1, PLACES, WORDS)


def found(**labels: tuple[str, float]) -> list[tuple[str, float]]:
    """Decode tokens t0 to t9, each of which has one label with a probability; the rest of it is O's."""
    chances = np.zeros((10, len(LABELS)))
    chances[:, 0] = 1
    for name, (label, chance) in labels.items():
        row = chances[int(name[1:])]
        row[0] -= chance
        row[LABELS.index(label)] += chance
    return [(TEXT[m.start : m.end], round(m.probability, 6)) for m in decode(TEXT, WINDOW, chances)]


def test_a_mention_goes_on_while_tokens_are_inside():
    assert found(t0=("B-actor", 0.9), t1=("I-actor", 0.7)) == [("Red Front", 0.8)]


def test_a_beginning_within_a_mention_begins_another():
    assert found(t0=("B-actor", 0.9), t1=("B-actor", 0.7)) == [("Red", 0.9), ("Front", 0.7)]


def test_a_mention_may_lack_its_beginning():
    assert found(t1=("I-actor", 0.7)) == [("Front", 0.7)]


def test_the_first_piece_decides_for_its_word():
    assert found(t3=("B-actor", 0.8)) == [("ISIS", 0.8)]
    assert found(t4=("B-actor", 0.8)) == []


def test_half_a_chance_is_not_enough():
    assert found(t0=("B-actor", 0.5)) == []


def test_a_party_of_an_event_is_no_armed_actor():
    assert found(t0=("B-party", 0.9), t1=("I-party", 0.9)) == []


def test_punctuation_at_the_end_is_cut_off():
    every = {f"t{number}": ("I-actor", 0.9) for number in (6, 7, 8, 9)}
    assert found(**every) == [("the army)", 0.9)]


def test_a_mention_is_never_empty():
    chances = np.zeros((10, len(LABELS)))
    chances[9, LABELS.index("B-actor")] = 1
    assert list(decode(TEXT, WINDOW, chances)) == [FoundMention(29, 30, 1.0)]


@pytest.fixture
def tokenizer(tiny_encoder):
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(tiny_encoder / "tokenizer.json"))


def test_windows_begin_at_sentences_and_hold_every_token_once(tokenizer):
    text = "The army left. " * 10
    windows = list(TokenWindows(tokenizer, 14).cut(text))
    assert len(windows) > 1
    assert all(len(window.ids) <= 14 and len(window.ids) == len(window.places) + 2 for window in windows)
    assert all(text[window.places[0][0] :].startswith("The") for window in windows)
    places = [place for window in windows for place in window.places]
    assert places == tokenizer.encode(text, add_special_tokens=False).offsets


def test_a_text_without_a_token_has_no_window(tokenizer):
    assert list(TokenWindows(tokenizer, 14).cut(" \n")) == []


def test_no_room_for_a_token(tokenizer):
    with pytest.raises(InputError, match=r"tagger\.max_length=2: leaves no room"):
        TokenWindows(tokenizer, 2)
