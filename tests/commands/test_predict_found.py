"""`predict` where nobody names the actors: the model finds them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conflictnlp.config import DataConfig
from conflictnlp.data.extra import read_extra
from conflictnlp.task import Task
from tests.commands.conftest import Run, answers, pipe, say
from tests.commands.test_predict_output import read_back

MET = "On Monday IS met the Syrian army. Later the army fled."
ROWS = [{"id": 1, "text": MET}, {"id": 2, "text": "Rain fell."}, {"id": 3, "text": "FARC fled.", "title": "On FARC"}]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def finding(finding_bundle: Path) -> Run:
    """Predict the momentum of actors that the model may find."""
    return lambda *words: say("predict", str(finding_bundle), "--device", "cpu", *words)


def write_rows(*rows: dict[str, Any], name: str = "rows.jsonl") -> str:
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return name


def test_a_text_is_asked_about_each_actor_in_it(finding: Run) -> None:
    Path("a.txt").write_text(MET)
    said = finding("a.txt")
    assert said.status == 0
    rows = answers(said.out)
    assert [(row["actor"], MET[row["start"] : row["end"]]) for row in rows] == [
        ("IS", "IS"),
        ("Syrian army", "Syrian army"),
    ]
    assert [[piece["text"] for piece in row["evidence"]] for row in rows] == [
        ["On Monday IS met the Syrian army."],
        ["On Monday IS met the Syrian army.", "Later the army fled."],
    ]


def test_a_named_actor_is_asked_about_alone(finding: Run) -> None:
    Path("a.txt").write_text(MET)
    assert [row["actor"] for row in answers(finding("a.txt", "--actor", "IS").out)] == ["IS"]


def test_a_text_in_which_nobody_is_found_is_refused(finding: Run) -> None:
    Path("a.txt").write_text("Rain fell on the hills.")
    assert finding("a.txt").refusal == "a.txt: actor not in text (none is found); nothing to predict"
    assert finding("a.txt", "--output", "out.csv").status == 2
    assert [path.name for path in Path().iterdir()] == ["a.txt"]


def test_in_a_corpus_it_is_a_row_with_an_error(finding: Run) -> None:
    said = finding(write_rows(*ROWS))
    assert said.status == 3
    assert "1 of 4 records carry an error" in said.err
    rows = answers(said.out)
    assert [(row["id"], row["actor"], row["error"]) for row in rows] == [
        (1, "IS", None),
        (1, "Syrian army", None),
        (2, None, "actor not in text"),
        (3, "FARC", None),
    ]
    assert (rows[2]["prediction"], rows[2]["prob_none"], rows[2]["evidence"]) == (None, None, [])


def test_evidence_of_a_title_has_no_place_in_the_text(finding: Run) -> None:
    (row,) = answers(finding(write_rows(ROWS[2])).out)
    assert [(piece["start"], piece["end"], piece["text"]) for piece in row["evidence"]] == [
        (None, None, "On FARC"),
        (0, 10, "FARC fled."),
    ]
    assert (row["start"], row["end"]) == (0, 4)


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz", "csv", "tsv", "csv.gz", "parquet"])
def test_every_format_says_the_same(finding: Run, suffix: str) -> None:
    assert finding(write_rows(*ROWS), "--output", f"out.{suffix}").status == 3
    frame = read_back(Path(f"out.{suffix}"))
    wanted = answers(finding("rows.jsonl").out)
    assert set(frame.columns) == {*wanted[2], "title"}
    assert frame["actor"].fillna("").tolist() == ["IS", "Syrian army", "", "FARC"]
    assert frame["start"].fillna(-1).tolist() == [10, 21, -1, 0]
    assert frame["error"].fillna("").tolist() == ["", "", "actor not in text", ""]
    assert frame["prediction"].fillna("").tolist() == [row["prediction"] or "" for row in wanted]
    evidence = frame["evidence"].tolist()[3]
    pieces = json.loads(evidence) if isinstance(evidence, str) else list(evidence)
    assert [piece["text"] for piece in pieces] == ["On FARC", "FARC fled."]


def test_a_folder_and_a_pipe_are_read_too(finding: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("corpus").mkdir()
    for name, text in (("b.txt", "FARC fled."), ("a.txt", "Rain.")):
        (Path("corpus") / name).write_text(text)
    rows = answers(finding("corpus").out)
    assert [(row["id"], row["actor"]) for row in rows] == [("a.txt", None), ("b.txt", "FARC")]
    pipe(monkeypatch, b"FARC met IS.")
    assert [row["actor"] for row in answers(finding("-").out)] == ["FARC", "IS"]


def test_less_probable_ones_are_left_empty(finding: Run) -> None:
    Path("a.txt").write_text(MET)
    rows = answers(finding("a.txt", "--abstain-below", "1").out)
    assert [(row["actor"], row["prediction"], row["error"]) for row in rows] == [
        ("IS", None, None),
        ("Syrian army", None, None),
    ]


def test_a_column_of_actors_is_taken_as_it_is(finding: Run) -> None:
    said = finding(write_rows({"text": MET, "actor": "Monday"}))
    assert [row["actor"] for row in answers(said.out)] == ["Monday"]


def test_a_faulty_row_ends_no_run(finding: Run) -> None:
    said = finding(write_rows(*[{"text": "FARC fled."}] * 65, {"text": 7}, {"text": "FARC fled."}))
    rows = answers(said.out)
    assert (said.status, len(rows), rows[65]["error"]) == (3, 67, "text is a int, not a text")
    assert [row["actor"] for row in rows[64:]] == ["FARC", None, "FARC"]


class TestRefusals:
    """Status 2, one line, nothing on stdout."""

    def test_a_model_that_finds_none(self, momentum: Run) -> None:
        Path("a.txt").write_text(MET)
        assert "give --actor NAME, or a column 'actor' in the input" in momentum("a.txt").refusal

    @pytest.mark.parametrize("column", ["start", "end", "prob_none", "evidence"])
    def test_a_column_that_would_be_overwritten(self, finding: Run, column: str) -> None:
        refusal = finding(write_rows({"text": MET, column: 7})).refusal
        assert f"the input already has the column(s) {column}, which predict writes" in refusal

    def test_an_empty_text(self, finding: Run) -> None:
        Path("a.txt").write_text(" \n")
        assert finding("a.txt").refusal == "a.txt: empty text; nothing to predict"


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_what_it_said_can_be_trained_on(finding: Run, finding_task: Task, suffix: str) -> None:
    finding(write_rows(*ROWS), "--output", f"taught.{suffix}")
    said = [row for row in answers(finding("rows.jsonl").out) if not row["error"]]
    examples, faults = read_extra(DataConfig(extra=[f"taught.{suffix}"]), finding_task)
    assert not faults
    assert [dict(example.spans)["actor"].words for example in examples] == ["IS", "Syrian army", "FARC"]
    for example, row in zip(examples, said, strict=True):
        assert example.chances == pytest.approx([row[f"prob_{label}"] for label in finding_task.label_names])
        assert example.label == row["prediction"]
