"""Mentions of armed parties joined into actors, by rules that a reader can follow.

Two mentions are one actor if

1. they are the same words, without article and case;
2. one is the other's abbreviation: in brackets after it ("Islamic State (IS)"), or its initials ("SDF");
3. both are spellings of one well-known name (`KNOWN`);
4. they differ only in words that any party may bear ("Taliban", "Taliban fighters"), one beginning with the other's
   two or more own words ("Islamic State", "Islamic State of Iraq");
5. both are state forces ("army", "troops", "government forces", "forces loyal to President …"), of one state by the
   table of `states` or sharing a word of their own ("Syrian army", "Syrian troops"; "Russia", "Russian forces");
6. both are state forces and one has no word of its own. "The army" is of the state that the text names most. As soon
   as one of them is a government's ("government forces", "regime forces", "loyalists"), all are of the government of
   the place: the one side that is called a government's itself ("Syrian regime forces"); else the one side at home
   where the text is set ("in Syria", "the Syrian city"); where it names no state as a place, the one side that is not
   of a state known for its troops abroad. Where that leaves none or several, they are a side of their own.

State forces are never joined with rebels, whatever words they share ("Syrian army", "Syrian rebels"), not even
through a third name. A movement's army ("Free Syrian Army", "Sudan Liberation Army") is neither, nor are a state's
militias and coalitions ("US-led coalition"). Who backs a party ("US-backed") is no part of its name.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from conflictnlp.text.spans import PLAIN_SIGNS, Offsets, share_mentions
from conflictnlp.text.states import ABROAD, STATES, name_states, setting

KNOWN: tuple[tuple[str, ...], ...] = (
    ("Islamic State", "IS", "ISIS", "ISIL", "Daesh", "Islamic State of Iraq and the Levant", "Islamic State group"),
    ("Taliban", "Taleban", "Islamic Emirate of Afghanistan"),
    ("al-Qaeda", "al Qaeda", "Al-Qaida", "al Qaida"),
    ("al-Shabaab", "al-Shabab", "Shabaab", "al Shabaab", "al Shabab"),
    ("Hezbollah", "Hizbollah", "Hizbullah", "Hizballah"),
    ("Houthis", "Houthi", "Ansar Allah"),
    ("Kurdistan Workers' Party", "PKK"),
    ("Syrian Democratic Forces", "SDF"),
    ("Free Syrian Army", "FSA"),
    ("Rapid Support Forces", "RSF"),
    ("Revolutionary Armed Forces of Colombia", "FARC"),
    ("Lord's Resistance Army", "LRA"),
    ("Israel Defense Forces", "Israel Defence Forces", "IDF"),
)
_ARTICLES = re.compile(r"^(?:(?:the|a|an|so-called|self-styled|self-proclaimed)\s+)+", re.I)
# A word may follow: "Islamic State (IS) group".
_BRACKETS = re.compile(r"^(.*\w.*?)\s*\(([^()]*\w[^()]*)(?:\)\s*[\w-]*)?$")
_STATE = frozenset(
    "government governments regime army armies military troops soldiers police navy marines loyalist loyalists loyal "
    "gendarmerie guard president presidential".split()
)
_GOVERNMENT = frozenset("government governments regime loyalist loyalists loyal president presidential".split())
_REBEL = frozenset(
    "rebel rebels insurgent insurgents militant militants guerrilla guerrillas separatist separatists opposition "
    "jihadist jihadists jihadi jihadis extremist extremists gunmen mutineers terrorists defectors deserters".split()
)
# An army named by one of these is as often a movement's as a state's.
_MOVEMENT = frozenset("free independence liberation people popular resistance revolutionary salvation".split())
_AGAINST = ("anti-", "pro-", "non-")
_BACKED = ("-backed", "-supported", "-sponsored", "-trained", "-funded", "-armed")
_ANY = frozenset(
    "militia militias militiamen forces force group groups armed security air special units unit fighters fighter "
    "commanders of to the and in backed allied led held controlled national coalition alliance movement "
    "president".split()
)
_LINKS = frozenset("of to the and in".split())
# A state with no word but these is its armed forces: "Russia", "Ukrainian Armed Forces".
_FORCES = _LINKS | frozenset("forces force armed air security special units unit national commanders president".split())


@dataclass(frozen=True, slots=True)
class Party:
    """An armed party as one text names it.

    Attributes:
        name: its fullest name.
        aliases: its other names in the text.
        mentions: character offsets of every mention, in order.
    """

    name: str
    aliases: tuple[str, ...]
    mentions: tuple[Offsets, ...]


@dataclass(frozen=True, slots=True)
class _Name:
    words: str
    own: tuple[str, ...]  # words that tell it from others
    side: str  # state, rebel or ""
    governs: bool
    moves: bool  # bears a movement's word
    folded: str
    known: int | None
    short: bool
    initials: str

    @classmethod
    def of(cls, words: str) -> _Name:
        plain = name_states(words.translate(PLAIN_SIGNS)).casefold()
        parts = [re.sub(r"['’]s?$|^al-", "", part) for part in re.findall(r"[\w'’-]+", plain)]
        # "rebel-held" is of the rebels, but "anti-IS" is not of IS, nor "US-backed" of the US.
        pieces = [piece for part in parts for piece in ([part] if part.startswith(_AGAINST) else part.split("-"))]
        backers = {piece for part in parts if part.endswith(_BACKED) for piece in part.split("-")}
        side = "rebel" if _REBEL & set(pieces) else "state" if _STATE & set(pieces) else ""
        moves = bool(_MOVEMENT & set(pieces))
        if side == "state" and moves:
            side = ""
        own = tuple(p for p in pieces if p and p not in backers and p not in _STATE | _REBEL | _ANY)
        if not side and len(own) == 1 and own[0] in STATES:
            rest = [piece for piece in pieces if piece in _ANY]
            if _FORCES.issuperset(rest):
                side = "state"
            else:
                own += tuple(piece for piece in rest if piece not in _LINKS | {"led"})
        initials = "".join(word[0] for word in re.findall(r"\w+", words) if word[0].isupper())
        short = words.isupper() and len(words) <= 8 and " " not in words
        governs = side == "state" and bool(_GOVERNMENT & set(pieces))
        return cls(words, own, side, governs, moves, words.casefold(), _known(words), short, initials)

    @property
    def states(self) -> frozenset[str]:
        return STATES & set(self.own)


def merge_mentions(text: str, spans: Sequence[Offsets]) -> list[Party]:
    """Join mentions into actors; see the module for the rules.

    Args:
        text: the text.
        spans: character offsets of mentions of armed parties.

    Returns:
        the actors in the order of their first mention.
    """
    mentions = [piece for span in sorted(spans) for piece in _pieces(text, span)]
    if not mentions:
        return []
    names = [_Name.of(text[start:end]) for start, end in mentions]
    groups = _join(text, mentions, names)
    parties = [_party([mentions[i] for i in group], [names[i] for i in group]) for group in groups]
    return _with_further_mentions(text, parties)


def may_be_one(one: str, other: str) -> bool:
    """Return whether two names in one place may be of one party: no side differs, nor does a movement's word."""
    first, second = _Name.of(one), _Name.of(other)
    return {first.side, second.side} != {"state", "rebel"} and first.moves == second.moves


