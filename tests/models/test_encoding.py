from __future__ import annotations

from itertools import pairwise

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from conflictnlp.errors import InputError
from conflictnlp.models.encoding import WindowEncoder, batches
from conflictnlp.text import Passage, find_mentions

CLS, SEP = 1, 2
# Each sentence is four tokens of `words`: three words and a full stop.
FIVE = "One two three. Four five six. Seven eight nine. Ten eleven twelve. Done it is."


class CountingTokenizer:
    """A tokenizer in which every word and every punctuation sign is one token, and that notes what it was given."""

    def __init__(self) -> None:
        vocabulary = {"[UNK]": 0, "[CLS]": CLS, "[SEP]": SEP, "a": 3, "<": 4, ">": 5, "/": 6, "</": 7}
        self.inner = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
        self.inner.pre_tokenizer = pre_tokenizers.Whitespace()
        self.inner.post_processor = processors.TemplateProcessing(
            "[CLS] $A [SEP]", special_tokens=[("[CLS]", CLS), ("[SEP]", SEP)]
        )
        self.given: list[str] = []

    def encode_batch(self, texts, **options):
        self.given += texts
        return self.inner.encode_batch(texts, **options)

    def __getattr__(self, name):
        return getattr(self.inner, name)


def encoder(max_length=10, overlap=0, roles=()) -> WindowEncoder:
    return WindowEncoder(CountingTokenizer(), roles, max_length, overlap)


def marked(text: str, *names: str) -> Passage:
    return Passage(text, (tuple(find_mentions(text, names)),))


def split_encoder(**settings) -> WindowEncoder:
    return WindowEncoder(CountingTokenizer(), (), **settings)


def stretches(text: str, **settings) -> list[str]:
    return [text[w.start : w.end].strip() for w in encoder(**settings).encode([Passage(text)])[0]]


def test_a_text_that_fits_is_one_window_of_the_whole_text():
    text = "  One two three.\n"
    (window,) = encoder().encode([Passage(text)])[0]
    assert (window.start, window.end) == (0, len(text))
    assert window.ids == [CLS, 0, 0, 0, 0, SEP]


def test_an_empty_text_is_one_empty_window():
    (window,) = encoder().encode([Passage("")])[0]
    assert (window.ids, window.start, window.end) == ([CLS, SEP], 0, 0)


@pytest.mark.parametrize(("words", "windows"), [(8, 1), (9, 2)])
def test_the_longest_text_of_one_window(words, windows):
    assert len(encoder(max_length=10).encode([Passage("it " * words)])[0]) == windows


def test_a_longer_text_is_cut_at_sentence_borders():
    assert stretches(FIVE) == [
        "One two three. Four five six.",
        "Seven eight nine. Ten eleven twelve.",
        "Done it is.",
    ]


def test_windows_overlap_by_whole_sentences():
    assert stretches(FIVE, overlap=5) == [
        "One two three. Four five six.",
        "Four five six. Seven eight nine.",
        "Seven eight nine. Ten eleven twelve.",
        "Ten eleven twelve. Done it is.",
    ]


def test_a_line_break_is_a_border():
    assert stretches("Shells fall again here\r\non the old small town", max_length=7) == [
        "Shells fall again here",
        "on the old small town",
    ]


def test_an_overlong_sentence_is_cut_into_pieces():
    windows = encoder(max_length=10).encode([Passage("Yes. " + "it " * 20)])[0]
    assert [len(window.ids) - 2 for window in windows] == [2, 8, 8, 4]


@pytest.mark.parametrize("overlap", [0, 3, 100])
def test_windows_cover_the_text(overlap):
    text = "Ärger 🙂 in Cafe\u0301 A.\r\nZwei drei vier. " * 6
    windows = encoder(max_length=9, overlap=overlap).encode([Passage(text)])[0]
    assert windows[0].start == 0
    assert windows[-1].end == len(text)
    assert all(first.start < second.start <= first.end for first, second in pairwise(windows))


def test_every_window_fits_and_bears_the_special_tokens():
    for window in encoder(max_length=7, overlap=4).encode([Passage(FIVE * 3)])[0]:
        assert (window.ids[0], window.ids[-1]) == (CLS, SEP)
        assert len(window.ids) <= 7


