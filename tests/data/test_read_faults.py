import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conflictnlp.data import read_rows
from conflictnlp.data.read import text_stream
from conflictnlp.errors import InputError
from tests.data.helpers import write


def fault(source, root=None):
    with pytest.raises(InputError) as raised:
        list(read_rows(source, root))
    message = str(raised.value)
    assert "\n" not in message
    return message


def test_missing_file_tells_where_it_was_sought(tmp_path):
    message = fault("absent.csv", root=tmp_path)
    assert f"{tmp_path}/absent.csv: no such file" in message


def test_glob_without_a_file_is_a_missing_file(tmp_path):
    assert "no such file" in fault(tmp_path / "*.csv")


def test_folder_is_refused_with_a_glob_to_use(tmp_path):
    assert f"{tmp_path}/*.jsonl" in fault(tmp_path)


@pytest.mark.parametrize("name", ["rows.xlsx", "rows", "rows.txt.gz"])
def test_unknown_format_lists_the_known_ones(tmp_path, name):
    assert ".jsonl, .ndjson, .csv, .tsv, .parquet" in fault(write(tmp_path / name, "text"))


@pytest.mark.parametrize("name", ["rows.csv", "rows.tsv", "rows.jsonl", "rows.csv.gz"])
def test_invalid_utf8_tells_the_line(tmp_path, name):
    path = write(tmp_path / name, b'{"text": 1}\n{"text": 2}\ncaf\xe9\n')
    assert f"{path}:3: not UTF-8 text (byte 0xe9" in fault(path)


def test_invalid_utf8_tells_how_to_convert(tmp_path):
    assert "iconv" in fault(write(tmp_path / "rows.csv", "text\ncafé\n".encode("latin-1")))


@pytest.mark.parametrize("name", ["rows.csv", "rows.tsv", "rows.jsonl"])
def test_binary_file_is_refused(tmp_path, name):
    path = write(tmp_path / name, bytes(range(256)) * 4)
    assert "binary file" in fault(path)


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl"])
def test_zero_byte_is_refused_with_its_line(tmp_path, name):
    path = write(tmp_path / name, b'{"text": 1}\n{"te\x00xt": 2}\n')
    assert f"{path}:2: holds a zero byte" in fault(path)


def test_utf16_is_refused(tmp_path):
    assert "not UTF-8" in fault(write(tmp_path / "rows.csv", "text\nfell\n".encode("utf-16")))


def test_gzip_cut_short(tmp_path):
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(b"text\nfell\n")[:-6])
    assert f"{path}: the gzip file is damaged" in fault(path)


def test_gzip_that_is_none(tmp_path):
    path = tmp_path / "rows.jsonl.gz"
    path.write_text('{"text": "a"}')
    assert "the gzip file is damaged" in fault(path)


@pytest.mark.parametrize("content", [b"", b"PAR1 not at all", b"text,label\n"])
def test_damaged_parquet(tmp_path, content):
    path = write(tmp_path / "rows.parquet", content)
    assert f"{path}: not a readable Parquet file" in fault(path)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (pa.date32(), 10**8),
        (pa.timestamp("us"), 10**18),
        (pa.timestamp("ms"), -(10**17)),
        (pa.duration("s"), 2**62),
    ],
    ids=str,
)
def test_parquet_value_beyond_the_limits_of_python(tmp_path, kind, value):
    pq.write_table(pa.table({"text": ["a", "b"], "day": pa.array([0, value], kind)}), tmp_path / "rows.parquet")
    assert f"{tmp_path}/rows.parquet:2: day is a {kind} that cannot be read" in fault(tmp_path / "rows.parquet")


def test_parquet_text_that_is_not_utf8(tmp_path):
    values = [pa.py_buffer(bytes([0, 0, 0, 0, 1, 0, 0, 0])), pa.py_buffer(b"\xff")]
    table = pa.table({"text": pa.Array.from_buffers(pa.string(), 1, [None, *values])})
    pq.write_table(table, tmp_path / "rows.parquet")
    assert "rows.parquet:1: text is a string that cannot be read" in fault(tmp_path / "rows.parquet")


def test_parquet_column_that_stands_twice(tmp_path):
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    pq.write_table(table, tmp_path / "rows.parquet")
    assert "rows.parquet: the column 'text' stands twice" in fault(tmp_path / "rows.parquet")


def test_damaged_json_tells_line_and_column(tmp_path):
    path = write(tmp_path / "rows.jsonl", '{"text": "a"}\n{"text": oh}\n')
    assert f"{path}:2: not JSON (Expecting value, column 10)" in fault(path)


@pytest.mark.parametrize(("line", "kind"), [("[1]", "list"), ('"a"', "str"), ("3", "int"), ("null", "NoneType")])
def test_json_that_is_no_object(tmp_path, line, kind):
    assert f"rows.jsonl:1: a JSON {kind} where an object" in fault(write(tmp_path / "rows.jsonl", line))


@pytest.mark.parametrize("value", ["[" * 100_000, "9" * 5_000], ids=["nested", "number"])
def test_json_beyond_the_limits_of_python(tmp_path, value):
    path = write(tmp_path / "rows.jsonl", f'{{"text": {value}}}')
    assert f"{path}:1: not JSON that can be read" in fault(path)


def test_csv_row_with_more_fields_than_the_header(tmp_path):
    path = write(tmp_path / "rows.csv", "text,label\nfell,gain\nfell, too,gain\n")
    assert f"{path}:3: more fields than the header's 2" in fault(path)


def test_unclosed_quote_tells_the_line_where_the_row_begins(tmp_path):
    path = write(tmp_path / "rows.csv", 'text,label\nfell,gain\n"fell,gain\nfell,gain\n')
    assert f"{path}:3: the row that begins here is not valid CSV" in fault(path)


def test_csv_column_that_stands_twice(tmp_path):
    assert "rows.csv:1: a column name stands twice" in fault(write(tmp_path / "rows.csv", "text,text\na,b\n"))


@pytest.mark.parametrize("name", ["sample:tra1n", "sample:", "sample:train/pairs"])
def test_unknown_part_of_the_sample(name):
    assert f"{name}: no such" in fault(name)


def test_folder_that_datasets_did_not_save(tmp_path):
    assert f"datasets:{tmp_path}: cannot be loaded" in fault(f"datasets:{tmp_path}")


@pytest.mark.parametrize("split", ["", "@test"])
def test_unknown_split_of_a_saved_folder_lists_its_splits(tmp_path, split):
    import datasets

    datasets.DatasetDict({"dev": datasets.Dataset.from_dict({"text": ["a"]})}).save_to_disk(tmp_path / "saved")
    assert "name a split with @, one of dev" in fault(f"datasets:{tmp_path}/saved{split}")


def test_input_that_is_not_utf8():
    with pytest.raises(InputError, match=r"stdin: not UTF-8 text \(byte 3\)"):
        text_stream(b"caf\xe9", "stdin")
