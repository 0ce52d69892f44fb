"""The passages that models read: a text and, for each role that a task marks, its mentions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

Offsets = tuple[int, int]
# A combining accent belongs to its word, though `\w` does not count it.
_LETTER = r"[\w\u0300-\u036f]"
# One character for one, so that offsets stay those of the text.
PLAIN_SIGNS = str.maketrans("\u2018\u2019\u02bc\u201c\u201d\u2010\u2011\u2013", "'''\"\"---")
_OF_OTHERS = r"(?i:(?<!\banti-)(?<!\bnon-)(?<!\bpro-))"

# Markers are ordinary characters rather than new tokens, so that an encoder needs no new embeddings and the
# vocabulary of a bundle is its base model's.
MARKERS: dict[str, tuple[str, str]] = {
    "actor": ("<a>", "</a>"),
    "source": ("<s>", "</s>"),
    "target": ("<t>", "</t>"),
}


@dataclass(frozen=True, slots=True)
class Passage:
    """A text to classify.

    Attributes:
        text: the whole text, title included as its first line.
        spans: for each role that the task marks, in the task's order, the mentions' character offsets into `text`;
            empty for a role that is missing.
        offset: length of what stands before the original text (the title's line); subtract it from an offset
            into `text` to get one into the original.
    """

    text: str
    spans: tuple[tuple[Offsets, ...], ...] = ()
    offset: int = 0


def find_mentions(text: str, names: Sequence[str]) -> list[Offsets]:
    """Find whole-word mentions of an actor's names.

    A name all in capitals matches case-sensitively ("IS" is not "is"), any other in any case; forms of apostrophes,
    quotes and hyphens are one. Where names overlap, the longest wins. A name behind "anti-", "non-" or "pro-" is
    of others ("anti-IS coalition").

    Args:
        text: the text to search.
        names: the actor's name and aliases; empty ones are ignored.

    Returns:
        character offsets in order, without overlaps.
    """
    return share_mentions(text, [names])[0]


def share_mentions(text: str, actors: Sequence[Sequence[str]]) -> list[list[Offsets]]:
    """Find the mentions of several actors in one pass; see `find_mentions`.

    Words that the names of two actors claim are the longest name's ("Free Syrian Army" is no mention of "Syrian
    army"), of equally long ones the first stated actor's.

    Args:
        text: the text to search.
        actors: each one's name and aliases.

    Returns:
        for each actor character offsets in order; no two overlap.
    """
    plain = text.translate(PLAIN_SIGNS)
    claims = []
    for number, names in enumerate(actors):
        pattern = _names_pattern(tuple(names))
        if pattern is not None:
            claims += [(number, *match.span(1)) for match in pattern.finditer(plain)]
    taken = bytearray(len(text))
    mentions: list[list[Offsets]] = [[] for _ in actors]
    for number, first, last in sorted(claims, key=lambda claim: (claim[1] - claim[2], claim[0], claim[1])):
        if not any(taken[first:last]):
            taken[first:last] = b"\1" * (last - first)
            mentions[number].append((first, last))
    return [sorted(own) for own in mentions]


def search_key(name: str) -> str:
    """Return what two names have in common if the same words are found for both."""
    plain = " ".join(unicodedata.normalize("NFC", name).translate(PLAIN_SIGNS).split())
    return plain if plain.isupper() else plain.casefold()


@lru_cache(maxsize=4096)
def _names_pattern(names: tuple[str, ...]) -> re.Pattern[str] | None:
    plain = [name.strip().translate(PLAIN_SIGNS) for name in names]
    # A letter with an accent is one character or two.
    forms = {unicodedata.normalize(form, name) for name in plain for form in ("NFC", "NFD")} - {""}
    if not forms:
        return None
    alternatives = []
    for name in sorted(forms, key=lambda name: (-len(name), name)):
        words = r"\s+".join(re.escape(word) for word in name.split())
        alternatives.append(words if name.isupper() else f"(?i:{words})")
    # A lookahead, so that matches that overlap are all found and the longest can be chosen.
    return re.compile(rf"(?<!{_LETTER}){_OF_OTHERS}(?=((?:{'|'.join(alternatives)})(?!{_LETTER})))")


def insert_markers(
    text: str, spans: Iterable[tuple[str, Iterable[Offsets]]], mask: str | None = None
) -> tuple[str, np.ndarray]:
    """Write a marker before and after every mention.

    Args:
        text: the text.
        spans: (role, mentions) pairs.
        mask: what stands between the markers in place of the mention; None leaves it as it is.

    Returns:
        the marked text, and for each of its characters the offset into `text` from which it stems (a marker's
        characters bear the offset of the mention's nearest own character).
    """
    inserts: list[tuple[int, int, str, int]] = []
    masked: dict[int, int] = {}
    for role, mentions in spans:
        opening, closing = MARKERS[role]
        for first, last in mentions:
            # At one border a closing marker stands before an opening one.
            inserts.append((first, 1, f"{opening} {mask or ''}", first))
            if mask is not None:
                masked[first] = last
            inserts.append((last, 0, f" {closing}", last - 1))
    inserts.sort()
    pieces: list[str] = []
    origins: list[np.ndarray] = []
    position = 0
    for where, opens, marker, origin in inserts:
        pieces += [text[position:where], marker]
        origins += [np.arange(position, where), np.full(len(marker), origin)]
        position = max(position, masked[where] if opens and where in masked else where)
    pieces.append(text[position:])
    origins.append(np.arange(position, len(text)))
    return "".join(pieces), np.concatenate(origins)