def _pieces(text: str, span: Offsets) -> list[Offsets]:
    """Take articles and brackets off: "the Islamic State (IS)" is "Islamic State" and "IS"."""
    start, end = span
    if text[max(0, start - 5) : start].translate(PLAIN_SIGNS).casefold().endswith(_AGAINST):
        return []
    words = text[start:end]
    if article := _ARTICLES.match(words):
        start += article.end()
        words = text[start:end]
    if brackets := _BRACKETS.match(words):
        inner = (brackets.span(1), brackets.span(2))
        return [piece for first, last in inner for piece in _pieces(text, (start + first, start + last))]
    stripped = words.strip(" .,;:()[]\"'“”‘’-")
    # Scraps of a sentence, such as "of".
    if not re.search(r"\w", stripped) or (len(stripped) < 4 and stripped.islower()):
        return []
    start += words.index(stripped)
    return [(start, start + len(stripped))]


def _join(text: str, mentions: Sequence[Offsets], names: Sequence[_Name]) -> list[list[int]]:
    parent = list(range(len(names)))

    def root(index: int) -> int:
        while parent[index] != index:
            index = parent[index]
        return index

    sides = [{name.side} - {""} for name in names]
    for second in range(len(names)):
        for first in range(second):
            between = text[mentions[first][1] : mentions[second][0]]
            bracketed = between.strip(" \"'”’") == "(" and len(between) <= 3
            if _same(names[first], names[second]) or (bracketed and names[second].short):
                one, other = root(first), root(second)
                if len(sides[one] | sides[other]) < 2:
                    sides[one] |= sides[other]
                    parent[other] = one
    _join_unnamed(text, names, parent, root)
    groups: dict[int, list[int]] = defaultdict(list)
    for index in range(len(names)):
        groups[root(index)].append(index)
    return list(groups.values())


