"""Coded articles as one self-contained HTML page, the evidence marked in the text."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Any

from conflictnlp.data.example import Example

_COLOURS = {"gaining": "#1b7f4b", "losing": "#b3362b", "stalemate": "#9a6a00", "none": "#5b6470"}
_OTHER = "#2b6ca3"
_STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.6 Georgia, 'Times New Roman', serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem;
  color: #1d2129; }
h1, h2, .meta, table, .actor, nav { font-family: system-ui, sans-serif; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .3rem; }
.meta { color: #5b6470; font-size: .85rem; }
.chip { color: #fff; border-radius: .8rem; padding: .05rem .6rem; font-size: .85rem; font-family: system-ui, sans-serif; }
details { border: 1px solid #d9dde3; border-radius: .4rem; margin: .5rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; font-family: system-ui, sans-serif; }
.text { white-space: pre-wrap; }
mark { background: none; border-bottom: .16rem solid; color: inherit; padding: 0; }
b.mention { font-weight: 700; }
.bar { display: inline-block; height: .6rem; border-radius: .2rem; vertical-align: middle; }
td { padding: 0 .7rem 0 0; font-size: .85rem; }
"""


def render_page(coded: Sequence[tuple[dict[str, Any], Example]]) -> str:
    """Write a page that opens anywhere without a network.

    Args:
        coded: (record, article) pairs, as `Coder.code` gives them.

    Returns:
        HTML.
    """
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Coded articles</title>',
        f"<style>{_STYLE}</style></head><body><h1>{len(coded)} coded article{'s' if len(coded) != 1 else ''}</h1>",
        "<p class=meta>Open an actor to see its text: names in bold; underlined is what the label rests on, the darker "
        "the more it weighs. Point at it for its own probabilities.</p>",
    ]
    parts += [_article(record, article) for record, article in coded]
    return "".join([*parts, "</body></html>\n"])


def _article(record: dict[str, Any], article: Example) -> str:
    title = article.title or record["id"]
    lines = [f"<section><h2>{escape(str(title))}</h2><p class=meta>{escape(str(record['id']))}"]
    lines.append(f" · {escape(record['date'])}" if record["date"] else "")
    if record["topic"]:
        lines.append(f" · topic {escape(record['topic']['label'])} {record['topic']['probability']:.2f}")
    if record["event_types"]:
        told = ", ".join(f"{escape(event['label'])} {event['probability']:.2f}" for event in record["event_types"])
        lines.append(f" · event types {told}")
    lines.append("</p>")
    if record["error"]:
        lines.append(f"<p>{escape(record['error'])}</p>")
    if not record["actors"]:
        lines.append(
            f"<details><summary>No actor asked about is named</summary><p class=text>{escape(article.text)}</p>"
        )
        lines.append("</details>")
    lines += [_actor(actor, article.text, number == 0) for number, actor in enumerate(record["actors"])]
    return "".join([*lines, "</section>"])


def _actor(actor: dict[str, Any], text: str, is_open: bool) -> str:
    label = actor["label"] or "unclear"
    colour = _COLOURS.get(label, _OTHER)
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td><span class=bar style='width:{8 * chance:.2f}rem;"
        f"background:{_COLOURS.get(name, _OTHER)}'></span> {chance:.2f}</td></tr>"
        for name, chance in actor["probabilities"].items()
    )
    chance = "" if actor["probability"] is None else f" {actor['probability']:.2f}"
    return (
        f"<details{' open' if is_open else ''}><summary class=actor>{escape(actor['name'])} "
        f"<span class=chip style='background:{colour}'>{escape(label)}{chance}</span></summary>"
        f"<table>{rows}</table><p class=text>{_marked(text, actor)}</p></details>"
    )


def _marked(text: str, actor: dict[str, Any]) -> str:
    """Write the text with mentions in bold and each piece of evidence underlined by its own label and weight."""
    heaviest = max((piece["weight"] for piece in actor["evidence"]), default=1.0) or 1.0
    borders = {0, len(text)}
    borders.update(place for piece in actor["evidence"] for place in (piece["start"], piece["end"]))
    borders.update(place for mention in actor["mentions"] for place in mention)
    places = sorted(place for place in borders if 0 <= place <= len(text))
    pieces = []
    for first, last in pairwise(places):
        shown = escape(text[first:last])
        if any(start <= first and last <= end for start, end in actor["mentions"]):
            shown = f"<b class=mention>{shown}</b>"
        # Windows may overlap; the heavier one is shown.
        over = [piece for piece in actor["evidence"] if piece["start"] <= first and last <= piece["end"]]
        if over:
            piece = max(over, key=lambda item: item["weight"])
            own = max(piece["probabilities"], key=lambda name: piece["probabilities"][name])
            told = ", ".join(f"{name} {chance:.2f}" for name, chance in piece["probabilities"].items())
            share = max(0.15, piece["weight"] / heaviest)
            tone = f"color-mix(in srgb, {_COLOURS.get(own, _OTHER)} {100 * share:.0f}%, transparent)"
            title = f"{own}, weight {piece['weight']:.2f}: {told}"
            shown = f"<mark style='border-color:{tone}' title='{escape(title)}'>{shown}</mark>"
        pieces.append(shown)
    return "".join(pieces)
