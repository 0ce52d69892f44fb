from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conflictnlp.data.example import Example, Span
from conflictnlp.errors import InputError
from conflictnlp.evaluation.predictions import read_predictions, write_predictions


def written(path, outcome, spans=()):
    task = SimpleNamespace(spans=tuple(dict(spans)))
    examples = [
        Example("", f"folder/rows.csv:{row}", f"Text {row}", spans=spans, group=outcome.clusters[row])
        for row in range(len(outcome.gold))
    ]
    write_predictions(path, SimpleNamespace(labels=outcome.labels, task=task), examples, outcome)
    return read_predictions(path)


def test_one_label_is_read_as_written(single, tmp_path):
    outcome = single([0, 1, 2], [0, 2, 2], ["x", "y", "y"])
    found = written(tmp_path / "p.parquet", outcome, (("actor", Span("IS|Islamic State")),))
    assert found.outcome.labels == ["a", "b", "c"]
    assert found.outcome.gold.tolist() == [0, 1, 2]
    assert found.outcome.predicted.tolist() == [0, 2, 2]
    assert found.outcome.probabilities.tolist() == outcome.probabilities.tolist()
    assert found.outcome.clusters == ["x", "y", "y"]
    assert (found.texts[1], found.spans) == ("Text 1", {"actor": ["IS", "IS", "IS"]})


def test_several_labels_are_read_as_written(several, tmp_path):
    found = written(tmp_path / "p.parquet", several([[0, 0], [1, 1]], [[0, 0], [0, 1]]))
    assert found.outcome.gold.tolist() == [[0, 0], [1, 1]]
    assert found.outcome.predicted.tolist() == [[0, 0], [0, 1]]


@pytest.fixture
def found(single, tmp_path):
    return written(tmp_path / "p.parquet", single([0, 1, 2], [0, 2, 2]), (("actor", Span("IS")),))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda p: {"texts": ["Text 0", "Other", "Text 2"]}, "row 2 .* has another text"),
        (lambda p: {"ids": ["folder/rows.csv:0", "folder/rows.csv:9", "folder/rows.csv:2"]}, "row 2 .* another id"),
        (lambda p: {"ids": p.ids[:2], "texts": p.texts[:2]}, "3 rows here and 2 there"),
        (lambda p: {"spans": {"actor": ["IS", "IS", "FARC"]}}, "row 3 .* another actor"),
        (lambda p: {"spans": {}}, "are marked here"),
        (lambda p: {"outcome": replace(p.outcome, gold=p.outcome.gold[::-1])}, "row 1 .* another gold"),
        (lambda p: {"outcome": replace(p.outcome, clusters=["0", "0", "2"])}, "row 2 .* another group"),
        (lambda p: {"outcome": replace(p.outcome, labels=["a", "c", "b"])}, "the labels are a, b, c here"),
    ],
)
def test_other_rows_are_told(found, change, told):
    import re

    assert re.search(told, found.difference(replace(found, **change(found))))


def test_predictions_and_folders_are_no_difference(found):
    moved = replace(
        found,
        ids=[name.replace("folder", "/else/where") for name in found.ids],
        outcome=replace(found.outcome, predicted=found.outcome.predicted[::-1]),
    )
    assert found.difference(moved) is None


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "p.parquet").write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match=r"p\.parquet: is no Parquet file"):
        read_predictions(tmp_path / "p.parquet")


def test_a_file_of_something_else_is_refused(tmp_path):
    pq.write_table(pa.table({"id": ["1"], "text": ["x"]}), tmp_path / "p.parquet")
    with pytest.raises(InputError, match="lacks group, gold, prediction"):
        read_predictions(tmp_path / "p.parquet")
