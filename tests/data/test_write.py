import json

import pyarrow.parquet as pq
import pytest

from conflictnlp.data import read_rows
from conflictnlp.data.write import row_writer
from conflictnlp.errors import InputError

ROWS = [{"text": 'Zürich, "x"\n', "start": 3, "labels": ["a", "b"]}, {"text": "B.", "labels": []}]


def written(path):
    with row_writer(path, ["text", "start", "labels"]) as write:
        for row in ROWS:
            write(row)
    return [row.values for row in read_rows(path)]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz", "rows.ndjson"])
def test_json_lines_leave_out_what_is_missing(tmp_path, name):
    assert written(tmp_path / name) == ROWS


@pytest.mark.parametrize("name", ["rows.csv", "rows.tsv", "rows.csv.gz"])
def test_tables_write_lists_as_json(tmp_path, name):
    rows = written(tmp_path / name)
    assert [(row["text"], row["start"], json.loads(row["labels"])) for row in rows] == [
        ('Zürich, "x"\n', "3", ["a", "b"]),
        ("B.", None, []),
    ]


def test_parquet_keeps_types(tmp_path):
    assert written(tmp_path / "rows.parquet") == [ROWS[0], {**ROWS[1], "start": None}]
    assert [str(kind) for kind in pq.read_schema(tmp_path / "rows.parquet").types] == [
        "string",
        "int64",
        "list<element: string>",
    ]


def test_more_rows_than_a_batch(tmp_path):
    with row_writer(tmp_path / "rows.parquet", ["text"]) as write:
        for number in range(2500):
            write({"text": str(number)})
    assert [row.values["text"] for row in read_rows(tmp_path / "rows.parquet")] == [str(n) for n in range(2500)]


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl.gz", "rows.parquet"])
def test_a_write_that_fails_leaves_nothing(tmp_path, name):
    with pytest.raises(RuntimeError), row_writer(tmp_path / name, ["text"]) as write:
        write({"text": "A."})
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_folder_and_an_unknown_suffix_are_refused(tmp_path):
    (tmp_path / "rows.csv").mkdir()
    with pytest.raises(InputError, match="is a folder"), row_writer(tmp_path / "rows.csv", ["text"]):
        pass
    with pytest.raises(InputError, match=r"unknown format \(no suffix\)"), row_writer(tmp_path / "rows", ["text"]):
        pass


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path):
    (tmp_path / "rows").write_text("")
    with pytest.raises(InputError, match="rows is a file"), row_writer(tmp_path / "rows" / "a.csv", ["text"]):
        pass
