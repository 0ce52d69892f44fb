import csv
import io
import json
import random
import tracemalloc

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conflictnlp.data import read_rows
from conflictnlp.data.read import read_file, suffix_of, text_stream
from tests.data.helpers import write

ROWS = [
    {"text": 'Zürich "quoted", 😀', "label": "gain"},
    {"text": "two\nlines; e\u0301", "label": "none"},
]


def values(source, root=None):
    return [row.values for row in read_rows(source, root)]


def delimited(delimiter):
    stream = io.StringIO()
    writer = csv.DictWriter(stream, ["text", "label"], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(ROWS)
    return stream.getvalue()


def content(name):
    suffix = suffix_of(name)
    if suffix == ".parquet":
        buffer = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(ROWS), buffer)
        return buffer.getvalue()
    if suffix in (".csv", ".tsv"):
        return delimited("," if suffix == ".csv" else "\t")
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)


@pytest.mark.parametrize("gzipped", ["", ".gz"])
@pytest.mark.parametrize("suffix", [".jsonl", ".ndjson", ".csv", ".tsv", ".parquet"])
def test_every_format_reads_the_same_rows(tmp_path, suffix, gzipped):
    name = f"rows{suffix}{gzipped}"
    assert values(write(tmp_path / name, content(name))) == ROWS


@pytest.mark.parametrize("name", ["ROWS.JSONL", "rows.CSV.GZ", "Rows.Tsv", "rows.Parquet.gz"])
def test_suffix_is_read_in_any_case(tmp_path, name):
    assert values(write(tmp_path / name, content(name))) == ROWS


def test_row_tells_file_and_line(tmp_path):
    path = write(tmp_path / "rows.jsonl", '{"text": "a"}\n\n{"text": "b"}\n')
    assert [row.where for row in read_rows(path)] == [f"{path}:1", f"{path}:3"]


def test_csv_row_tells_its_line(tmp_path):
    path = write(tmp_path / "rows.csv", "text\na\n\nb\n")
    assert [row.where for row in read_rows(path)] == [f"{path}:2", f"{path}:4"]


def test_parquet_row_tells_its_number(tmp_path):
    path = write(tmp_path / "rows.parquet", content("rows.parquet"))
    assert [row.where for row in read_rows(path)] == [f"{path}:1", f"{path}:2"]


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl"])
def test_byte_order_mark_is_skipped(tmp_path, name):
    path = write(tmp_path / name, b"\xef\xbb\xbf" + content(name).encode())
    assert values(path) == ROWS


def test_crlf_ends_rows_but_stays_inside_a_quoted_text(tmp_path):
    path = write(tmp_path / "rows.csv", 'text,label\r\n"a\r\nb",gain\r\n')
    assert values(path) == [{"text": "a\r\nb", "label": "gain"}]


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl"])
def test_unicode_line_separator_does_not_end_a_row(tmp_path, name):
    text = "a\u2028b\x85c"
    rows = f"text\n{text}\n" if name.endswith("csv") else json.dumps({"text": text}, ensure_ascii=False)
    assert values(write(tmp_path / name, rows)) == [{"text": text}]


def test_csv_keeps_words_that_look_like_missing_values(tmp_path):
    path = write(tmp_path / "rows.csv", "text,label\nNA,null\nNaN,None\n")
    assert values(path) == [{"text": "NA", "label": "null"}, {"text": "NaN", "label": "None"}]


def test_empty_csv_cell_is_missing(tmp_path):
    path = write(tmp_path / "rows.csv", "text,actor\nfell,\n")
    assert values(path) == [{"text": "fell", "actor": None}]


def test_short_csv_row_lacks_its_last_fields(tmp_path):
    assert values(write(tmp_path / "rows.csv", "text,label\nfell\n")) == [{"text": "fell", "label": None}]


def test_csv_field_of_200_000_characters(tmp_path):
    text = "word, " * 33_334
    path = write(tmp_path / "rows.csv", f'text,label\n"{text}",gain\n')
    assert values(path) == [{"text": text, "label": "gain"}]


