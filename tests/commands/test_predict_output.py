import csv
import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conflictnlp.commands import prediction_output as module
from tests.commands.conftest import DEAL, MOVES, WAR, Run, answers, say, write_inputs

ANSWER = ["prediction", "probability", "prob_war", "prob_deal", "prob_never", "error", "evidence"]
ANSWER += ["model", "bundle", "version"]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_columns_are_the_inputs_then_the_contracts(topic: Run, tmp_path: Path) -> None:
    write_inputs(tmp_path)
    assert list(answers(topic("rows.jsonl").out)[0]) == ["id", "text", "source_url", *ANSWER]


def test_spans_stand_between_id_and_prediction(momentum: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(MOVES)
    (row,) = answers(momentum("a.txt", "--actor", "IS").out)
    assert list(row)[:6] == ["id", "text", "actor", "start", "end", "prediction"]
    assert MOVES[row["start"] : row["end"]] == "IS"


@pytest.mark.parametrize("suffix", ["csv", "tsv", "csv.gz", "jsonl", "jsonl.gz", "parquet"])
def test_every_format_says_the_same(topic: Run, tmp_path: Path, suffix: str) -> None:
    write_inputs(tmp_path)
    said = topic("rows.jsonl", "--output", f"new/out.{suffix}")
    assert (said.status, said.out) == (0, "")
    frame = read_back(tmp_path / "new" / f"out.{suffix}")
    wanted = pd.DataFrame(answers(topic("rows.jsonl").out))
    assert list(frame.columns) == list(wanted.columns)
    assert frame["prediction"].tolist() == ["war", "deal"]
    assert frame["prob_deal"].tolist() == pytest.approx(wanted["prob_deal"].tolist(), abs=1e-12)


def test_evidence_is_a_json_string_in_csv(topic: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(WAR)
    topic("a.txt", "--output", "out.csv")
    with (tmp_path / "out.csv").open(newline="") as stream:
        (row,) = csv.DictReader(stream)
    (stretch,) = json.loads(row["evidence"])
    assert stretch["text"] == WAR


def test_lists_of_labels_stay_lists_in_parquet(multi_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Rebels shelled it. Police held ten.")
    say("predict", str(multi_bundle), "a.txt", "--output", "out.parquet")
    row = pd.read_parquet(tmp_path / "out.parquet").iloc[0]
    assert sorted(row["prediction"]) == ["arrest", "attack"]
    assert row["evidence"][0]["text"].startswith("Rebels")


def test_columns_that_appear_late_are_kept(topic: Run, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(f'{{"text": "{WAR}"}}\n{{"text": "{DEAL}", "page": 3}}\n')
    for name in ("out.csv", "out.parquet"):
        topic("rows.jsonl", "--output", name)
        assert read_back(tmp_path / name)["page"].fillna(0).tolist() == [0, 3]


def test_many_rows_go_into_one_parquet_file(topic: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PARQUET_ROWS", 2)
    (tmp_path / "rows.jsonl").write_text(f'{{"text": "{WAR}", "n": 1}}\n' * 5)
    topic("rows.jsonl", "--output", "out.parquet")
    assert len(pd.read_parquet(tmp_path / "out.parquet")) == 5


def test_a_column_that_changes_its_type_leaves_no_parquet(topic: Run, tmp_path: Path) -> None:
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
        ("a.txt/out.csv", "a.txt is a file, so nothing can be written below it"),
        ("link.csv", "--output link.csv: is the input, which would be overwritten"),
        ("./rows.csv", "--output ./rows.csv: is the input"),
    ],
)
def test_an_output_that_cannot_be_is_refused(topic: Run, tmp_path: Path, output: str, told: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "a.txt").write_text(WAR)
    (tmp_path / "rows.csv").write_text(f"text\n{WAR}\n")
    (tmp_path / "link.csv").symlink_to("rows.csv")
    assert told in topic("rows.csv", "--output", output).refusal
    assert (tmp_path / "rows.csv").read_text() == f"text\n{WAR}\n"


@pytest.mark.parametrize("name", ["x" * 250 + ".csv", "x" * 300 + ".csv", f"a.{'x' * 245}.csv"])
def test_an_output_name_that_is_too_long_is_refused(topic: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "a.txt").write_text(WAR)
    assert "name is too long" in topic("a.txt", "--output", name).refusal
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


class TestParquet:
    """Columns of a Parquet input keep their types."""

    COLUMNS: ClassVar = {
        "text": pa.array([WAR, DEAL], pa.large_string()),
        "id": pa.array([7, 8], pa.int32()),
        "count": pa.array([1, None], pa.int16()),
        "share": pa.array([0.5, None], pa.float32()),
        "empty": pa.array([None, None], pa.int64()),
        "kind": pa.array(["a", "b"]).dictionary_encode(),
        "seconds": pa.array([dt.datetime(2020, 1, 1), None], pa.timestamp("ms")),
        "exact": pa.array([dt.datetime(2020, 1, 1), None], pa.timestamp("ns", "UTC")),
        "price": pa.array([Decimal("1.20"), None], pa.decimal128(5, 2)),
        "codes": pa.array([[1, 2], None], pa.list_(pa.int8())),
        "days": pa.array([[dt.date(2020, 1, 1)], None], pa.list_(pa.date32())),
        "pairs": pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int8())),
    }

    @pytest.fixture
    def given(self) -> pa.Table:
        table = pa.table(self.COLUMNS)
        pq.write_table(table, "rows.parquet")
        return table

    def test_types_and_values_are_the_inputs(self, topic: Run, given: pa.Table) -> None:
        assert topic("rows.parquet", "--output", "out.parquet").status == 0
        assert pq.read_table("out.parquet").select(given.schema.names).equals(given)

    def test_a_missing_id_is_the_rows_place(self, topic: Run) -> None:
        pq.write_table(pa.table({"text": [WAR, DEAL], "id": pa.array([7, None])}), "rows.parquet")
        topic("rows.parquet", "--output", "out.parquet")
        assert pq.read_table("out.parquet")["id"].to_pylist() == ["7", "rows.parquet:2"]

    def test_lists_of_dates_become_json_in_csv(self, topic: Run, given: pa.Table) -> None:
        assert topic("rows.parquet", "--output", "out.csv").status == 0
        assert read_back(Path("out.csv"))["days"][0] == '["2020-01-01"]'


def read_back(path: Path) -> pd.DataFrame:
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    if ".jsonl" in path.name:
        return pd.read_json(path, lines=True)
    return pd.read_csv(path, sep="\t" if ".tsv" in path.name else ",")
