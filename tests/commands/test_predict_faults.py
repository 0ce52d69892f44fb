import gzip
from pathlib import Path
from typing import Any

import pytest

from conflictnlp.commands import prediction_output as module
from tests.commands.conftest import WAR, Run, pipe


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
