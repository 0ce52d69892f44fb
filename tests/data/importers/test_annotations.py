"""Offsets of marked words."""

import pytest

from conflictnlp.data.importers.annotations import locate

TEXT = "🔥 Velm\nfell to Sor."


@pytest.mark.parametrize(
    ("start", "end", "words", "place"),
    [
        (2, 6, "Velm", (2, 6)),
        (2, 6, None, (2, 6)),
        (3, 7, "Velm", (2, 6)),  # UTF-16 units
        (1, 7, " Velm\n", (2, 6)),
        (2, 11, "Velm\\nfell", (2, 11)),
        (15, 18, "Sor", (15, 18)),
    ],
)
def test_offsets_count_characters_or_utf16_units(start, end, words, place):
    assert locate(TEXT, start, end, words) == place


@pytest.mark.parametrize(
    ("start", "end", "words", "told"),
    [
        (2, 6, "Karth", "characters 2 to 6 hold 'Velm', not 'Karth'"),
        (15, 99, None, "characters 15 to 99 hold"),
        (6, 7, None, "characters 6 to 7 hold '\\n', no words"),
        (6, 2, None, "characters 6 to 2 hold '', no words"),
        ("/p[1]", "/p[1]", "Velm", "offsets '/p[1]' to '/p[1]' are no whole numbers"),
        (True, 2, None, "offsets True to 2 are no whole numbers"),
    ],
)
def test_offsets_that_hold_other_words_are_told(start, end, words, told):
    place = locate(TEXT, start, end, words)
    assert isinstance(place, str) and place.startswith(told)
