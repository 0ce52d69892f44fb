"""Texts that say the same in nearly the same words, found by MinHash (datasketch) and cached."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence

from conflictnlp.files import sha256_json, user_cache, write_json

_PERMUTATIONS = 128
_SHINGLE = 3
# Below this many words a shared phrase is enough to look like a copy; only equal texts count there.
_FEWEST_WORDS = 8
# The index proposes pairs from a lower similarity on: at its own threshold it misses about half of them.
_PROPOSED = 0.85
_VERSION = 2


def normalise(text: str) -> str:
    """Return a text's words in lower case, without punctuation: what makes two texts the same.

    Args:
        text: any text.

    Returns:
        words joined by single blanks.
    """
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))


def near_duplicates(texts: Sequence[str], threshold: float) -> list[tuple[int, int]]:
    """Find pairs of different texts whose Jaccard similarity of word triples reaches a threshold.

    The result is kept under the user's cache by the fingerprint of texts and threshold. Source of the method:
    Broder 1997 (min-wise hashing) with locality-sensitive hashing, as datasketch implements it.

    Args:
        texts: normalised texts, each once.
        threshold: similarity between 0 and 1.

    Returns:
        pairs of indexes, the smaller first, sorted.
    """
    key = sha256_json([_VERSION, _PERMUTATIONS, _SHINGLE, _FEWEST_WORDS, threshold, list(texts)])
    cached = user_cache() / "near_duplicates" / f"{key}.json"
    try:
        return [(first, second) for first, second in json.loads(cached.read_text())]
    except (OSError, ValueError):
        pairs = _compute(texts, threshold)
    try:
        write_json(cached, pairs)
    except OSError:
        return pairs  # A cache that cannot be written costs time only.
    return pairs


def _compute(texts: Sequence[str], threshold: float) -> list[tuple[int, int]]:
    from datasketch import MinHash, MinHashLSH

    long_enough = [index for index, text in enumerate(texts) if len(text.split()) >= _FEWEST_WORDS]
    shingles = [_shingles(texts[index]) for index in long_enough]
    hashes = MinHash.bulk(shingles, num_perm=_PERMUTATIONS, seed=1) if shingles else []
    index = MinHashLSH(threshold=_PROPOSED * threshold, num_perm=_PERMUTATIONS)
    pairs = []
    for place, (number, minhash) in enumerate(zip(long_enough, hashes, strict=True)):
        mine = set(shingles[place])
        for other in index.query(minhash):
            # The index proposes; the exact similarity decides.
            theirs = set(shingles[other])
            if len(mine & theirs) >= threshold * len(mine | theirs):
                pairs.append((long_enough[other], number))
        index.insert(place, minhash)
    return sorted(pairs)


def _shingles(text: str) -> list[bytes]:
    words = text.split()
    return [" ".join(words[i : i + _SHINGLE]).encode() for i in range(len(words) - _SHINGLE + 1)]
