from __future__ import annotations

import logging

import pytest

from conflictnlp.data.sources import present, read_rows
from conflictnlp.errors import InputError
from tests.data.helpers import write_rows


def texts(source, root=None):
    return [row.values["text"] for row in read_rows(source, root)]


def test_a_file_is_read_from_the_root(tmp_path):
    write_rows(tmp_path / "a.jsonl", [{"text": "One."}])
    assert texts("a.jsonl", tmp_path) == ["One."]


def test_a_glob_reads_its_files_in_order(tmp_path):
    for name in ("b", "a"):
        write_rows(tmp_path / f"{name}.jsonl", [{"text": name}])
    assert texts("*.jsonl", tmp_path) == ["a", "b"]


def test_rows_of_the_package_are_named_by_source_and_number():
    rows = list(read_rows("reports:hills"))
    assert [rows[0].where, rows[1].where] == ["reports:hills:1", "reports:hills:2"]


def test_a_file_whose_name_begins_like_a_source_is_a_file(tmp_path):
    write_rows(tmp_path / "sample.jsonl", [{"text": "One."}])
    assert texts("sample.jsonl", tmp_path) == ["One."]


def test_codes_need_the_file_of_their_texts():
    with pytest.raises(InputError, match="codes:momentum: name the file of the texts after @"):
        list(read_rows("codes:momentum"))


def test_data_sets_of_the_hub_library_are_read_from_a_folder(tmp_path):
    datasets = pytest.importorskip("datasets")
    labels = datasets.ClassLabel(names=["deal", "war"])
    rows = datasets.Dataset.from_dict({"text": ["One.", "Two."], "label": [1, -1]})
    rows.cast_column("label", labels).save_to_disk(tmp_path / "saved")
    found = [row.values for row in read_rows(f"datasets:{tmp_path / 'saved'}")]
    assert found == [{"text": "One.", "label": "war"}, {"text": "Two.", "label": None}]


class TestPresent:
    """Sources that end in a question mark may lack."""

    def test_one_that_is_there_loses_its_mark(self, tmp_path):
        write_rows(tmp_path / "a.jsonl", [])
        assert list(present(["a.jsonl?", "a.jsonl"], tmp_path, "data.extra")) == ["a.jsonl", "a.jsonl"]

    def test_one_that_must_be_there_is_named_even_if_it_is_not(self, tmp_path):
        assert list(present(["a.jsonl"], tmp_path, "data.extra")) == ["a.jsonl"]

    @pytest.mark.parametrize("source", ["a.jsonl", "*.jsonl", "codes:momentum@a.jsonl"])
    def test_one_that_lacks_is_warned_about(self, tmp_path, caplog, source):
        with caplog.at_level(logging.WARNING):
            assert list(present([f"{source}?"], tmp_path, "data.parties")) == []
        assert f"data.parties: {source} is not there" in caplog.text

    @pytest.mark.parametrize("source", ["sample:train", "reports:all", "datasets:ag_news@train", "codes:momentum"])
    def test_what_is_no_file_is_left_to_the_reader(self, tmp_path, source):
        assert list(present([f"{source}?"], tmp_path, "data.extra")) == [source]

    def test_codes_are_there_where_their_texts_are(self, tmp_path):
        write_rows(tmp_path / "a.jsonl", [])
        assert list(present(["codes:momentum@a.jsonl?"], tmp_path, "data.extra")) == ["codes:momentum@a.jsonl"]