def _same(one: _Name, other: _Name) -> bool:
    if one.folded == other.folded or (one.known is not None and one.known == other.known):
        return True
    if {one.side, other.side} == {"state", "rebel"}:
        return False
    if one.short or other.short:
        if _abbreviates(one, other) or _abbreviates(other, one):
            return True
        return one.own == other.own != ()
    if not one.own or not other.own:
        return False
    if one.side == other.side == "state":
        # "Turkish and Syrian troops" are neither's.
        return one.states == other.states if one.states and other.states else bool(set(one.own) & set(other.own))
    shorter, longer = sorted((one.own, other.own), key=len)
    return one.own == other.own or (len(shorter) > 1 and longer[: len(shorter)] == shorter)


def _join_unnamed(text: str, names: Sequence[_Name], parent: list[int], root: Callable[[int], int]) -> None:
    """Join "government forces" or "the rebels" with the side whose they are; see the sixth rule."""
    for side in ("state", "rebel"):
        sides: dict[int, list[_Name]] = defaultdict(list)
        for index, name in enumerate(names):
            if name.side == side and name.own:
                sides[root(index)].append(name)
        unnamed = [i for i, name in enumerate(names) if name.side == side and not name.own]
        for index in unnamed[1:]:
            parent[root(index)] = root(unnamed[0])
        if any(names[index].governs for index in unnamed):
            owners = _governing(text, sides)
        elif side == "state":
            owners = sorted(sides, key=lambda number: -len(sides[number]))[:1]
        else:
            owners = list(sides)
        if unnamed and len(owners) == 1:
            parent[root(unnamed[0])] = owners[0]


def _governing(text: str, sides: Mapping[int, Sequence[_Name]]) -> list[int]:
    """Return the sides that may be the government of the place, by their numbers."""
    called = [number for number, names in sides.items() if any(name.governs for name in names)]
    if len(called) == 1:
        return called
    states = {number: {state for name in sides[number] for state in name.states} for number in called or sides}
    places = setting(text)
    if len(places) > 1:
        return []
    home = [number for number, own in states.items() if own & places]
    # A side without a state of the table, such as "Assad military forces", may be at home anywhere.
    return home or [number for number, own in states.items() if not own & (STATES if places else ABROAD)]


def _abbreviates(short: _Name, long: _Name) -> bool:
    return len(long.initials) > 1 and short.words == long.initials


def _known(words: str) -> int | None:
    """Return the number of the well-known name that these words spell, or None."""
    plain = re.sub(r"\s+(group|fighters|militants|forces)$", "", words, flags=re.I)
    folded = plain.casefold()
    for number, names in enumerate(KNOWN):
        if plain in names or any(folded == name.casefold() for name in names if not name.isupper()):
            return number
    return None


def _party(mentions: Sequence[Offsets], names: Sequence[_Name]) -> Party:
    # The fullest name stands first: with words of its own, not a whole description, no abbreviation, then the longest.
    order = sorted(
        {name.words: name for name in names}.values(),
        key=lambda name: (not name.own, name.words.count(" ") > 4, name.short, -len(name.words)),
    )
    words = [name.words for name in order]
    return Party(words[0], tuple(words[1:]), tuple(sorted(set(mentions))))


def _with_further_mentions(text: str, parties: Sequence[Party]) -> list[Party]:
    """Add mentions by the same words elsewhere in the text, where no other actor stands."""
    taken = [mention for party in parties for mention in party.mentions]
    found = share_mentions(text, [(party.name, *party.aliases) for party in parties])
    result = []
    for party, places in zip(parties, found, strict=True):
        further = [(start, end) for start, end in places if all(end <= first or start >= last for first, last in taken)]
        result.append(Party(party.name, party.aliases, tuple(sorted({*party.mentions, *further}))))
    return sorted(result, key=lambda party: party.mentions[0])
