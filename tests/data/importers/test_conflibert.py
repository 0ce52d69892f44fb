from tests.data.helpers import write
from tests.data.importers.helpers import faults, imported, refused


def test_one_column_is_the_number_of_the_class(tmp_path):
    rows, _ = imported("conflibert", "conflibert_binary.tsv", tmp_path, labels=("other", "relevant"))
    assert [row["label"] for row in rows] == ["relevant", "other", "relevant", "other"]
    assert rows[1] == {
        "id": "conflibert_binary-2",
        "text": 'The band called it "a quiet tour" of the coast.',
        "label": "other",
    }
    assert rows[2]["text"] == 'Mortars fell on Velm; the "safe corridor" stayed shut.'
    assert rows[3]["text"] == "“Nobody won”, said the coach.\nThe cup final ended level."


def test_classes_without_names_are_called_by_their_number(tmp_path):
    rows, _ = imported("conflibert", "conflibert_binary.tsv", tmp_path)
    assert [row["label"] for row in rows] == ["c1", "c0", "c1", "c0"]


def test_several_columns_are_labels_of_which_a_text_may_bear_none(tmp_path):
    rows, result = imported("conflibert", "conflibert_multi.tsv", tmp_path / "rows.csv")
    assert [row["labels"] for row in rows] == ['["c0"]', '["c1", "c2"]', "[]", '["c3"]']
    assert result.labels == {"c0": 1, "c1": 1, "c2": 1, "c3": 1}


def test_label_columns_take_the_names_given(tmp_path):
    names = ("assault", "bombing", "kidnapping", "arson")
    rows, _ = imported("conflibert", "conflibert_multi.tsv", tmp_path, labels=names)
    assert rows[1]["labels"] == ["bombing", "kidnapping"]


def test_rows_that_cannot_be_used_tell_line_and_reason(tmp_path):
    path = write(tmp_path / "rows.tsv", "Fine.\t1\nOdd.\tone\n \t0\nHigh.\t2\nNegative.\t-1\nCut short.\n")
    assert faults("conflibert", path, tmp_path, labels=("a", "b")) == [
        "2: class 'one' is not a number from 0 on",
        "3: the text is empty",
        "4: class 2, but --labels names 2 (counted from 0)",
        "5: class '-1' is not a number from 0 on",
        "6: 0 columns behind the text where the first row has 1",
    ]


def test_a_label_column_holds_0_or_1(tmp_path):
    path = write(tmp_path / "rows.tsv", "Fine.\t1\t0\nOdd.\t1\t2\n")
    assert faults("conflibert", path, tmp_path) == ["2: label column with '2', where 0 or 1 is needed"]


def test_names_must_fit_the_label_columns(tmp_path):
    told = refused("conflibert", "conflibert_multi.tsv", tmp_path, labels=("a", "b"))
    assert "4 label columns, but --labels names 2" in told


def test_a_file_without_tabs_is_none_of_conflibert(tmp_path):
    assert "rows.tsv:1: no tab" in refused("conflibert", write(tmp_path / "rows.tsv", "a,1\n"), tmp_path)
