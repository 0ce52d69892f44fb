"""Invented sentences with event codes, written for this package as further training (DATA_CARD.md tells how)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import resources
from typing import Any

from conflictnlp.errors import InputError

# The codings; each is a file.
CODINGS = ("plover", "case21")
# The quad class of each of PLOVER's roots.
QUADS = {
    "verbal_cooperation": ("agree", "consult", "support"),
    "material_cooperation": ("cooperate", "aid", "yield"),
    "verbal_conflict": ("request", "accuse", "reject", "threaten"),
    "material_conflict": ("protest", "sanction", "mobilize", "coerce", "assault"),
}
# The event type of each sub-type.
TYPES = {
    "battle": ("armed_clash", "gov_regains_terit", "non_state_actor_overtakes_ter"),
    "remote_violence": (*("air_strike", "art_miss_attack", "chem_weap", "grenade", "rem_explos", "suic_bomb"),),
    "civilian_targeting": ("abduct_dissap", "attack", "sex_viol"),
    "protest": ("force_against_protest", "peace_protest", "protest_with_inter"),
    "riot": ("mob_viol", "viol_demonstr"),
    "strategic_development": (
        *("agreement", "arrest", "change_to_group_act", "disr_weap", "hq_established"),
        *("non_viol_territ_transfer", "other", "property_distruct"),
    ),
    "none": ("attrib", "diplo", "man_made_disaster", "natural_disaster", "org_crime"),
}
_QUAD_OF = {root: quad for quad, roots in QUADS.items() for root in roots}
_TYPE_OF = {sub_type: name for name, sub_types in TYPES.items() for sub_type in sub_types}


def event_texts(coding: str) -> Iterator[dict[str, Any]]:
    """Read the sentences, one record a text.

    Args:
        coding: plover (`events` with source, target and root) or case21 (`label`, a sub-type).

    Yields:
        id, text and its codes.

    Raises:
        InputError: there is no such coding.
    """
    if coding not in CODINGS:
        raise InputError(f"events:{coding}: no such coding; there are {', '.join(CODINGS)}")
    content = resources.files(__name__).joinpath(f"{coding}.jsonl").read_text(encoding="utf-8")
    for number, line in enumerate(content.splitlines(), 1):
        yield {"id": f"{coding}-{number:04d}", **json.loads(line)}


def event_rows(coding: str) -> Iterator[dict[str, Any]]:
    """Read the sentences as rows of the data contract, with a column for each task that they are coded for.

    Args:
        coding: as for `event_texts`.

    Yields:
        of plover one row an event: id, text, source and target with their offsets (no target: None), plover,
        plover_quad, group; of case21 one row a text: id, text, event_type, event_subtype.

    Raises:
        InputError: there is no such coding.
    """
    for record in event_texts(coding):
        if coding == "case21":
            own = {"event_type": _TYPE_OF[record["label"]], "event_subtype": record["label"]}
            yield {"id": record["id"], "text": record["text"], **own}
            continue
        for number, event in enumerate(record["events"]):
            row = {"id": f"{record['id']}-{number}", "text": record["text"], "group": record["id"]}
            for role in ("source", "target"):
                start, end = _place(record["text"], event.get(role))
                row |= {role: event.get(role), f"{role}_start": start, f"{role}_end": end}
            yield row | {"plover": event["label"], "plover_quad": _QUAD_OF[event["label"]]}


def _place(text: str, words: str | None) -> tuple[int | None, int | None]:
    """Return where the words first stand in a text as they are spelt, not within another word."""
    found = re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text) if words else None
    return found.span() if found else (None, None)
