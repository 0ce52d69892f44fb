"""Coded articles as one self-contained HTML page, the evidence marked in the text."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby, pairwise
from typing import Any

from conflictnlp.data.example import Example

_COLOURS = {"gaining": "#1b7f4b", "losing": "#b3362b", "stalemate": "#9a6a00", "none": "#5b6470"}
_OTHER = "#2b6ca3"
_STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.7 Georgia, 'Times New Roman', serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem;
  color: #1d2129; overflow-wrap: break-word; }
h1, h2, .meta, table, summary, footer, .chip, mark::before { font-family: system-ui, sans-serif; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .3rem; }
.meta, footer { color: #5b6470; font-size: .85rem; line-height: 1.5; margin: .3rem 0; }
.fault { color: #b3362b; }
.chip { color: #fff; border-radius: .8rem; padding: .1rem .6rem; font-size: .85rem; }
table { border-collapse: collapse; font-size: .85rem; line-height: 1.5; }
td { padding: .1rem .8rem .1rem 0; vertical-align: baseline; }
.contents { width: 100%; margin: 1rem 0; } .contents td { border-top: 1px solid #d9dde3; padding: .3rem .8rem .3rem 0; }
.contents .chip { display: inline-block; margin: .1rem .3rem .1rem 0; } .date { white-space: nowrap; }
.bar { display: inline-block; height: .6rem; border-radius: .2rem; }
details { border: 1px solid #d9dde3; border-radius: .4rem; margin: .5rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; }
.text { white-space: pre-wrap; }
mark { background: none; color: inherit; text-decoration: underline .12rem; text-underline-offset: .25rem;
  text-decoration-skip-ink: none; }
mark::before { content: attr(data-told); color: #fff; background: var(--own); border-radius: .2rem; font-size: .68rem;
  padding: .1rem .35rem; margin-right: .35rem; display: inline-block; line-height: 1.2; white-space: nowrap; }
footer { border-top: 1px solid #d9dde3; margin-top: 3rem; padding-top: .6rem; }
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
        "<p class=meta>Open an actor to see its text: its names are bold, and what the label rests on is underlined, "
        "the stronger the more it weighs. The tag before it says what that stretch alone speaks for, and its share in "
        "the answer.</p>",
    ]
    if len(coded) > 1:
        parts.append(_contents(coded))
    parts += [_article(number, record, article) for number, (record, article) in enumerate(coded, 1)]
    if coded:
        parts.append(_models(coded[0][0]["models"]))
    return "".join([*parts, "</body></html>\n"])


def _contents(coded: Sequence[tuple[dict[str, Any], Example]]) -> str:
    rows = []
    for number, (record, article) in enumerate(coded, 1):
        chips = "".join(_chip(actor, f"{actor['name']}: ") for actor in record["actors"])
        fault = f"<span class=fault>{escape(record['error'])}</span>" if record["error"] else ""
        topic = escape(_label(record["topic"])) if record["topic"] else ""
        rows.append(
            f"<tr><td><a href='#a{number}'>{escape(_name(record, article))}</a></td>"
            f"<td class=date>{escape(record['date'] or '')}</td><td>{topic}</td><td>{chips}{fault}</td></tr>"
        )
    return f"<table class=contents>{''.join(rows)}</table>"


def _article(number: int, record: dict[str, Any], article: Example) -> str:
    facts = [escape(record["id"])] if article.title else []
    facts += [escape(record["date"])] if record["date"] else []
    if record["topic"]:
        facts.append(f"topic {escape(_label(record['topic']))} {record['topic']['probability']:.2f}")
    if record["event_types"]:
        told = ", ".join(f"{escape(_label(event))} {event['probability']:.2f}" for event in record["event_types"])
        facts.append(f"event types {told}")
    lines = [f"<section id=a{number}><h2>{escape(_name(record, article))}</h2><p class=meta>{' · '.join(facts)}</p>"]
    if record["error"]:
        lines.append(f"<p class=fault>{escape(record['error'])}</p>")
    elif not record["actors"]:
        lines.append(
            f"<details><summary>No actor asked about is named</summary><p class=text>{escape(article.text)}</p>"
        )
        lines.append("</details>")
    lines += [_actor(actor, article.text, place == 0) for place, actor in enumerate(record["actors"])]
    return "".join([*lines, "</section>"])


def _name(record: dict[str, Any], article: Example) -> str:
    return article.title or str(record["id"])


def _models(models: dict[str, dict[str, str] | None]) -> str:
    told = (f"{task}: {model['model']} ({model['bundle'][:12]})" for task, model in models.items() if model)
    return f"<footer>{'<br>'.join(map(escape, told))}</footer>"


def _chip(actor: dict[str, Any], before: str = "") -> str:
    label = _label(actor)
    chance = "" if actor["probability"] is None else f" {actor['probability']:.2f}"
    return f"<span class=chip style='background:{_colour(label)}'>{escape(before + label)}{chance}</span>"


def _label(told: dict[str, Any]) -> str:
    return told["label"] or "unclear"


def _colour(label: str) -> str:
    return _COLOURS.get(label, _OTHER)


def _actor(actor: dict[str, Any], text: str, is_open: bool) -> str:
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td><span class=bar style='width:{8 * chance:.2f}rem;"
        f"background:{_colour(name)}'></span> {chance:.2f}</td></tr>"
        for name, chance in actor["probabilities"].items()
    )
    return (
        f"<details{' open' if is_open else ''}><summary>{escape(actor['name'])} {_chip(actor)}</summary>"
        f"<table>{rows}</table><p class=text>{_marked(text, actor)}</p></details>"
    )


def _marked(text: str, actor: dict[str, Any]) -> str:
    """Write the text with mentions in bold and each piece of evidence underlined by its own label and weight."""
    heaviest = max((piece["weight"] for piece in actor["evidence"]), default=1.0) or 1.0
    evidence = [piece for piece in actor["evidence"] if piece["end"] is not None]
    places = {0, len(text), *(place for piece in evidence for place in (piece["start"], piece["end"]))}
    places.update(place for mention in actor["mentions"] for place in mention)
    borders = pairwise(sorted(place for place in places if 0 <= place <= len(text)))
    # Evidence of the headline has no place in the text.
    written = [
        f"{_mark(piece, escape(piece['text']), heaviest)}\n" for piece in actor["evidence"] if piece["end"] is None
    ]
    # Windows may overlap; the heavier one is shown.
    for piece_number, stretches in groupby(borders, key=lambda stretch: _heaviest(evidence, *stretch)):
        shown = "".join(_bold(text, first, last, actor["mentions"]) for first, last in stretches)
        words = shown.strip()
        if piece_number is not None and words:
            # White space stays outside, lest the tag hangs on the line before.
            shown = shown.replace(words, _mark(evidence[piece_number], words, heaviest), 1)
        written.append(shown)
    return "".join(written)


def _mark(piece: dict[str, Any], words: str, heaviest: float) -> str:
    own = max(piece["probabilities"], key=piece["probabilities"].__getitem__)
    told = ", ".join(f"{name} {chance:.2f}" for name, chance in piece["probabilities"].items())
    alpha = round(255 * max(0.25, piece["weight"] / heaviest))
    return (
        f"<mark style='--own:{_colour(own)};text-decoration-color:{_colour(own)}{alpha:02x}' "
        f"data-told='{escape(own)} {piece['probabilities'][own]:.2f} · {piece['weight']:.0%}' "
        f"title='{escape(told)}'>{words}</mark>"
    )


def _heaviest(evidence: Sequence[dict[str, Any]], first: int, last: int) -> int | None:
    over = [number for number, piece in enumerate(evidence) if piece["start"] <= first and last <= piece["end"]]
    return max(over, key=lambda number: evidence[number]["weight"], default=None)


def _bold(text: str, first: int, last: int, mentions: Sequence[Sequence[int]]) -> str:
    shown = escape(text[first:last])
    return f"<b>{shown}</b>" if any(start <= first and last <= end for start, end in mentions) else shown
