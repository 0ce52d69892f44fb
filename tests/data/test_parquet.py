"""Parquet files as plain values."""

import datetime as dt
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conflictnlp.data.parquet import read_schema, read_values
from conflictnlp.errors import InputError

NANOSECONDS = {
    "timestamp": (pa.timestamp("ns"), dt.datetime(1970, 1, 1, 0, 0, 0, 1)),
    "zoned": (pa.timestamp("ns", "UTC"), dt.datetime(1970, 1, 1, 0, 0, 0, 1, dt.UTC)),
    "time": (pa.time64("ns"), dt.time(0, 0, 0, 1)),
    "duration": (pa.duration("ns"), dt.timedelta(microseconds=1)),
    "list": (pa.list_(pa.timestamp("ns")), [dt.datetime(1970, 1, 1, 0, 0, 0, 1)]),
    "struct": (pa.struct([("at", pa.timestamp("ns"))]), {"at": dt.datetime(1970, 1, 1, 0, 0, 0, 1)}),
}


@pytest.mark.parametrize("kind", NANOSECONDS)
def test_nanoseconds_are_read_without_pandas(tmp_path, monkeypatch, kind):
    arrow, wanted = NANOSECONDS[kind]
    stored = [1001] if kind == "list" else {"at": 1001} if kind == "struct" else 1001
    pq.write_table(pa.table({"at": pa.array([stored, None], arrow)}), tmp_path / "rows.parquet")
    monkeypatch.setitem(sys.modules, "pandas", None)
    first, second = (values["at"] for values in read_values(tmp_path / "rows.parquet"))
    assert (first, type(first), second) == (wanted, type(wanted), None)


def test_the_schema_is_the_files(tmp_path):
    table = pa.table({"text": ["a"], "at": pa.array([1], pa.timestamp("ns"))})
    pq.write_table(table, tmp_path / "rows.parquet")
    assert read_schema(tmp_path / "rows.parquet").equals(table.schema)


def test_a_file_that_is_none_has_no_schema(tmp_path):
    (tmp_path / "rows.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match="not a readable Parquet file"):
        read_schema(tmp_path / "rows.parquet")