def test_a_text_that_does_not_fit_is_split_into_shorter_windows():
    windows = split_encoder(max_length=10, overlap=0, split_length=6).encode([Passage(FIVE)])[0]
    assert [len(window.ids) for window in windows] == [6] * 5


def test_a_text_that_fits_is_not_split():
    windows = split_encoder(max_length=10, overlap=0, split_length=6).encode([Passage("it " * 8)])[0]
    assert [len(window.ids) for window in windows] == [10]


def test_split_windows_are_at_most_as_long_as_any():
    windows = split_encoder(max_length=10, overlap=0, split_length=99).encode([Passage("it " * 9)])[0]
    assert [len(window.ids) for window in windows] == [10, 3]


def test_split_windows_without_room_for_a_token_are_refused():
    with pytest.raises(InputError, match="split_length=2"):
        split_encoder(max_length=10, overlap=0, split_length=2)


def test_each_text_is_tokenised_once():
    tokenizer = CountingTokenizer()
    WindowEncoder(tokenizer, (), 10, 4).encode([Passage(FIVE), Passage("short")])
    assert tokenizer.given == [FIVE, "short"]


def test_the_tokenizers_own_truncation_is_switched_off():
    tokenizer = CountingTokenizer()
    tokenizer.inner.enable_truncation(4)
    assert len(WindowEncoder(tokenizer, (), 10, 0).encode([Passage("it " * 8)])[0][0].ids) == 10


def test_a_mention_stands_between_its_roles_markers():
    (window,) = encoder(max_length=20, roles=("actor",)).encode([marked("Today IS advanced", "IS")])[0]
    assert window.ids == [CLS, 0, 4, 3, 5, 0, 7, 3, 5, 0, SEP]


def test_windows_without_a_mention_are_dropped():
    text = FIVE.replace("seven", "Seven").replace("Ten", "IS").replace("One", "IS")
    windows = encoder(max_length=14, roles=("actor",)).encode([marked(text, "IS")])[0]
    assert [text[w.start : w.end].strip() for w in windows] == ["IS two three.", "IS eleven twelve."]


def test_the_first_and_the_last_word_can_be_mentions():
    text = "IS two three. Four five six. Seven eight nine. Ten eleven IS"
    windows = encoder(max_length=14, roles=("actor",)).encode([marked(text, "IS")])[0]
    assert (windows[0].start, windows[-1].end) == (0, len(text))


def test_a_mention_of_any_role_keeps_a_window():
    text = "IS two three. Four five six. Seven FARC nine. Ten eleven twelve."
    spans = (((0, 2),), ((text.index("FARC"), text.index("FARC") + 4),))
    windows = encoder(max_length=12, roles=("source", "target")).encode([Passage(text, spans)])[0]
    assert [text[w.start : w.end].strip() for w in windows] == ["IS two three.", "Seven FARC nine."]


def test_all_windows_are_kept_where_no_role_has_a_mention():
    assert len(encoder(roles=("source", "target")).encode([Passage(FIVE, ((), ()))])[0]) == 3


@pytest.mark.parametrize("max_length", [0, 2])
def test_a_window_without_room_for_a_token_is_refused(max_length):
    with pytest.raises(InputError, match=f"max_length={max_length}"):
        encoder(max_length=max_length)


def test_windows_of_one_token():
    assert stretches("Shells fall", max_length=3) == ["Shells", "fall"]


def test_no_passages_give_no_windows():
    assert encoder().encode([]) == []


def test_batches_hold_windows_of_like_length_and_no_more_than_the_tokens():
    assert list(batches([5, 2, 9, 2, 30], 10)) == [[1, 3], [0], [2], [4]]


def test_a_token_a_batch_means_one_window_a_batch():
    assert list(batches([3, 1, 2], 1)) == [[1], [2], [0]]


def test_a_batch_holds_no_more_windows_than_allowed():
    assert list(batches([2, 3, 1, 9], 100, 2)) == [[2, 0], [1, 3]]
