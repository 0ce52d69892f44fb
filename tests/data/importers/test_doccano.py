from tests.data.importers.helpers import faults, imported, refused, write_objects

TEXT = "The Dhal Front lost Velm."


def test_a_class_is_the_label(tmp_path):
    rows, _ = imported("doccano", "doccano.jsonl", tmp_path)
    assert rows == [
        {"id": "7", "text": "Soldiers and rebels exchanged fire near Velm.", "label": "armed_conflict"},
        {"id": "8", "text": "Parliament in Ostra passed a budget.", "label": "politics"},
    ]


def test_classes_are_a_list_if_asked_for(tmp_path):
    path = write_objects(tmp_path / "a.jsonl", {"data": "A.", "label": ["x", "y"]}, {"data": "B.", "label": []})
    rows, _ = imported("doccano", path, tmp_path, multi=True)
    assert rows == [{"text": "A.", "labels": ["x", "y"]}, {"text": "B.", "labels": []}]
    assert faults(
        "doccano", write_objects(path, {"data": "A.", "label": ["x"]}, {"data": "B.", "label": []}), tmp_path
    ) == ["2: no label where one is needed; --multi writes lists of labels"]


def test_marked_words_are_actors(tmp_path):
    rows, result = imported("doccano", "doccano_spans.jsonl", tmp_path)
    assert [(row["actor"], row["start"], row["end"], row["label"]) for row in rows] == [
        ("The Dhal Front", 0, 14, "losing"),
        ("the army of Ostrany", 28, 47, "gaining"),
    ]
    assert result.notes == {"texts in which nothing is marked, left out": 1}


def test_relations_exports_name_their_offsets(tmp_path):
    entity = {"id": 3, "label": "losing", "start_offset": 0, "end_offset": 14}
    path = write_objects(tmp_path / "a.jsonl", {"id": 1, "text": TEXT, "entities": [entity], "relations": []})
    assert imported("doccano", path, tmp_path)[0][0]["actor"] == "The Dhal Front"


def test_classes_and_marks_together_label_the_marked_actor(tmp_path):
    path = write_objects(tmp_path / "a.jsonl", {"text": TEXT, "cats": ["losing"], "entities": [[0, 14, "Actor"]]})
    row = imported("doccano", path, tmp_path)[0][0]
    assert (row["actor"], row["label"]) == ("The Dhal Front", "losing")
    assert imported("doccano", path, tmp_path, control="entities")[0][0]["label"] == "Actor"
    assert "doccano's fields of codes are label, labels, cats, entities" in refused(
        "doccano", path, tmp_path / "other.csv", control="kinds"
    )


def test_further_fields_of_ours_are_kept(tmp_path):
    path = write_objects(
        tmp_path / "a.jsonl", {"id": 1, "text": TEXT, "label": ["x"], "date": "2031-01-05", "coder": "B"}
    )
    assert imported("doccano", path, tmp_path)[0] == [{"id": "1", "text": TEXT, "label": "x", "date": "2031-01-05"}]


def test_rows_that_cannot_be_used(tmp_path):
    rows = [[[0, 14, "losing"]], [[0, 99, "losing"]], [[0, 14]], [3], {"a": 1}]
    lines = [{"text": TEXT, "label": label} for label in rows]
    told = faults("doccano", write_objects(tmp_path / "a.jsonl", *lines, {"text": None, "label": []}), tmp_path)
    assert told == [
        "2: label: characters 0 to 99 hold 'The Dhal Front lost Velm.', no words",
        "3: label: [0, 14] is neither a name nor [start, end, name]",
        "4: label: 3 is neither a name nor [start, end, name]",
        "5: label {'a': 1} is no list",
        "6: the field 'text' holds no text",
    ]


def test_other_exports_are_refused(tmp_path):
    path = write_objects(tmp_path / "a.jsonl", {"id": 1, "text": TEXT, "annotations": [{"label": 4, "user": 1}]})
    assert "this is an export with the labels' numbers" in refused("doccano", path, tmp_path)
