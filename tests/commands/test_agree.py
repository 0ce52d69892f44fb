import csv
import json
from pathlib import Path

import pytest

from conflictnlp.commands.agree import agree, write_disagreements
from conflictnlp.errors import InputError


def write(path: Path, rows: list[dict]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


@pytest.fixture
def predictions(tmp_path: Path) -> str:
    rows = [
        {"id": "1", "text": "one", "actor": "Army", "prediction": "gaining", "probability": 0.6},
        {"id": "1", "text": "one", "actor": "Front", "prediction": "losing", "probability": 0.9},
        {"id": "2", "text": "two", "actor": "Army", "prediction": "none", "probability": 0.7},
        {"id": "3", "text": "three", "actor": "Army", "prediction": None, "probability": None},
    ]
    return write(tmp_path / "predictions.jsonl", rows)


def test_cases_are_matched_by_id_and_actor_whatever_their_order(tmp_path: Path, predictions: str) -> None:
    labels = [
        {"id": "2", "actor": "army", "label": "none"},
        {"id": "1", "actor": "Front", "label": "stalemate"},
        {"id": "1", "actor": "Army|ARM", "label": "gaining"},
        {"id": "3", "actor": "Army", "label": "none"},
    ]
    result = agree(predictions, write(tmp_path / "labels.jsonl", labels))
    assert result.agreement.cases == 3
    assert [(case["id"], case["actor"], case["human"]) for case in result.disagreements] == [
        ("1", "Front", "stalemate")
    ]
    assert result.left_out == {"labels without a prediction": 1}


def test_texts_match_where_ids_do_not(tmp_path: Path, predictions: str) -> None:
    labels = [{"id": "x", "text": "Two!", "actor": "Army", "label": "none"}]
    assert agree(predictions, write(tmp_path / "labels.jsonl", labels)).agreement.share == 1.0


def test_disagreements_come_with_the_surest_first(tmp_path: Path, predictions: str) -> None:
    labels = [
        {"id": "1", "actor": "Army", "label": "none"},
        {"id": "1", "actor": "Front", "label": "none"},
        {"id": "2", "actor": "Army", "label": "gaining"},
    ]
    result = agree(predictions, write(tmp_path / "labels.jsonl", labels))
    output = tmp_path / "read.csv"
    write_disagreements(result.disagreements, str(output))
    with output.open(newline="") as stream:
        assert [row["probability"] for row in csv.DictReader(stream)] == ["0.9", "0.7", "0.6"]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([{"id": "9", "actor": "Army", "label": "none"}], "no case of"),
        ([{"id": "1", "actor": "Army"}], "no column 'label'"),
        ([{"id": "1", "actor": "Army", "label": "none"}] * 2, "stands twice"),
    ],
)
def test_files_that_do_not_fit_are_refused(tmp_path: Path, predictions: str, labels: list, message: str) -> None:
    with pytest.raises(InputError, match=message):
        agree(predictions, write(tmp_path / "labels.jsonl", labels))
