"""Faults of the input: status 2, one line on stderr that begins with the command's name, and nothing left behind."""

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from conflictnlp.cli import main

ROWS = "".join(f"Shells hit camp{n} on day{n}.,armed_conflict\nParties held vote{n}.,politics\n" for n in range(20))
PLAIN = ("model=tfidf", "model.max_features=500", "evaluation.plots=false", "evaluation.bootstrap=20")
Refused = Callable[..., str]


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Refused:
    """Run a command that must be refused, and return the line that says why."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> str:
        before = sorted(tmp_path.rglob("*"))
        capsys.readouterr()
        assert main(words) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert re.fullmatch(r"conflictnlp: \S.*\n", said.err), said.err
        assert sorted(tmp_path.rglob("*")) == before
        return said.err

    return run


HALLS = b"".join(b"Parties held vote%d in hall%d.,politics\n" % (n, n) for n in range(20))
FILES = {
    "missing.csv": (None, "missing.csv: no such file; check the path"),
    "empty.csv": (b"", "data.train=empty.csv: holds no rows"),
    "empty.jsonl": (b"\n\n", "data.train=empty.jsonl: holds no rows"),
    "header.csv": (b"text,label\n", "data.train=header.csv: holds no rows"),
    "binary.csv": (b"\x89PNG\r\n\x1a\n\x00\x01", "binary.csv:1: not UTF-8 text (byte 0x89"),
    "zeros.csv": (b"\x00" * 100, "zeros.csv:1: holds a zero byte"),
    "latin.csv": ("text,label\ncaf\xe9,politics\n".encode("latin-1"), "latin.csv:2: not UTF-8 text (byte 0xe9"),
    "utf16.csv": ("text,label\na,politics\n".encode("utf-16"), "utf16.csv:1: not UTF-8 text (byte 0xff"),
    "untitled.csv": (b"body,label\na,politics\n", "untitled.csv:2: no column 'text'; the columns are body, label"),
    "unlabelled.csv": (b"text,code\na,b\n", "unlabelled.csv:2: no column 'label' or 'labels'; the columns are text"),
    "war.csv": (b"text,label\na,politics\nb,war\n", "war.csv:3: unknown label 'war' in column 'label'; task topic"),
    "no.csv": (b"text,label\na,no\nb,politics\n", "no.csv:2: unknown label 'no' in column 'label'"),
    "one.csv": (b"text,label\n" + HALLS, "the training rows bear a single class (politics)"),
    "ragged.csv": (b"text,label\na,b,c\n", "ragged.csv:2: more fields than the header's 2; quote the text"),
    "quoted.csv": (b'text,label\n"a "b" c",politics\n', "quoted.csv:2: the row that begins here is not valid CSV"),
    "lines.jsonl": (b"text\n", "lines.jsonl:1: not JSON"),
    "list.jsonl": (b"[1]\n", "list.jsonl:1: a JSON list where an object {...} is needed"),
    "paper.pdf": (b"%PDF-1.7", "paper.pdf: unknown format .pdf"),
    "cut.csv.gz": (
        gzip.compress(b"text,label\na,politics\n")[:-9],
        "cut.csv.gz: the gzip file is damaged or cut short",
    ),
    "table.parquet": (b"PAR1", "table.parquet: not a readable Parquet file"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_faulty_file_is_refused(refused: Refused, tmp_path: Path, name: str) -> None:
    data, told = FILES[name]
    if data is not None:
        (tmp_path / name).write_bytes(data)
    assert told in refused("train", "task=topic", "data=files", f"data.train={name}", *PLAIN)


WORDS = {
    "Key 'epoch' not in 'TrainerConfig'": ["trainer.epoch=3"],
    "Could not find 'task/nonsense'; Available options in 'task'": ["task=nonsense"],
    "Could not find 'data/nonsense'": ["data=nonsense"],
    "Could not find 'experiment/nonsense'": ["experiment=nonsense"],
    "Value 'two' of type 'str' could not be converted to Integer": ["seed=two"],
    "trainer.loss=hinge: must be one of cross_entropy, focal": ["trainer.loss=hinge"],
    "data.limit=0: must be above zero": ["data.limit=0"],
    "unknown flag --nonsense": ["--nonsense"],
    "data=sample has no labels for task=satp; sets that do: satp, files": ["task=satp"],
    "data=files: no training data; set data.train=FILE": ["data=files"],
    "model.encoder=/no/such: not found; tried folder /no/such (none)": ["model=encoder", "model.encoder=/no/such"],
    "MLflow no longer keeps runs in plain folders": ["tracking.uri=mlruns"],
}


@pytest.mark.parametrize("told", WORDS)
def test_a_faulty_word_is_refused(refused: Refused, told: str) -> None:
    assert told in refused("train", "task=topic", "model=tfidf", *WORDS[told])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["nonsense"], "invalid choice: 'nonsense'"),
        (["predict"], "the following arguments are required: REF, INPUT (see conflictnlp predict --help)"),
        (["predict", "nowhere", "a.txt"], "model 'nowhere': not found; tried folder nowhere (none); a REF is"),
        (["evaluate", "nowhere"], "model 'nowhere': not found"),
        (["runs", "--limit", "many"], "--limit: invalid int value: 'many'"),
        (["data"], "the following arguments are required: ACTION"),
    ],
)
def test_words_that_are_no_command_are_refused(refused: Refused, words: list[str], told: str) -> None:
    assert told in refused(*words)


def test_a_store_is_not_made_for_faulty_data(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("text,label\n" + ROWS.replace("politics", "weather"))
    refused("train", "task=topic", "data=files", "data.train=rows.csv", *PLAIN)
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


@pytest.mark.parametrize(
    "words", [["train", "task=topic", *PLAIN], ["runs"], ["rerun", "x"], ["predict", "0" * 32, "a"]]
)
def test_a_server_that_is_away_is_refused(refused: Refused, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    assert "tracking store http://127.0.0.1:9: not reached within" in refused(*words)


def test_a_server_that_is_away_is_told_before_the_data_is_read(
    refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    assert "not reached" in refused("train", "task=topic", "data=files", "data.train=missing.csv")


@pytest.mark.parametrize("words", [["--help"], ["predict", "--help"], ["runs", "--help"], ["--version"]])
def test_help_is_on_stdout(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 0
    assert "conflictnlp" in capsys.readouterr().out


def test_the_config_is_shown_without_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--cfg", "job", "task=topic", "seed=7"]) == 0
    shown = capsys.readouterr().out
    assert "seed: 7" in shown and "name: topic" in shown
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_has_gone_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("conflictnlp.commands.runs.list_runs", gone)
    monkeypatch.setattr("os.dup2", lambda *_: None)
    monkeypatch.setattr("sys.stdout", open("/dev/null", "w"))  # noqa: PTH123, SIM115
    assert main(["runs"]) == 1


def test_a_write_protected_place_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def protected(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "/data/mlflow.db")

    monkeypatch.setattr("conflictnlp.commands.runs.list_runs", protected)
    assert main(["runs"]) == 1
    assert capsys.readouterr().err.startswith("conflictnlp: no permission at /data/mlflow.db (Permission denied)")


def test_an_error_of_our_own_making_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflictnlp.commands.runs.list_runs", lambda *_: json.loads("{"))
    with pytest.raises(json.JSONDecodeError):
        main(["runs"])
