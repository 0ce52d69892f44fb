"""Tab-separated files with quoted fields, with quotes as signs, and with both."""

import pytest

from conflictnlp.data.importers.tables import read_records, read_table
from conflictnlp.errors import InputError
from tests.data.helpers import write


def records(tmp_path, content, name="rows.tsv"):
    path = write(tmp_path / name, content)
    return [(where.removeprefix(f"{path}:"), fields) for where, fields in read_records(path)]


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ('"a ""b"" c"\t1\n', 'a "b" c'),
        ('"all of it"\t1\n', "all of it"),
        ('"We hold", he said\t1\n', '"We hold", he said'),
        ('"We hold," he said, "the hill"\t1\n', '"We hold," he said, "the hill"'),
        ('he said "no"\t1\n', 'he said "no"'),
        ('12" guns\t1\n', '12" guns'),
        ('"""no"" he said"\t1\n', '"no" he said'),
        ('""\t1\n', ""),
        ('"\t1\n', '"'),
        ("İstanbul – “ﬁre” 🔥 a,b;c\t1\n", "İstanbul – “ﬁre” 🔥 a,b;c"),
    ],
)
def test_a_field_is_quoted_only_from_end_to_end(tmp_path, content, field):
    assert records(tmp_path, content) == [("1", [field, "1"])]


def test_a_quote_that_is_never_closed_swallows_no_further_row(tmp_path):
    content = '"Hold the hill\t1\nplain\t0\n"also open\t1\n'
    assert records(tmp_path, content) == [
        ("1", ['"Hold the hill', "1"]),
        ("2", ["plain", "0"]),
        ("3", ['"also open', "1"]),
    ]


def test_a_quoted_text_may_hold_lines_and_tabs(tmp_path):
    content = 'one\t1\n"two\nlines\tand a tab"\t0\nthree\t1\n'
    assert records(tmp_path, content) == [
        ("1", ["one", "1"]),
        ("2", ["two\nlines\tand a tab", "0"]),
        ("4", ["three", "1"]),
    ]


def test_a_text_of_several_lines_may_stand_first(tmp_path):
    content = '"two\nlines"\t0\nthree\t1\nfour\t1\n'
    assert records(tmp_path, content) == [("1", ["two\nlines", "0"]), ("3", ["three", "1"]), ("4", ["four", "1"])]


@pytest.mark.parametrize("name", ["rows.tsv", "rows.tsv.gz"])
def test_mark_of_byte_order_carriage_returns_and_empty_lines(tmp_path, name):
    content = b"\xef\xbb\xbfone\t1\r\n\r\ntwo\t0\r\n"
    assert records(tmp_path, content, name) == [("1", ["one", "1"]), ("3", ["two", "0"])]


def test_a_row_of_another_width_is_given_as_it_is(tmp_path):
    assert records(tmp_path, 'one\t1\ntwo\n"cut\nthree\t0\n')[1:] == [
        ("2", ["two"]),
        ("3", ['"cut']),
        ("4", ["three", "0"]),
    ]


def test_a_table_names_its_missing_columns(tmp_path):
    path = write(tmp_path / "rows.tsv", "id\ttext\n1\ta\n")
    with pytest.raises(InputError, match=r"no column 'label', which ours has; the columns are id, text"):
        list(read_table(path, ("id", "label"), "ours"))


def test_a_row_of_a_table_with_too_many_fields_is_a_fault(tmp_path):
    path = write(tmp_path / "rows.tsv", "id\ttext\n1\ta\n2\tb\tc\n3\td\n")
    rows = list(read_table(path, ("id",), "ours"))
    assert [getattr(row, "reason", None) for row in rows] == [None, "3 fields where the header names 2", None]


def test_an_empty_table_is_told(tmp_path):
    with pytest.raises(InputError, match="the file is empty"):
        list(read_table(write(tmp_path / "rows.tsv", ""), ("id",), "ours"))


def test_text_that_is_not_utf8_tells_its_line(tmp_path):
    with pytest.raises(InputError, match=r"rows\.tsv:2: not UTF-8"):
        records(tmp_path, b"a\t1\ncaf\xe9\t0\n")
