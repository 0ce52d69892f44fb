"""Articles coded sentence by sentence, cut into passages as long as those that a model reads of a long text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from conflictnlp.text import find_mentions

# Sentences of the passages of an article, in turn: an evidence sentence is read alone, a window holds two or three.
_SIZES = (2, 1, 3)


def article_passages(article: dict[str, Any], number: int) -> Iterator[dict[str, Any]]:
    """Cut an article into passages, each with the labels that its own sentences give.

    A passage in which an actor has several courses takes the article's main one, or the latest if that is none of them
    (rule 5 of the codebook).

    Args:
        article: title, sentences, actors [{names, main, codes}]; codes has the label of each sentence that names the
            actor, by its number (from 0) or `title`.
        number: the article's; it decides where the row of passage lengths begins.

    Yields:
        text, actors [{names, label}]; only actors that the passage names, by the names that stand in it.
    """
    places = ["title", *(str(at) for at in range(len(article["sentences"])))]
    texts = [article["title"], *article["sentences"]]
    first, turn = 0, number
    while first < len(texts):
        # The title is read together with the lead.
        last = first + _SIZES[turn % len(_SIZES)] + (first == 0)
        text = "\n".join((texts[0], " ".join(texts[1:last]))) if first == 0 else " ".join(texts[first:last])
        named = (_framed(actor, text, places[first:last]) for actor in article["actors"])
        yield {"text": text, "actors": [actor for actor in named if actor["names"]]}
        first, turn = last, turn + 1


def _framed(actor: dict[str, Any], text: str, places: Sequence[str]) -> dict[str, Any]:
    names = [name for name in actor["names"] if find_mentions(text, [name])]
    courses = [actor["codes"][place] for place in places if actor["codes"].get(place, "none") != "none"]
    label = actor["main"] if actor["main"] in courses else (courses or ["none"])[-1]
    return {"names": names, "label": label}
