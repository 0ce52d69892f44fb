"""The page that `code --output page.html` writes, opened in a headless browser without a network."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conflictnlp.data.example import Example
from conflictnlp.inference.page import render_page
from tests.end_to_end.conftest import CHROMIUM, chromium

pytest.importorskip("playwright.sync_api", reason="playwright is not installed (the extra `test` has it)")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine (apt-get install chromium)"),
]
TEXT = "Rebels took the airport. <b>Talks</b> go on. Later the army retook the airport from the rebels."
LABELS = ("gaining", "losing", "stalemate", "none")


def piece(words: str, own: str, weight: float) -> dict[str, Any]:
    start = TEXT.index(words)
    chances = {label: 0.7 if label == own else 0.1 for label in LABELS}
    return {"start": start, "end": start + len(words), "text": words, "probabilities": chances, "weight": weight}


def actor(name: str, mentions: list[list[int]], label: str, evidence: list[dict[str, Any]]) -> dict[str, Any]:
    chances = {each: 0.7 if each == label else 0.1 for each in LABELS}
    told = {"name": name, "mentions": mentions, "label": label, "probability": 0.7}
    return {**told, "probabilities": chances, "evidence": evidence}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    first, last = "Rebels took the airport.", "Later the army retook the airport from the rebels."
    army, rebels = TEXT.index("army"), TEXT.rindex("rebels")
    record = {
        "id": "a1",
        "date": "2031-05-06",
        "topic": {"label": "armed_conflict", "probability": 0.93},
        "event_types": [{"label": "battle", "probability": 0.8}],
        "actors": [
            actor(
                "rebels",
                [[0, 6], [rebels, rebels + 6]],
                "losing",
                [piece(first, "gaining", 0.2), piece(last, "losing", 0.8)],
            ),
            actor("army", [[army, army + 4]], "gaining", [piece(last, "gaining", 1.0)]),
        ],
        "models": {"momentum": {"model": "minilm", "bundle": "0123456789abcdef"}},
        "error": None,
    }
    path = tmp_path_factory.mktemp("page") / "coded.html"
    path.write_text(render_page([(record, Example(where="x", id="a1", text=TEXT))]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def page(written: Path) -> Iterator[Any]:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 900, "height": 700})
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(written.as_uri())
        yield page
        page.close()


def test_the_page_asks_nobody_for_anything(page: Any, written: Path) -> None:
    assert page.asked == [written.as_uri()]


def test_the_first_actor_is_open_and_its_text_is_the_article(page: Any) -> None:
    assert page.locator("details").first.locator("p.text").inner_text() == TEXT
    assert page.locator("details").last.locator("p.text").is_hidden()


def test_evidence_is_underlined_in_the_colour_of_its_own_label(page: Any) -> None:
    marks = page.locator("details").first.locator("mark")
    assert [mark.inner_text() for mark in marks.all()] == [TEXT[:24], TEXT[TEXT.index("Later") :]]
    drawn = [mark.evaluate("e => getComputedStyle(e).textDecorationColor") for mark in marks.all()]
    assert drawn[0] != drawn[1]
    told = [mark.evaluate("e => getComputedStyle(e, '::before').content") for mark in marks.all()]
    assert told == ['"gaining 0.70 · 20%"', '"losing 0.70 · 80%"']


def test_names_are_bold(page: Any) -> None:
    assert page.locator("details").first.locator("p.text b").all_inner_texts() == ["Rebels", "rebels"]


def test_a_click_opens_the_next_actor(page: Any) -> None:
    page.locator("summary").last.click()
    assert page.locator("details").last.locator("p.text").is_visible()
