import pytest

from conflictnlp.text import sentence_spans

TEXTS = {
    "empty": "",
    "blank": " \n\t\r\n ",
    "one word": "Halt",
    "headline": "Rebels advance\nThe town fell. Nobody spoke.",
    "crlf": "BRENNICK -\r\nFirst line.\r\n\r\nSecond line. Third.\r\n",
    "lone carriage return": "No stop\rAnother line",
    "line separators": "One\u2028two\u2029three\x85four\x0bfive\x0csix",
    "accents": "Le général a parlé. Il est parti à pied.",
    "combining": "Cafe\u0301 open. Next one.",
    "emoji": "😀 They left. 😀😀 Nobody stayed. 👩‍👩‍👧 came.",
    "quotes": '"We will hold," he said. "We always do."',
    "surrounding blanks": "   First one.    Second one.   ",
    "no break": "x" * 50_000,
    "many": "The army advanced. " * 2_000,
    "right to left": "انتهت المعركة. عاد الجنود.",
    "half a character": "They left \ud83d. Nobody stayed.",
}


def sentences(text):
    return [text[start:end] for start, end in sentence_spans(text)]


def test_sentences_of_a_line():
    assert sentences("The army left. Rebels came.") == ["The army left.", "Rebels came."]


def test_line_break_is_a_border_without_a_full_stop():
    assert sentences("Rebels advance\nThe town fell.") == ["Rebels advance", "The town fell."]


@pytest.mark.parametrize("border", ["\r\n", "\r", "\n\n", "\u2028", "\x85"])
def test_every_kind_of_line_break_is_a_border(border):
    assert sentences(f"Rebels advance{border}the town fell") == ["Rebels advance", "the town fell"]


def test_abbreviation_is_no_border():
    assert sentences("Gen. Varno met Dr. Oddin. They talked.") == ["Gen. Varno met Dr. Oddin.", "They talked."]


def test_offsets_count_characters_not_bytes():
    assert sentence_spans("É 😀. Nö.") == [(0, 4), (5, 8)]


def test_text_without_a_word_has_no_sentence():
    assert sentence_spans(" \n\t\r\n ") == []


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_every_character_but_blanks_lies_in_one_sentence(text):
    covered = [index for start, end in sentence_spans(text) for index in range(start, end)]
    assert len(covered) == len(set(covered))
    assert {index for index, char in enumerate(text) if not char.isspace()} <= set(covered)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_sentences_are_in_order_and_stripped(text):
    spans = sentence_spans(text)
    assert spans == sorted(spans)
    assert all(text[start:end] == text[start:end].strip() != "" for start, end in spans)


def test_half_a_character_is_a_character():
    assert sentence_spans("Shells\ud83d fell. Rain fell.") == [(0, 13), (14, 24)]
