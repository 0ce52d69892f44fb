import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from conflictnlp.commands import predict as module
from tests.commands.conftest import Run, say

WAR, DEAL = "Shells hit the town.", "Envoys signed the truce."
MOVES = "On Monday IS advanced on Ostra. On Monday the army retreated from Velm."
ANSWER = ["prediction", "probability", "prob_war", "prob_deal", "prob_never", "error", "evidence"]
ANSWER += ["model", "bundle", "version"]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def topic(topic_bundle: Path) -> Run:
    """Predict topics of the words' input."""
    return lambda *words: say("predict", str(topic_bundle), *words)


@pytest.fixture
def momentum(actor_bundle: Path) -> Run:
    """Predict the momentum of actors."""
    return lambda *words: say("predict", str(actor_bundle), *words)


def answers(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.split("\n") if line]


def write_inputs(folder: Path) -> None:
    rows = [{"id": 7, "text": WAR, "source_url": "a"}, {"id": 8, "text": DEAL, "source_url": None}]
    frame = pd.DataFrame(rows)
    frame.to_csv(folder / "rows.csv", index=False)
    frame.to_csv(folder / "rows.tsv", index=False, sep="\t")
    frame.to_csv(folder / "rows.csv.gz", index=False)
    frame.to_parquet(folder / "rows.parquet", index=False)
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "rows.jsonl").write_text(lines)
    with gzip.open(folder / "rows.jsonl.gz", "wt") as stream:
        stream.write(lines)


@pytest.mark.parametrize(
    "name", ["rows.csv", "rows.tsv", "rows.csv.gz", "rows.parquet", "rows.jsonl", "rows.jsonl.gz"]
)
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


def pipe(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))


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


@pytest.mark.parametrize(("data", "told"), [(b"", "empty text"), (b"\xff\xfe", "not UTF-8"), (b"a\x00b", "zero byte")])
def test_a_piped_text_that_is_none_is_refused(
    topic: Run, monkeypatch: pytest.MonkeyPatch, data: bytes, told: str
) -> None:
    pipe(monkeypatch, data)
    assert told in topic("-").refusal


