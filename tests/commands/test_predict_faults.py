import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from conflictnlp.commands import prediction_output as module
from tests.commands.conftest import MOVES, WAR, Run, answers, pipe
from tests.commands.test_predict_output import read_back


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("data", "told"), [(b"", "empty text"), (b"\xff\xfe", "not UTF-8"), (b"a\x00b", "zero byte")])
def test_a_piped_text_that_is_none_is_refused(
    topic: Run, monkeypatch: pytest.MonkeyPatch, data: bytes, told: str
) -> None:
    pipe(monkeypatch, data)
    assert told in topic("-").refusal


FAULTS = {
    "no such file": ("missing.csv", None),
    "holds no rows": ("rows.csv", b"text\n"),
    "unknown format .pdf": ("a.pdf", b"%PDF"),
    "a.txt: empty text; nothing to predict": ("a.txt", b" \n"),
    "a.txt: not UTF-8 text (byte 3)": ("a.txt", b"caf\xe9 au lait"),
    "a.txt: holds a zero byte": ("a.txt", b"a\x00b"),
    "a.txt.gz: cannot be read": ("a.txt.gz", gzip.compress(b"Shells hit the town.")[:-9]),
    "rows.jsonl:2: not JSON": ("rows.jsonl", b'{"text": "a"}\n{"text": \n'),
    "rows.jsonl: no column 'text'; the columns are body": ("rows.jsonl", b'{"body": "a"}\n{"body": "b"}\n'),
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


def test_a_name_that_is_empty_is_no_folder(topic: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(WAR)
    assert "an empty name" in topic("").refusal


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


class TestRows:
    """A row that cannot be read is answered with an error of its own; the others are scored."""

    @pytest.mark.parametrize(
        ("row", "told"),
        [
            ({"text": 5}, "text is a int, not a text"),
            ({"text": ["a"]}, "text is a list, not a text"),
            ({"text": None}, "empty text"),
            ({"text": float("nan")}, "empty text"),
            ({"body": "a"}, "no column 'text' in this row"),
            ({"text": WAR, "title": 5}, "title is a int, not a text"),
        ],
    )
    @pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
    def test_of_a_model_of_topics(self, topic: Run, row: dict[str, Any], told: str, suffix: str) -> None:
        write({"text": WAR}, row, {"text": WAR})
        said = topic("rows.jsonl", "--output", f"out.{suffix}")
        assert said.status == 3
        assert "1 of 3 records carry an error" in said.err
        frame = read_back(Path(f"out.{suffix}"))
        assert frame["prediction"].fillna("").tolist() == ["war", "", "war"]
        assert frame["error"].fillna("").tolist() == ["", told, ""]

    @pytest.mark.parametrize(
        ("row", "told"),
        [
            ({"start": "x", "end": 12}, "start='x' is not a character offset"),
            ({"start": 5.5, "end": 12}, "start=5.5 is not a character offset"),
            ({"text": 5}, "text is a int, not a text"),
        ],
    )
    def test_of_a_model_of_actors(self, momentum: Run, row: dict[str, Any], told: str) -> None:
        write({"text": MOVES, "actor": "IS", **row}, {"text": MOVES, "actor": "IS"})
        said = momentum("rows.jsonl")
        assert said.status == 3
        bad, good = answers(said.out)
        assert (bad["actor"], bad["start"], bad["prediction"], bad["error"]) == ("IS", None, None, told)
        assert good["prediction"] == "gaining"

    def test_with_named_actors(self, momentum: Run) -> None:
        write({"text": 5}, {"text": MOVES}, {"text": None, "title": "IS"})
        rows = answers(momentum("rows.jsonl", "--actor", "IS").out)
        assert [row["error"] for row in rows] == ["text is a int, not a text", None, "empty text"]

    def test_that_comes_first(self, momentum: Run) -> None:
        write({"body": "a"}, {"text": MOVES, "actor": "IS"})
        said = momentum("rows.jsonl")
        assert [row["prediction"] for row in answers(said.out)] == [None, "gaining"]

    def test_without_a_title(self, topic: Run) -> None:
        write({"text": WAR, "title": float("nan"), "id": float("nan"), "more": [float("inf")]})
        said = topic("rows.jsonl")
        (row,) = [json.loads(line, parse_constant=pytest.fail) for line in said.out.splitlines()]
        assert (said.status, row["title"], row["id"], row["more"]) == (0, None, "rows.jsonl:1", [None])


def write(*rows: dict[str, Any]) -> None:
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
