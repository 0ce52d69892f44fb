"""States that occur in conflict news: their names, what their people are called, and where a text is set.

No library that is kept up holds demonyms; the table is of states at war, with insurgents, or with troops abroad since
1990. A state that is missing is told from others by its own words, as any party is.
"""

from __future__ import annotations

import re
from collections import Counter

# A state a line: its names, of which the first stands for all, and what its people and forces are called. Those in
# capitals are found in capitals alone ("US", not "us").
_TABLE = """
afghanistan: afghan, afghans
algeria: algerian, algerians
angola: angolan, angolans
armenia: armenian, armenians
azerbaijan: azerbaijani, azerbaijanis, azeri
bangladesh: bangladeshi
belarus: belarusian
bosnia: bosnian, bosnians
burkina faso: burkinabe, burkinabè, burkinabé
burundi: burundian, burundians
cambodia: cambodian
cameroon: cameroonian, cameroonians
central african republic: central african
chad: chadian, chadians
china: chinese
colombia: colombian, colombians
congo, dr congo, democratic republic of congo, democratic republic of the congo, DRC: congolese
croatia: croatian
egypt: egyptian, egyptians
eritrea: eritrean, eritreans
ethiopia: ethiopian, ethiopians
france: french
georgia: georgian, georgians
germany: german
india: indian
indonesia: indonesian
iran: iranian, iranians
iraq: iraqi, iraqis
israel: israeli, israelis, israel defense forces, israel defence forces, israeli defense forces, IDF
ivory coast: ivorian
jordan: jordanian
kenya: kenyan, kenyans
kuwait: kuwaiti
lebanon: lebanese
liberia: liberian
libya: libyan, libyans
mali: malian, malians
mauritania: mauritanian
mexico: mexican
morocco: moroccan
mozambique: mozambican
myanmar, burma: burmese
nepal: nepalese, nepali
nicaragua: nicaraguan
niger: nigerien
nigeria: nigerian, nigerians
north korea: north korean
pakistan: pakistani, pakistanis
peru: peruvian
philippines: philippine, filipino
poland: polish
qatar: qatari
russia, russian federation: russian, russians
rwanda: rwandan, rwandans
saudi arabia: saudi, saudis
serbia: serbian, serbs
sierra leone: sierra leonean
somalia: somali
south africa: south african
south korea: south korean
south sudan: south sudanese
sri lanka: sri lankan
sudan: sudanese
syria: syrian, syrians
tajikistan: tajik
tanzania: tanzanian
thailand: thai
tunisia: tunisian
turkey, türkiye: turkish, turks
uganda: ugandan, ugandans
ukraine: ukrainian, ukrainians
united arab emirates, UAE: emirati
united kingdom, britain, UK: british
united states, united states of america, US, U.S., USA: american, americans
venezuela: venezuelan
vietnam: vietnamese
yemen: yemeni, yemenis
zimbabwe: zimbabwean
"""
_LINES = [re.split(r"[:,]\s*", line) for line in _TABLE.strip().split("\n")]
_FIRST = {name: names[0].replace(" ", "_") for names in _LINES for name in names}
_COUNTRIES = frozenset(name for line in _TABLE.strip().split("\n") for name in line.partition(":")[0].split(", "))
_NAMES = "|".join(
    re.escape(name) if name.isupper() else f"(?i:{re.escape(name)})" for name in sorted(_FIRST, key=len, reverse=True)
)
# "central_african_republic" is one word to whoever reads on.
_STATE = re.compile(rf"(?<![\w.])(?:{_NAMES})(?!\w)")
# States whose forces are in the news for what they do in others' wars.
ABROAD = frozenset(
    "united_states united_kingdom france russia turkey iran israel saudi_arabia united_arab_emirates "
    "kenya uganda rwanda burundi".split()
)
STATES = frozenset(_FIRST.values())
# "in northern Syria", "in other parts of Syria"
_IN = re.compile(
    r"\b(?:in|inside|across|throughout|within)\s+"
    r"(?:(?:north|south|east|west|central)[\w-]*\s+|(?:[\w-]+\s+){1,3}of\s+)?(?:the\s+)?$",
    re.I,
)
# "the Syrian city", "Syria's Idlib province"
_PLACE = re.compile(
    r"^(?:['’]s)?\s+(?:[\w-]+\s+)?(?:city|town|village|province|region|district|governorate|capital|coast|countryside|"
    r"soil|territory)\b",
    re.I,
)


def name_states(words: str) -> str:
    """Write one word for each state, whether its own name stands there or its people's.

    Args:
        words: a name or a text.

    Returns:
        the words, "Syrian" and "Syria" both "syria", "US" and "American" both "united_states".
    """
    return _STATE.sub(lambda match: _state(match[0]), words)


def setting(text: str) -> frozenset[str]:
    """Return the state in which a text is set: the one that it names most as a place, "in Syria", "the Syrian city".

    Args:
        text: the text.

    Returns:
        the state as `name_states` writes it; several if they are named alike, none if no state is a place.
    """
    places = Counter(_state(match[0]) for match in _STATE.finditer(text) if _is_place(text, *match.span()))
    return frozenset(state for state, count in places.items() if count == max(places.values()))


def _is_place(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - 60) : start], text[end : end + 60]
    return bool(_PLACE.match(after) or (_spelt(text[start:end]) in _COUNTRIES and _IN.search(before)))


def _state(name: str) -> str:
    # Letters such as the dotless i match another whose small form is not theirs.
    return _FIRST.get(_spelt(name), name)


def _spelt(name: str) -> str:
    """Return the name as the table has it."""
    return name if name in _FIRST else name.casefold()