class TestOutput:
    """What is written, in each format."""

    def test_columns_are_the_inputs_then_the_contracts(self, topic: Run, tmp_path: Path) -> None:
        write_inputs(tmp_path)
        assert list(answers(topic("rows.jsonl").out)[0]) == ["id", "text", "source_url", *ANSWER]

    def test_spans_stand_between_id_and_prediction(self, momentum: Run, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text(MOVES)
        (row,) = answers(momentum("a.txt", "--actor", "IS").out)
        assert list(row)[:6] == ["id", "text", "actor", "start", "end", "prediction"]
        assert MOVES[row["start"] : row["end"]] == "IS"

    @pytest.mark.parametrize("suffix", ["csv", "tsv", "csv.gz", "jsonl", "jsonl.gz", "parquet"])
    def test_every_format_says_the_same(self, topic: Run, tmp_path: Path, suffix: str) -> None:
        write_inputs(tmp_path)
        said = topic("rows.jsonl", "--output", f"new/out.{suffix}")
        assert (said.status, said.out) == (0, "")
        frame = read_back(tmp_path / "new" / f"out.{suffix}")
        wanted = pd.DataFrame(answers(topic("rows.jsonl").out))
        assert list(frame.columns) == list(wanted.columns)
        assert frame["prediction"].tolist() == ["war", "deal"]
        assert frame["prob_deal"].tolist() == pytest.approx(wanted["prob_deal"].tolist(), abs=1e-12)

    def test_evidence_is_a_json_string_in_csv(self, topic: Run, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text(WAR)
        topic("a.txt", "--output", "out.csv")
        with (tmp_path / "out.csv").open(newline="") as stream:
            (row,) = csv.DictReader(stream)
        (stretch,) = json.loads(row["evidence"])
        assert stretch["text"] == WAR

    def test_lists_of_labels_stay_lists_in_parquet(self, multi_bundle: Path, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text("Rebels shelled it. Police held ten.")
        say("predict", str(multi_bundle), "a.txt", "--output", "out.parquet")
        row = pd.read_parquet(tmp_path / "out.parquet").iloc[0]
        assert sorted(row["prediction"]) == ["arrest", "attack"]
        assert row["evidence"][0]["text"].startswith("Rebels")

    def test_columns_that_appear_late_are_kept(self, topic: Run, tmp_path: Path) -> None:
        (tmp_path / "rows.jsonl").write_text(f'{{"text": "{WAR}"}}\n{{"text": "{DEAL}", "page": 3}}\n')
        for name in ("out.csv", "out.parquet"):
            topic("rows.jsonl", "--output", name)
            assert read_back(tmp_path / name)["page"].fillna(0).tolist() == [0, 3]

    def test_many_rows_go_into_one_parquet_file(
        self, topic: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "_PARQUET_ROWS", 2)
        (tmp_path / "rows.jsonl").write_text(f'{{"text": "{WAR}", "n": 1}}\n' * 5)
        topic("rows.jsonl", "--output", "out.parquet")
        assert len(pd.read_parquet(tmp_path / "out.parquet")) == 5

    def test_a_column_that_changes_its_type_leaves_no_parquet(self, topic: Run, tmp_path: Path) -> None:
        (tmp_path / "rows.jsonl").write_text(f'{{"text": "{WAR}", "n": 1}}\n{{"text": "{WAR}", "n": "one"}}\n')
        assert "write .jsonl instead" in topic("rows.jsonl", "--output", "out.parquet").refusal
        assert [path.name for path in tmp_path.iterdir()] == ["rows.jsonl"]

    @pytest.mark.parametrize(
        ("output", "told"),
        [
            ("out.xlsx", "unknown format .xlsx"),
            ("out", "unknown format (no suffix)"),
            ("out.parquet.gz", "Parquet compresses by itself"),
            ("folder.csv", "is a folder"),
        ],
    )
    def test_an_output_that_cannot_be_is_refused(self, topic: Run, tmp_path: Path, output: str, told: str) -> None:
        (tmp_path / "folder.csv").mkdir()
        (tmp_path / "a.txt").write_text(WAR)
        assert told in topic("a.txt", "--output", output).refusal


def read_back(path: Path) -> pd.DataFrame:
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    if ".jsonl" in path.name:
        return pd.read_json(path, lines=True)
    return pd.read_csv(path, sep="\t" if ".tsv" in path.name else ",")


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
        assert momentum("a.txt", "--actor", " | ").refusal == "--actor: an empty name"


def test_an_unsure_prediction_is_left_out_on_demand(topic: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(WAR)
    sure = answers(topic("a.txt").out)[0]["probability"]
    said = topic("a.txt", "--abstain-below", str(min(1, sure + 0.01)))
    (row,) = answers(said.out)
    assert (said.status, row["prediction"], row["error"], row["probability"]) == (0, None, None, sure)


@pytest.mark.parametrize("word", ["2", "-0.1", "nan", "much"])
def test_a_threshold_that_is_no_share_is_refused(topic: Run, word: str) -> None:
    assert "--abstain-below" in topic("a.txt", f"--abstain-below={word}").refusal


def test_columns_may_bear_other_names(topic: Run, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(f"key,body\nx,{WAR}\n")
    (row,) = answers(topic("rows.csv", "--text-column", "body", "--id-column", "key").out)
    assert (row["key"], row["id"], row["prediction"]) == ("x", "x", "war")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--text-column", "body"], "rows.csv:2: no column 'body'; the columns are id, text; name the text's with --text"),
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


FAULTS = {
    "no such file": ("missing.csv", None),
    "holds no rows": ("rows.csv", b"text\n"),
    "unknown format .pdf": ("a.pdf", b"%PDF"),
    "a.txt: empty text; nothing to predict": ("a.txt", b" \n"),
    "a.txt: not UTF-8 text (byte 3)": ("a.txt", b"caf\xe9 au lait"),
    "a.txt: holds a zero byte": ("a.txt", b"a\x00b"),
    "a.txt.gz: cannot be read": ("a.txt.gz", gzip.compress(b"Shells hit the town.")[:-9]),
    "rows.jsonl:2: not JSON": ("rows.jsonl", b'{"text": "a"}\n{"text": \n'),
    "text is a int, not a text": ("rows.jsonl", b'{"text": "a"}\n{"text": 5}\n'),
    "not a readable Parquet file": ("rows.parquet", b"PAR1"),
}


@pytest.mark.parametrize("told", FAULTS)
def test_a_faulty_input_is_refused_before_anything_is_said(topic: Run, tmp_path: Path, told: str) -> None:
    name, data = FAULTS[told]
    if data is not None:
        (tmp_path / name).write_bytes(data)
    assert told in topic(name, "--output", "out.csv").refusal
    assert not (tmp_path / "out.csv").exists()
    assert told in topic(name).refusal


def test_a_bad_text_in_a_folder_stops_before_the_first(topic: Run, tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "1.txt").write_text(WAR)
    (tmp_path / "corpus" / "2.txt").write_bytes(b"\xff")
    assert "corpus/2.txt: not UTF-8" in topic("corpus").refusal


def test_a_folder_without_texts_is_refused(topic: Run, tmp_path: Path) -> None:
    assert "a folder without .txt files" in topic(".").refusal


def test_a_full_disk_leaves_no_output(topic: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "a.txt").write_text(WAR)
    monkeypatch.setattr(module, "flat", full)
    said = topic("a.txt", "--output", "out.csv")
    assert (said.status, said.err) == (1, "conflictnlp: the disk is full; free some space and start again\n")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