def test_file_with_a_header_alone_has_no_rows(tmp_path):
    assert values(write(tmp_path / "rows.csv", "text,label\n")) == []


def test_parquet_keeps_lists_and_missing_integers(tmp_path):
    path = tmp_path / "rows.parquet"
    rows = [{"labels": ["a", "b"], "start": 3}, {"labels": [], "start": None}]
    pq.write_table(pa.Table.from_pylist(rows), path)
    assert values(path) == rows


def test_half_an_emoji_becomes_a_question_mark_of_the_same_length(tmp_path):
    path = write(tmp_path / "rows.jsonl", '{"text": "gone \\ud83d now", "other": ["\\ud83d\\ude00"]}\n')
    assert values(path) == [{"text": "gone ? now", "other": ["😀"]}]


def test_glob_reads_its_files_in_order_of_name(tmp_path):
    for name in ("b", "a", "c"):
        write(tmp_path / f"{name}.jsonl", json.dumps({"text": name}))
    assert [row["text"] for row in values(tmp_path / "*.jsonl")] == ["a", "b", "c"]


def test_double_star_reaches_into_folders(tmp_path):
    write(tmp_path / "one" / "two" / "a.csv", "text\ndeep\n")
    assert values(tmp_path / "**" / "*.csv") == [{"text": "deep"}]


def test_relative_path_starts_at_the_root(tmp_path):
    write(tmp_path / "topic" / "train.csv", "text\nfell\n")
    assert values("topic/train.csv", root=tmp_path) == [{"text": "fell"}]


def test_glob_signs_in_the_root_are_meant_literally(tmp_path):
    write(tmp_path / "data[1]" / "a.csv", "text\nfell\n")
    assert values("*.csv", root=tmp_path / "data[1]") == [{"text": "fell"}]


def test_existing_file_with_glob_signs_in_its_name(tmp_path):
    path = write(tmp_path / "part[1].csv", "text\nfell\n")
    assert values(path) == [{"text": "fell"}]


def test_sample_is_named_by_its_split():
    rows = list(read_rows("sample:validation"))
    assert rows[0].where == "sample:validation:1"
    assert {"text", "title", "topic", "event_type"} <= set(rows[0].values)


def test_text_stream_skips_a_byte_order_mark():
    assert text_stream("\ufeffé\n".encode(), "stdin").read() == "é\n"


@pytest.fixture(scope="module")
def saved_folder(tmp_path_factory):
    import datasets

    folder = tmp_path_factory.mktemp("saved")
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["none", "gaining"])}
    )
    rows = datasets.Dataset.from_dict({"text": ["a", "b", "c"], "label": [1, 0, None]}, features=features)
    datasets.DatasetDict({"train": rows, "dev": rows.select([1])}).save_to_disk(folder / "both")
    rows.save_to_disk(folder / "one")
    return folder


def test_class_label_of_a_saved_folder_becomes_its_name(saved_folder):
    assert values(f"datasets:{saved_folder}/one") == [
        {"text": "a", "label": "gaining"},
        {"text": "b", "label": "none"},
        {"text": "c", "label": None},
    ]


def test_split_of_a_saved_folder(saved_folder):
    assert values(f"datasets:{saved_folder}/both@dev") == [{"text": "b", "label": "none"}]


def test_a_large_row_group_is_read_page_by_page(tmp_path):
    noise = random.Random(1).randbytes(8 << 20).hex()
    texts = [noise[at : at + 1024] for at in range(0, len(noise), 1024)]
    pq.write_table(pa.table({"text": texts}), tmp_path / "rows.parquet", row_group_size=1 << 20)
    assert (tmp_path / "rows.parquet").stat().st_size > 8 << 20
    rows = read_file(tmp_path / "rows.parquet")
    tracemalloc.start()
    try:
        assert next(rows).values["text"] == texts[0]
        # The bytes that Arrow asks Python for, and the rows of one batch.
        assert tracemalloc.get_traced_memory()[1] < 6 << 20
    finally:
        tracemalloc.stop()
    assert [row.values["text"] for row in rows] == texts[1:]
