from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from conflictnlp.data.example import Example
from conflictnlp.inference.page import render_page

NASTY = '<script src="https://x.org/a.js">alert("1 & 2")</script> \'quoted\' &amp; </p></mark> é 🙂 \u2028 end'
LABELS = ("gaining", "losing", "stalemate", "none")


class Reader(HTMLParser):
    """What a browser would show: texts with the open elements, and every attribute."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.shown: list[tuple[str, tuple[str, ...]]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "br"):
            self.open.append(f"p.{dict(attrs).get('class')}" if tag == "p" else tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().partition(".")[0] == tag, "elements are not nested"

    def handle_data(self, data: str) -> None:
        self.shown.append((data, tuple(self.open)))

    def within(self, element: str) -> list[str]:
        """The texts inside an element."""
        return [text for text, where in self.shown if element in where]

    @property
    def text(self) -> str:
        """The article as it is shown."""
        return "".join(self.within("p.text"))


def piece(text: str, start: int, end: int, weight: float = 0.5, own: str = "gaining") -> dict[str, Any]:
    chances = {label: 0.7 if label == own else 0.1 for label in LABELS}
    return {"start": start, "end": end, "text": text[start:end], "probabilities": chances, "weight": weight}


def actor(
    mentions: list[list[int]], evidence: list[dict[str, Any]], name: str = "IS", label: str | None = "gaining"
) -> dict[str, Any]:
    chances = {"gaining": 0.6, "losing": 0.2, "stalemate": 0.15, "none": 0.05}
    told = {"name": name, "mentions": mentions, "label": label, "probability": 0.6 if label else None}
    return {**told, "probabilities": chances if label else {}, "evidence": evidence}


def coded(text: str, *actors: dict[str, Any], title: str = "", **values: Any) -> tuple[dict[str, Any], Example]:
    record = {
        "id": "a.txt",
        "date": None,
        "topic": {"label": "war", "probability": 0.9},
        "event_types": [{"label": "battle", "probability": 0.8}, {"label": "protest", "probability": 0.25}],
        "actors": list(actors),
        "models": {"topic": {"model": "models:/topic@champion", "bundle": "ab" * 32}, "event_type": None},
        "error": None,
    }
    return {**record, **values}, Example(where="a.txt", id="a.txt", text=text, title=title)


def read(*articles: tuple[dict[str, Any], Example]) -> Reader:
    return Reader(render_page(articles))


def marks(page: str) -> list[str]:
    """The words of each underlined stretch."""
    return [re.sub(r"<.*?>", "", words) for words in re.findall(r"<mark.*?>(.*?)</mark>", page, re.DOTALL)]


class TestSafety:
    """A page that opens anywhere and runs nothing."""

    def test_nothing_is_fetched_from_elsewhere(self) -> None:
        page = render_page([coded("IS fled.", actor([[0, 2]], [piece("IS fled.", 0, 8)]))] * 2)
        assert not re.search(r"(?i)https?:|//\w|url\(|@import|<link|<img|<iframe", page)

    def test_links_stay_within_the_page(self) -> None:
        reader = read(*[coded("Text.")] * 2)
        links = [value for name, value in reader.attributes if name in ("href", "src")]
        places = {value for name, value in reader.attributes if name == "id"}
        assert len(links) == 2
        assert {(link or "").removeprefix("#") for link in links} == places

    def test_no_text_becomes_an_element_or_an_attribute(self) -> None:
        whole = len(NASTY)
        told = actor([[0, 4]], [{**piece(NASTY, 0, whole), "probabilities": {NASTY: 1.0}}], NASTY, NASTY)
        values = {"id": NASTY, "date": NASTY, "topic": {"label": NASTY, "probability": 1.0}}
        values |= {"event_types": [{"label": NASTY, "probability": 1.0}]}
        values |= {"models": {"topic": {"model": NASTY, "bundle": NASTY}}}
        bad = [coded(NASTY, told, title=NASTY, **values), coded(NASTY, error=NASTY), coded(NASTY)]
        reader = read(*bad)
        assert "script" not in reader.tags
        known = {"lang", "charset", "name", "content", "class", "id", "href", "open", "style", "data-told", "title"}
        assert {name for name, _ in reader.attributes} <= known

    def test_special_characters_are_shown_as_they_are(self) -> None:
        assert read(coded(NASTY, actor([], [piece(NASTY, 3, 40)]))).text == NASTY


class TestText:
    """The article, whole and marked."""

    @pytest.mark.parametrize(
        "spans",
        [
            [],
            [(0, 16)],
            [(4, 9)],
            [(0, 6), (4, 16)],
            [(0, 16), (4, 9), (5, 7)],
            [(0, 0), (16, 16)],
            [(9, 4)],
            [(2, 99)],
            [(0, 3), (3, 16)],
        ],
    )
    @pytest.mark.parametrize("mentions", [[], [[0, 2]], [[3, 7], [14, 16]]])
    def test_it_is_complete_and_in_order(self, spans: list[tuple[int, int]], mentions: list[list[int]]) -> None:
        text = "IS & é<IS>\r\n\n IS"
        evidence = [piece(text, start, end, weight=0.1 * n) for n, (start, end) in enumerate(spans)]
        assert read(coded(text, actor(mentions, evidence))).text == text

    def test_mentions_are_bold(self) -> None:
        text = "IS fled; the army and IS met."
        reader = read(coded(text, actor([[0, 2], [22, 24]], [piece(text, 9, 29)])))
        assert reader.within("b") == ["IS", "IS"]

    def test_a_mention_over_the_border_of_evidence_is_bold_on_both_sides(self) -> None:
        text = "The Islamic State fled."
        reader = read(coded(text, actor([[4, 17]], [piece(text, 0, 11)])))
        assert "".join(reader.within("b")) == "Islamic State"

    def test_evidence_is_marked_as_one_stretch_around_its_mentions(self) -> None:
        text = "Rain. IS took it from IS. Snow."
        page = render_page([coded(text, actor([[6, 8], [22, 24]], [piece(text, 6, 25)]))])
        assert marks(page) == ["IS took it from IS."]

    def test_where_evidence_overlaps_the_heavier_is_shown(self) -> None:
        text = "One two three."
        evidence = [piece(text, 0, 7, 0.3, "losing"), piece(text, 4, 14, 0.7)]
        page = render_page([coded(text, actor([], evidence))])
        assert marks(page) == ["One", "two three."]
        assert re.findall(r"data-told='(.*?)'", page) == ["losing 0.70 · 30%", "gaining 0.70 · 70%"]

    def test_the_heavier_evidence_is_the_more_opaque(self) -> None:
        text = "One two three."
        page = render_page([coded(text, actor([], [piece(text, 0, 3, 0.2), piece(text, 4, 14, 0.4)]))])
        assert re.findall(r"text-decoration-color:#\w{6}(\w\w)", page) == ["80", "ff"]

    def test_a_tag_never_hangs_on_the_line_before(self) -> None:
        text = "One.\n\nTwo."
        page = render_page([coded(text, actor([], [piece(text, 0, 5, 0.9), piece(text, 4, 10, 0.1)]))])
        assert marks(page) == ["One.", "Two."]

    def test_evidence_of_the_headline_stands_before_the_text(self) -> None:
        text = "They fled. IS won."
        headline = {**piece("IS & co fled", 0, 12, 0.25, "losing"), "start": None, "end": None}
        page = render_page(
            [coded(text, actor([[11, 13]], [headline, piece(text, 11, 18, 0.75)]), title="IS & co fled")]
        )
        assert Reader(page).text == f"IS & co fled\n{text}"
        assert marks(page) == ["IS &amp; co fled", "IS won."]
        assert re.findall(r"data-told='(.*?)'", page) == ["losing 0.70 · 25%", "gaining 0.70 · 75%"]

    def test_weights_of_zero_are_borne(self) -> None:
        text = "IS fled."
        assert marks(render_page([coded(text, actor([[0, 2]], [piece(text, 0, 8, 0.0)]))])) == [text]


class TestFacts:
    """What is told beside the text."""

    def test_title_id_date_topic_and_event_types_are_shown(self) -> None:
        shown = "".join(text for text, _ in read(coded("Text.", title="A headline", date="2017-01-16")).shown)
        assert "A headline" in shown
        assert "a.txt · 2017-01-16 · topic war 0.90 · event types battle 0.80, protest 0.25" in shown

    def test_without_a_title_the_id_stands_in_its_place(self) -> None:
        assert read(coded("Text.")).within("h2") == ["a.txt"]

    def test_each_actor_has_its_label_and_probabilities(self) -> None:
        reader = read(coded("IS met SDF.", actor([[0, 2]], []), actor([[7, 10]], [], "SDF", "losing")))
        assert "".join(reader.within("summary")) == "IS gaining 0.60SDF losing 0.60"
        assert "".join(reader.within("table")) == "gaining 0.60losing 0.20stalemate 0.15none 0.05" * 2

    def test_an_actor_without_an_answer_is_unclear(self) -> None:
        assert "".join(read(coded("IS.", actor([[0, 2]], [], label=None))).within("summary")) == "IS unclear"

    def test_an_article_that_names_no_actor_says_so_and_shows_its_text(self) -> None:
        reader = read(coded("Rain & snow."))
        assert reader.within("summary") == ["No actor asked about is named"]
        assert reader.text == "Rain & snow."

    def test_a_fault_is_told_once(self) -> None:
        record = {"error": "empty text", "topic": None, "event_types": []}
        reader = read(coded("", **record))
        assert reader.within("section") == ["a.txt", "empty text"]

    def test_several_articles_have_a_table_of_contents(self) -> None:
        reader = read(coded("IS.", actor([[0, 2]], [])), coded("", error="empty text", topic=None))
        assert reader.within("h1") == ["2 coded articles"]
        assert reader.within("a") == ["a.txt", "a.txt"]
        assert "".join(reader.within("table")).startswith("a.txtwarIS: gaining 0.60a.txtempty text")

    def test_the_models_are_named(self) -> None:
        assert read(coded("Text.")).within("footer") == ["topic: models:/topic@champion (abababababab)"]

    def test_no_article_is_a_page_too(self) -> None:
        assert read().within("h1") == ["0 coded articles"]
