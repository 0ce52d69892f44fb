"""The MLflow UI over a small sweep, walked in a headless browser. Only visible text and roles are relied on."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import CHROMIUM, COMMAND, answers, chromium, free_port, started, wait_for

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (the extra `test` has it)")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine (apt-get install chromium)"),
]
PARENT = "sweep-tfidf-sample-4"
PICTURES = ("confusion_matrix.png", "per_class_f1.png", "reliability.png", "risk_coverage.png")
SWEEP = ("task=momentum", "model=tfidf", "model.max_features=20,2000", "seed=1,2")


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """A folder with the sweep's store, and the jobs' records with run id, configuration, seed and metrics."""
    folder = tmp_path_factory.mktemp("swept")
    words = [COMMAND, "train", "-m", *SWEEP, "evaluation.bootstrap=20"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    (summary,) = folder.glob("multirun/momentum/*/summary/summary.json")
    return folder, json.loads(summary.read_text())["jobs"]


@pytest.fixture(scope="module")
def address(swept: tuple[Path, Any]) -> Iterator[str]:
    """`conflictnlp ui` on a free port."""
    port = free_port()
    with started(swept[0], COMMAND, "ui", "--port", str(port)) as process:
        try:
            wait_for(lambda: answers(f"http://127.0.0.1:{port}"), process, swept[0])
            yield f"http://127.0.0.1:{port}"
        finally:
            # Told to end, it ends its server too, which has a session of its own.
            process.terminate()
            process.wait(timeout=30)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Any, address: str, tmp_path: Path) -> Iterator[Any]:
    """The runs of the experiment; its last state is kept as a picture, whose path stands under a failure."""
    page = browser.new_page(viewport={"width": 1700, "height": 900}, base_url=address)
    page.set_default_timeout(20_000)
    page.goto("/#/experiments")
    page.get_by_role("button", name="Model training").click()
    page.get_by_role("link", name="momentum").click()
    page.get_by_role("link", name=PARENT).wait_for()
    assistant = page.get_by_role("button", name="Close")
    if assistant.count():
        assistant.click()
    yield page
    page.screenshot(path=tmp_path / "last.png")
    print(f"the page as it was: {tmp_path / 'last.png'}")
    page.close()


def open_scores(page: Any) -> None:
    """Choose the saved view that every experiment comes with."""
    page.get_by_role("button", name="Views").click()
    page.get_by_role("menu").get_by_text("scores", exact=True).click()
    page.get_by_role("columnheader", name="test/macro_f1", exact=True).first.wait_for()
    page.get_by_role("link", name=re.compile("^tfidf")).nth(3).wait_for()


def listed(page: Any) -> list[str]:
    """Return the names of the runs in their order on the page."""
    return page.get_by_role("gridcell").get_by_role("link", name=re.compile("tfidf-sample")).all_inner_texts()


# The ids of the jobs' runs from top to bottom; in the document rows stand in the order in which they were drawn.
RANKED = """() => [...document.querySelectorAll("[role=row]")]
    .map(row => [Number(row.getAttribute("aria-rowindex")), row.querySelector("[role=gridcell] a[href*='/runs/']")])
    .filter(([_, link]) => link?.textContent.startsWith("tfidf"))
    .sort(([one], [other]) => one - other)
    .map(([_, link]) => link.getAttribute("href").split("/").at(-1))"""


def test_children_lie_under_their_parent(page: Any) -> None:
    assert listed(page) == [PARENT]
    parent = page.get_by_role("gridcell").filter(has=page.get_by_role("link", name=PARENT))
    parent.get_by_role("button").click()
    page.get_by_role("link", name=re.compile("^tfidf")).nth(3).wait_for()
    assert sorted(listed(page)) == [PARENT, *2 * ["tfidf-sample-s1"], *2 * ["tfidf-sample-s2"]]


def test_the_view_of_scores_ranks_runs_and_tells_them_apart(page: Any, swept: tuple[Path, Any]) -> None:
    open_scores(page)
    for column in ("test/macro_f1_low", "test/macro_f1_high", "val/macro_f1", "Duration", "seed", "model", "data"):
        assert page.get_by_role("columnheader", name=column, exact=True).first.is_visible(), column
    scores = {job["run_id"]: job["metrics"]["test/macro_f1"] for job in swept[1]}
    assert len(set(scores.values())) > 1
    assert [scores[run] for run in page.evaluate(RANKED)] == sorted(scores.values(), reverse=True)
    assert page.get_by_role("gridcell", name="model.max_features=2000").count() == 2
    # And the other way round, as a user sorts.
    page.get_by_role("columnheader", name="test/macro_f1", exact=True).first.click()
    lowest = [run for run, score in scores.items() if score == min(scores.values())]
    page.wait_for_function(f"lowest => lowest.includes(({RANKED})()[0])", arg=lowest)
    assert [scores[run] for run in page.evaluate(RANKED)] == sorted(scores.values())


def test_a_run_tells_its_score_its_data_and_its_codebook(page: Any, swept: tuple[Path, Any]) -> None:
    job = swept[1][0]
    open_scores(page)
    page.locator(f"a[href$='{job['run_id']}']").first.click()
    page.get_by_role("heading", name="tfidf-sample-s1").wait_for()
    page.get_by_text("Description", exact=True).wait_for()
    # The parent is asked for last.
    page.get_by_text(PARENT).first.wait_for()
    told = page.locator("body").inner_text()
    assert f"test macro-F1 {job['metrics']['test/macro_f1']:.3f} [" in told
    for words in ("invented reports and articles", "Terms: Apache-2.0", "gaining 82", "moving up: advancing", PARENT):
        assert words in told, words
    assert page.get_by_role("cell", name=str(job["metrics"]["test/macro_f1"]), exact=True).count() == 1
    assert page.get_by_text("settings: model.max_features=20").is_visible()


def test_pictures_open_under_artifacts(page: Any, swept: tuple[Path, Any]) -> None:
    page.goto("/#/experiments/1/runs/" + swept[1][0]["run_id"])
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_text("figures", exact=True).click()
    for picture in PICTURES:
        page.get_by_text(picture, exact=True).click()
        page.get_by_text(f"figures/{picture}").first.wait_for()
        # A picture that failed to load has no size of its own.
        page.wait_for_function("() => [...document.images].some(image => image.naturalWidth > 500)")


def test_two_runs_are_compared(page: Any) -> None:
    open_scores(page)
    rows = page.get_by_role("row").filter(has=page.get_by_role("link", name="tfidf-sample-s1"))
    for row in rows.all():
        row.get_by_role("checkbox").first.click()
    page.get_by_role("button", name="Compare").click()
    page.get_by_text("Comparing 2 Runs from 1 Experiment").first.wait_for()
    row = page.get_by_role("row").filter(has_text=re.compile("^model.max_features"))
    playwright.expect(row.first).to_contain_text("2000")
    playwright.expect(row.first).to_contain_text("20")


def test_the_experiment_holds_the_codebook(page: Any) -> None:
    playwright.expect(page.get_by_text("Momentum framing: how the text presents").first).to_be_visible()
    assert "contesting without change" in page.locator("body").text_content()
