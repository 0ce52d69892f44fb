"""Invented names of armed parties, for training that must not learn who usually wins."""

from __future__ import annotations

import random

from conflictnlp.text.spans import Passage

_STARTS = "Ka Vo Ta Ha Os Ze Lo I Be Nor Qa Ru Dra Me Shu Fe Gor Ya Pel Un Ba Cha Ser Tu El".split()
_MIDDLES = "dra ri lim tre ra ma ka sh van la ve no ge sti bu rre do lo".split()
_ENDS = "n k m l ni ri t v d s sh r ba".split()
_UNITS = (
    "Army,Front,Brigade,Movement,Guard,Forces,Militia,Union,fighters,troops,rebels,militants,government forces,"
    "Liberation Army,insurgents,soldiers,Resistance,Defence Force,Battalion,coalition,group"
).split(",")


def invent_name(generator: random.Random) -> str:
    """Make up the name of an armed party, for instance "Tareni Liberation Army".

    Args:
        generator: decides; seed it.

    Returns:
        a name of two words or more.
    """
    stem = generator.choice(_STARTS) + generator.choice(_MIDDLES) + generator.choice(_ENDS)
    return f"{stem} {generator.choice(_UNITS)}"


def rename(passage: Passage, role: int, name: str) -> Passage:
    """Write another name at every mention of a role.

    Args:
        passage: the text with its mentions.
        role: number of the role in `passage.spans`.
        name: what shall stand there.

    Returns:
        the changed passage, all its mentions moved accordingly; unchanged if mentions of other roles overlap.
    """
    mentions = passage.spans[role]
    others = [span for number, spans in enumerate(passage.spans) if number != role for span in spans]
    if any(first < other[1] and other[0] < last for first, last in mentions for other in others):
        return passage
    pieces, position = [], 0
    for first, last in mentions:
        pieces += [passage.text[position:first], name]
        position = last
    pieces.append(passage.text[position:])

    def moved(place: int) -> int:
        return place + sum(len(name) - (last - first) for first, last in mentions if last <= place)

    spans = tuple(
        tuple((moved(first), moved(first) + len(name)) for first, last in own)
        if number == role
        else tuple((moved(first), moved(last)) for first, last in own)
        for number, own in enumerate(passage.spans)
    )
    return Passage("".join(pieces), spans, moved(passage.offset))
