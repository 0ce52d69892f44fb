import gzip
import json
import re
from pathlib import Path

import pytest

from tests.commands.conftest import DEAL, MOVES, WAR, Run, answers, pipe, write_inputs


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", ["rows.csv", "rows.tsv", "rows.csv.gz", "rows.parquet", "rows.jsonl", "rows.jsonl.gz"])
def test_tables_are_answered_row_by_row(topic: Run, tmp_path: Path, name: str) -> None:
    write_inputs(tmp_path)
    said = topic(name)
    assert said.status == 0
    assert [row["prediction"] for row in answers(said.out)] == ["war", "deal"]
    assert [str(row["id"]) for row in answers(said.out)] == ["7", "8"]


def test_a_text_is_one_record_named_by_its_file(topic: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(WAR + "\r\n", newline="")
    (row,) = answers(topic("a.txt").out)
    assert (row["id"], row["text"], row["prediction"]) == ("a.txt", WAR + "\r\n", "war")


def test_a_gzipped_text_is_read(topic: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(WAR.encode()))
    assert answers(topic("a.txt.gz").out)[0]["prediction"] == "war"


def test_a_folder_is_its_texts_in_order(topic: Run, tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    for name, text in (("b.txt", DEAL), ("a.txt", WAR), ("notes.md", "left out")):
        (tmp_path / "corpus" / name).write_text(text)
    rows = answers(topic("corpus").out)
    assert [(row["id"], row["prediction"]) for row in rows] == [("a.txt", "war"), ("b.txt", "deal")]


def test_standard_input_is_one_text(topic: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe(monkeypatch, WAR.encode())
    (row,) = answers(topic("-").out)
    assert (row["id"], row["prediction"]) == ("-", "war")


def test_standard_input_is_json_lines_if_it_begins_with_a_brace(topic: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe(monkeypatch, f'\n {{"text": "{WAR}"}}\r\n{{"text": "{DEAL}"}}\n'.encode())
    assert [row["prediction"] for row in answers(topic("-").out)] == ["war", "deal"]


def test_a_line_separator_in_a_piped_text_ends_no_line(topic: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe(monkeypatch, json.dumps({"text": f"{WAR}\u2028\x85{DEAL}"}, ensure_ascii=False).encode())
    (row,) = answers(topic("-").out)
    assert row["text"] == f"{WAR}\u2028\x85{DEAL}"


class TestActors:
    """A text is read for one actor at a time."""

    def test_a_model_of_actors_asks_for_one(self, momentum: Run, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text(MOVES)
        assert "give --actor NAME, or a column 'actor'" in momentum("a.txt").refusal

    def test_each_named_actor_is_a_record(self, momentum: Run, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text(MOVES)
        rows = answers(momentum("a.txt", "--actor", "the army", "--actor", "FARC", "--actor", "ISIL|IS").out)
        assert [(row["actor"], row["start"]) for row in rows] == [("the army", 42), ("ISIL", 10)]

    def test_an_actor_that_a_single_text_does_not_name_is_refused(self, momentum: Run, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text("What is this island?")
        assert momentum("a.txt", "--actor", "IS|ISIL").refusal == "a.txt: actor not in text (IS); nothing to predict"

    def test_in_a_corpus_it_is_a_row_with_an_error(self, momentum: Run, tmp_path: Path) -> None:
        (tmp_path / "corpus").mkdir()
        for name, text in (("1.txt", MOVES), ("2.txt", "Rain fell."), ("3.txt", "")):
            (tmp_path / "corpus" / name).write_text(text)
        said = momentum("corpus", "--actor", "IS")
        rows = answers(said.out)
        assert said.status == 3
        assert [row["error"] for row in rows] == [None, "actor not in text", "empty text"]
        assert [row["prediction"] for row in rows][1:] == [None, None]
        assert "2 of 3 records carry an error" in said.err

    def test_actors_may_stand_in_the_input(self, momentum: Run, tmp_path: Path) -> None:
        (tmp_path / "rows.csv").write_text(f"text,actor\n{MOVES},the army\n{MOVES},IS\n")
        assert [row["actor"] for row in answers(momentum("rows.csv").out)] == ["the army", "IS"]

    def test_actors_of_both_input_and_words_are_refused(self, momentum: Run, tmp_path: Path) -> None:
        (tmp_path / "rows.csv").write_text(f"text,actor\n{MOVES},IS\n")
        assert "already has the column(s) actor" in momentum("rows.csv", "--actor", "IS").refusal

    def test_a_model_of_topics_takes_none(self, topic: Run, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text(WAR)
        assert topic("a.txt", "--actor", "IS").refusal == "--actor: task topic does not read a text for one actor"

    def test_an_empty_name_is_refused(self, momentum: Run, tmp_path: Path) -> None:
        assert momentum("a.txt", "--actor", " | ").refusal == "--actor ' | ': an empty name"

    @pytest.mark.parametrize("other", ["IS", "Daesh|IS"])
    def test_a_name_of_two_actors_is_refused(self, momentum: Run, tmp_path: Path, other: str) -> None:
        (tmp_path / "a.txt").write_text(MOVES)
        assert "--actor: 'IS' names two actors" in momentum("a.txt", "--actor", "IS", "--actor", other).refusal

    def test_the_longest_name_takes_the_words(self, momentum: Run, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text("The Free Army met the Army.")
        rows = answers(momentum("a.txt", "--actor", "Army", "--actor", "Free Army").out)
        assert [(row["actor"], row["start"], len(row["evidence"])) for row in rows] == [
            ("Army", 22, 1),
            ("Free Army", 4, 1),
        ]

    def test_an_empty_cell_is_a_row_with_an_error(self, momentum: Run, tmp_path: Path) -> None:
        (tmp_path / "rows.csv").write_text(f"text,actor,note\n{MOVES},,a\n{MOVES},IS,b\n")
        said = momentum("rows.csv")
        assert said.status == 3
        assert [(row["note"], row["actor"], row["prediction"], row["error"]) for row in answers(said.out)] == [
            ("a", None, None, "actor not in text"),
            ("b", "IS", "gaining", None),
        ]

    def test_actors_that_no_text_names_are_told_at_the_end(self, momentum: Run, tmp_path: Path) -> None:
        (tmp_path / "rows.csv").write_text(f"text\n{MOVES}\nRain.\n")
        said = momentum("rows.csv", "--actor", "XX|X", "--actor", "IS", "--actor", "YY")
        assert said.err.splitlines()[-2].endswith("named in no article: XX, YY")

    def test_where_all_are_named_nobody_is_told(self, momentum: Run, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text(MOVES)
        assert "named in no article" not in momentum("a.txt", "--actor", "XX|IS").err


@pytest.mark.parametrize("output", [[], ["--output", "out.csv"]])
def test_the_last_line_tells_how_much_was_done_and_how_fast(topic: Run, tmp_path: Path, output: list[str]) -> None:
    (tmp_path / "rows.jsonl").write_text(f'{{"text": "{WAR}"}}\n{{"text": ""}}\n{{"text": "{DEAL}"}}\n')
    err = topic("rows.jsonl", *output).err
    assert re.search(r"predict: 3 texts in \d+\.\d s \([\d.]+/s\), 1 errors\n$", err), err


def test_an_unsure_prediction_is_left_out_on_demand(topic: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(WAR)
    sure = answers(topic("a.txt").out)[0]["probability"]
    said = topic("a.txt", "--abstain-below", str(min(1, sure + 0.01)))
    (row,) = answers(said.out)
    assert (said.status, row["prediction"], row["error"], row["probability"]) == (0, None, None, sure)


@pytest.mark.parametrize("word", ["2", "-0.1", "nan", "much"])
def test_a_threshold_that_is_no_share_is_refused(topic: Run, word: str) -> None:
    refusal = topic("a.txt", f"--abstain-below={word}").refusal
    assert refusal.startswith(f"argument --abstain-below: '{word}' is not a number between 0 and 1")


def test_columns_may_bear_other_names(topic: Run, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(f"key,body\nx,{WAR}\n")
    (row,) = answers(topic("rows.csv", "--text-column", "body", "--id-column", "key").out)
    assert (row["key"], row["id"], row["prediction"]) == ("x", "x", "war")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["--text-column", "body"],
            "rows.csv: no column 'body'; the columns are id, text; name the text's with --text",
        ),
        (["--id-column", "key"], "rows.csv: no column 'key'; the columns are id, text; correct --id-column"),
    ],
)
def test_a_column_that_is_not_there_is_told_with_those_that_are(
    topic: Run, tmp_path: Path, words: list[str], told: str
) -> None:
    (tmp_path / "rows.csv").write_text(f"id,text\n1,{WAR}\n")
    assert told in topic("rows.csv", *words).refusal


def test_an_input_that_bears_an_output_column_is_refused(topic: Run, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(f"text,probability,model\n{WAR},1,x\n")
    assert "already has the column(s) probability, model" in topic("rows.csv").refusal
