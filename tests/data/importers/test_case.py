from tests.data.helpers import write
from tests.data.importers.helpers import faults, imported, refused, write_objects


def test_task_2_has_sub_types_and_the_types_above_them(tmp_path):
    rows, _ = imported("case", "case.tsv", tmp_path)
    assert rows[0] == {
        "id": "1",
        "text": "A drone hit the radio mast of Karth, killing its guard",
        "label": "remote_violence",
        "sub_label": "air_strike",
    }
    assert [row["label"] for row in rows] == ["remote_violence", "battle", "none", "protest"]
    assert rows[1]["text"] == '"We hold the hill", a Dhal Front spokesman said of the fight near Velm'


def test_task_1_is_relevant_or_other(tmp_path):
    rows, _ = imported("case", "case.json", tmp_path)
    assert rows == [
        {"id": "100001", "text": "Dockers in Ostra struck for a second day.", "label": "relevant"},
        {"id": "100002", "text": "The chess cup of Velm opened.", "label": "other"},
    ]


def test_task_1_takes_names_for_its_classes(tmp_path):
    rows, _ = imported("case", "case.json", tmp_path, labels=("quiet", "protest"))
    assert [row["label"] for row in rows] == ["protest", "quiet"]


def test_rows_that_cannot_be_used(tmp_path):
    head = "id\tEventSnippet\tSubType\n1\tShots.\tATTACK\n"
    table = write(tmp_path / "a.tsv", head + "2\tShots.\tBRAWL\n3\t \tATTACK\n")
    told = faults("case", table, tmp_path)
    assert told[0].startswith("3: SubType 'BRAWL' is none of ARMED_CLASH,")
    assert told[1] == "4: the EventSnippet is empty"
    odd = [
        {"url": "u", "label": 1},
        {"id": 1, "text": "A."},
        {"id": 2, "text": "A.", "label": 2},
        {"id": 3, "text": "A.", "label": 1},
    ]
    assert faults("case", write_objects(tmp_path / "a.json", *odd), tmp_path) == [
        "1: no text (the samples of subtask 1 have addresses alone)",
        "2: label None is not 0 or 1",
        "3: label 2, but there are names for 2 (counted from 0)",
    ]


def test_what_is_no_classification_or_has_no_labels_is_refused(tmp_path):
    clusters = write_objects(tmp_path / "a.json", {"event_clusters": [[1]], "sentences": ["A."], "id": 1})
    assert "subtask 3 (coreference) is no classification" in refused("case", clusters, tmp_path)
    table = write(tmp_path / "a.txt", "1\tShots.\n")
    assert "no column 'id', 'EventSnippet', 'SubType'" in refused("case", table, tmp_path)
    assert "has .tsv files (task 2)" in refused("case", write(tmp_path / "a.csv", "id\n"), tmp_path)
    assert "task 2 has its own names" in refused("case", "case.tsv", tmp_path, labels=("a", "b"))
