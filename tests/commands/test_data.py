import json
from pathlib import Path

import pytest

from conflictnlp.commands.data import check
from conflictnlp.errors import InputError
from tests.commands.conftest import say


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(folder: Path, name: str, *rows: str) -> None:
    (folder / name).write_text("\n".join(["text,label", *rows]) + "\n")


ROWS = ["Shells hit the market.,war", "Envoys signed a truce.,deal", "Rain fell on the fields.,other"]


def test_a_sound_file_is_counted_with_the_labels_it_bears(tmp_path: Path) -> None:
    write(tmp_path, "rows.csv", *ROWS)
    report, stops = check("rows.csv")
    assert report.rows == {"train": 3}
    assert report.labels == {"train": {"war": 1, "deal": 1, "other": 1}}
    assert stops == []


def test_a_named_set_is_checked_under_its_first_task() -> None:
    report, stops = check("sample")
    assert set(report.labels["train"]) >= {"armed_conflict", "politics"}
    assert stops == []


def test_a_named_set_is_checked_under_the_task_that_is_named() -> None:
    assert set(check("sample", ["task=momentum"])[0].labels["test"]) == {"gaining", "losing", "stalemate", "none"}


def test_a_repeated_text_with_two_labels_stops_training(tmp_path: Path) -> None:
    write(tmp_path, "rows.csv", *ROWS, "Shells hit the market.,deal")
    said = say("data", "check", "rows.csv")
    assert said.status == 2
    assert said.err == (
        "conflictnlp: rows.csv: training would stop at these rows; correct them, or set data.on_fault=drop\n"
    )
    assert "train 4" in said.out


def test_a_leak_stops_training(tmp_path: Path) -> None:
    write(tmp_path, "train.csv", *ROWS)
    write(tmp_path, "test.csv", ROWS[0])
    assert check("train.csv", ["data.test=test.csv"])[1] == ["data.on_leak=drop_train"]


def test_a_policy_that_copes_stops_nothing(tmp_path: Path) -> None:
    write(tmp_path, "train.csv", *ROWS)
    write(tmp_path, "test.csv", ROWS[0])
    assert check("train.csv", ["data.test=test.csv", "data.on_leak=drop_train"])[1] == []


def test_the_report_as_json_is_one_object(tmp_path: Path) -> None:
    write(tmp_path, "rows.csv", *ROWS)
    report = json.loads(say("data", "check", "rows.csv", "--json").out)
    assert report["rows"] == {"train": 3}


def test_lists_of_labels_are_read_off_the_file(tmp_path: Path) -> None:
    rows = [{"text": "Rebels shelled it.", "labels": ["attack"]}, {"text": "Rain fell.", "labels": []}]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert check("rows.jsonl")[0].labels == {"train": {"attack": 1}}


def test_an_actor_that_its_text_does_not_name_is_a_fault(tmp_path: Path) -> None:
    rows = [
        {"text": "IS advanced.", "actor": "IS", "label": "gaining"},
        {"text": "It rained.", "actor": "IS", "label": "none"},
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    report, stops = check("rows.jsonl")
    assert [finding.where for finding in report.findings] == [f"{tmp_path}/rows.jsonl:2"]
    assert stops == ["data.on_fault=drop"]


def test_a_path_may_hold_signs_of_hydras_grammar(tmp_path: Path) -> None:
    (tmp_path / "a=b, c").mkdir()
    write(tmp_path / "a=b, c", "rows.csv", *ROWS)
    assert check("a=b, c/rows.csv")[0].rows == {"train": 3}


@pytest.mark.parametrize(
    ("rows", "told"),
    [(["Shells hit.,war"], "a single class (war)"), ([f"text {n},label{n}" for n in range(201)], "over 200 different")],
)
def test_a_file_without_labels_of_use_is_refused(tmp_path: Path, rows: list[str], told: str) -> None:
    write(tmp_path, "rows.csv", *rows)
    with pytest.raises(InputError) as caught:
        check("rows.csv")
    assert told in str(caught.value)


def test_a_file_without_a_label_column_names_those_it_has(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("text,code\nRain fell.,x\n")
    assert "no column 'label' or 'labels'; the columns are text, code" in say("data", "check", "rows.csv").refusal


def test_a_missing_file_is_refused() -> None:
    assert "missing.csv: no such file" in say("data", "check", "missing.csv").refusal
