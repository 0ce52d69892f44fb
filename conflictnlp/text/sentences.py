"""Sentence borders with character offsets."""

from __future__ import annotations

import sentencex

from conflictnlp.text.characters import whole_characters


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Return the sentences of a text as character offsets, without surrounding white space.

    A line break is always a border: headlines and bylines bear no full stop. Within a line the rules of
    sentencex (Wikimedia) decide.

    Args:
        text: any text.

    Returns:
        (start, end) pairs in order; every character that is not white space lies in exactly one of them.
    """
    spans: list[tuple[int, int]] = []
    offset = 0
    for line in whole_characters(text).splitlines(keepends=True):
        if line.strip():
            for sentence in sentencex.get_sentence_boundaries("en", line):
                start, end = offset + sentence["start_index"], offset + sentence["end_index"]
                words = text[start:end]
                start += len(words) - len(words.lstrip())
                end -= len(words) - len(words.rstrip())
                if start < end:
                    spans.append((start, end))
        offset += len(line)
    return spans
