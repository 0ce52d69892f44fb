"""Articles asked about actors that the user names, alone or beside those that a model finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from conflictnlp.data.example import Example, Span, make_passage
from conflictnlp.text import may_be_one, share_mentions
from conflictnlp.text.spans import Offsets


def ask(article: Example, names: Sequence[str], mentions: Sequence[Offsets], offset: int) -> Example:
    """Ask an article about one actor.

    Args:
        article: a text without spans.
        names: the actor's name and aliases.
        mentions: offsets of its mentions into the article's passage.
        offset: length of the title's line in the passage.

    Returns:
        the question.
    """
    own = tuple((start - offset, end - offset) for start, end in mentions)
    return replace(article, spans=(("actor", Span("|".join(names), mentions=own)),))


def ask_about(article: Example, actors: Sequence[Sequence[str]]) -> list[Example]:
    """Ask an article about each of the stated actors that it names.

    Args:
        article: a text without spans.
        actors: each one's name and aliases; all are looked for at once, so that the longest name wins.

    Returns:
        a question for each actor that is named, in the actors' order.
    """
    passage = make_passage(article.text, article.title, {}, ())
    found = share_mentions(passage.text, actors)
    return [
        ask(article, names, mentions, passage.offset) for names, mentions in zip(actors, found, strict=True) if mentions
    ]


def beside_found(stated: Sequence[Example], found: Sequence[Example]) -> list[Example]:
    """Join what the user states and what a model finds in one article.

    A found actor that overlaps one stated actor is that actor by another name: its further mentions are added. Where
    it overlaps several, nobody can tell whose they are, and it is left out. What is stated wins: no mention of a
    stated actor is taken or changed.

    Args:
        stated: questions about stated actors.
        found: questions about found actors of the same article.

    Returns:
        the stated questions in their order, then those about found actors that overlap none.
    """
    if not found:
        return list(stated)
    passage = make_passage(found[0].text, found[0].title, {}, ())

    def words(place: Offsets) -> str:
        return passage.text[place[0] + passage.offset : place[1] + passage.offset]

    places = [_mentions(question) for question in stated]
    taken = [place for own in places for place in own]
    further: list[list[Offsets]] = [[] for _ in stated]
    free = []
    for question in found:
        own = _mentions(question)
        shared = [
            (number, place, other)
            for number, others in enumerate(places)
            for other in others
            for place in own
            if _overlap(place, other)
        ]
        if not shared:
            free.append(question)
        # "Free Syrian Army" overlaps "Syrian army", and is another.
        elif len({number for number, _, _ in shared}) == 1 and all(
            may_be_one(words(a), words(b)) for _, a, b in shared
        ):
            further[shared[0][0]] += [place for place in own if not any(_overlap(place, other) for other in taken)]
    joined = [
        replace(question, spans=(("actor", replace(span, mentions=tuple(sorted([*(span.mentions or ()), *more])))),))
        for question, more in zip(stated, further, strict=True)
        for _, span in question.spans
    ]
    return joined + free


def _mentions(question: Example) -> tuple[Offsets, ...]:
    return dict(question.spans)["actor"].mentions or ()


def _overlap(one: Offsets, other: Offsets) -> bool:
    return one[0] < other[1] and other[0] < one[1]
