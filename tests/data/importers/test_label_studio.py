import json

import pytest

from tests.data.importers.helpers import faults, imported, refused

TEXT = "The Dhal Front took Velm from the army."


def choose(*names, control="course", region=None):
    place = {"start": 0, "end": 1} if region else {}
    return {
        "id": region or "whole",
        "from_name": control,
        "type": "choices",
        "value": {**place, "choices": list(names)},
    }


def mark(words, *names, control="actor", region="r1"):
    start = TEXT.index(words)
    value = {"start": start, "end": start + len(words), "text": words, "labels": list(names)}
    return {"id": region, "from_name": control, "type": "labels", "value": value}


def task(*results, number=1, data=None, **annotation):
    return {"id": number, "data": data or {"text": TEXT}, "annotations": [{"result": list(results), **annotation}]}


@pytest.fixture
def export(tmp_path):
    def write(*tasks):
        path = tmp_path / "export.json"
        path.write_text(json.dumps(tasks, ensure_ascii=False))
        return path

    return write


def test_marked_words_are_actors_with_the_label_they_are_marked_as(tmp_path):
    rows, _ = imported("label-studio", "label_studio.json", tmp_path)
    assert rows[0] == {
        "id": "1",
        "text": "The Dhal Front took Velm. The army of Ostrany fell back to Karth.",
        "actor": "The Dhal Front",
        "start": 0,
        "end": 14,
        "label": "gaining",
        "date": "2031-01-05",
    }
    assert [(row["actor"], row["label"]) for row in rows] == [
        ("The Dhal Front", "gaining"),
        ("The army of Ostrany", "losing"),
        ("the Dhal Front", "stalemate"),
        ("Sor", "none"),
    ]


def test_a_choice_is_the_label_of_its_text(tmp_path, export):
    path = export(task(choose("politics"), number=4), task(choose("sports"), number=5))
    rows, _ = imported("label-studio", path, tmp_path)
    assert rows == [{"id": "4", "text": TEXT, "label": "politics"}, {"id": "5", "text": TEXT, "label": "sports"}]


def test_several_choices_are_a_list_if_asked_for(tmp_path, export):
    path = export(task(choose("attack", "arrest")), task(number=2))
    rows, _ = imported("label-studio", path, tmp_path, multi=True)
    assert [row["labels"] for row in rows] == [["attack", "arrest"], []]
    path = export(task(choose("a")), task(choose("a", "b"), number=2), task(number=3))
    assert faults("label-studio", path, tmp_path) == [
        "1: 2 labels (a, b) where one is needed; --multi writes lists of labels",
        "1: no label where one is needed; --multi writes lists of labels",
    ]


def test_a_choice_is_the_label_of_the_actor_that_is_marked(tmp_path, export):
    path = export(task(mark("The Dhal Front", "Actor"), choose("gaining")))
    rows, _ = imported("label-studio", path, tmp_path)
    assert (rows[0]["actor"], rows[0]["label"]) == ("The Dhal Front", "gaining")


def test_a_choice_for_a_region_is_the_label_of_its_words(tmp_path, export):
    results = [mark("The Dhal Front", "Rebel"), mark("the army", "State", region="r2")]
    path = export(task(*results, choose("losing", region="r2"), choose("gaining", region="r1")))
    rows, _ = imported("label-studio", path, tmp_path)
    assert [(row["actor"], row["label"]) for row in rows] == [("The Dhal Front", "gaining"), ("the army", "losing")]
    path = export(task(*results, choose("losing", region="r2")))
    assert faults("label-studio", path, tmp_path) == ["1: no label where one is needed; --multi writes lists of labels"]


def test_words_marked_source_and_target_make_one_row(tmp_path, export):
    sides = [mark("The Dhal Front", "Source"), mark("the army", "Target", region="r2")]
    path = export(task(*sides, choose("assault")), task(sides[1], choose("aid"), number=2))
    rows, result = imported("label-studio", path, tmp_path, skip_faulty=True)
    assert rows == [
        {
            **{"id": "1", "text": TEXT, "label": "assault"},
            **{"source": "The Dhal Front", "source_start": 0, "source_end": 14},
            **{"target": "the army", "target_start": 30, "target_end": 38},
        }
    ]
    assert [fault.reason for fault in result.left_out] == ["0 spans are marked source, where one is needed"]


def test_choices_of_several_kinds_need_the_name_of_one(tmp_path, export):
    path = export(task(choose("politics", control="topic"), choose("sad", control="mood")))
    assert "choices of several kinds (mood, topic); name the labels' with --control" in refused(
        "label-studio", path, tmp_path
    )
    assert imported("label-studio", path, tmp_path, control="topic")[0][0]["label"] == "politics"
    assert "no codes of 'tone' (--control); there are some of mood, topic" in refused(
        "label-studio", path, tmp_path / "other.csv", control="tone"
    )


def test_marks_and_choices_that_could_both_be_labels_need_the_name_of_one(tmp_path, export):
    marks = [mark("The Dhal Front", "gaining"), mark("the army", "losing", region="r2")]
    path = export(task(*marks, choose("politics", control="topic")), task(mark("the army", "none"), number=2))
    assert "name the one that is with --control" in refused("label-studio", path, tmp_path)
    rows, _ = imported("label-studio", path, tmp_path, control="actor")
    assert [row["label"] for row in rows] == ["gaining", "losing", "none"]
    rows, result = imported("label-studio", path, tmp_path, control="topic", skip_faulty=True)
    assert [(row["actor"], row["label"]) for row in rows] == [("The Dhal Front", "politics"), ("the army", "politics")]
    assert len(result.left_out) == 1


def test_annotations_that_differ_are_a_fault_unless_one_is_ground_truth(tmp_path, export):
    first, other = {"result": [choose("a")]}, {"result": [choose("b")]}
    tasks = [
        {"id": 1, "data": {"text": TEXT}, "annotations": [first, first]},
        {"id": 2, "data": {"text": TEXT}, "annotations": [first, {**other, "ground_truth": True}]},
        {"id": 3, "data": {"text": TEXT}, "annotations": [first, {**other, "was_cancelled": True}]},
        {"id": 4, "data": {"text": TEXT}, "annotations": [first, other]},
        {"id": 5, "data": {"text": TEXT}, "annotations": []},
    ]
    rows, result = imported("label-studio", export(*tasks), tmp_path, skip_faulty=True)
    assert [(row["id"], row["label"]) for row in rows] == [("1", "a"), ("2", "b"), ("3", "a")]
    assert "its 2 annotations differ" in result.left_out[0].reason
    assert list(result.notes.values()) == [1]


def test_results_of_other_types_are_counted(tmp_path, export):
    remark = {"id": "t", "from_name": "remark", "type": "textarea", "value": {"text": ["unsure"]}}
    rows, result = imported("label-studio", export(task(choose("a"), remark)), tmp_path)
    assert [row["label"] for row in rows] == ["a"]
    assert result.notes == {"results of type textarea, not read": 1}


def test_the_text_may_stand_in_another_field(tmp_path, export):
    path = export(task(choose("a"), data={"body": TEXT, "title": "News", "id": "n7"}))
    assert imported("label-studio", path, tmp_path)[0] == [{"id": "n7", "title": "News", "text": TEXT, "label": "a"}]
    path = export(task(choose("a"), data={"body": TEXT, "lead": "x"}))
    assert "which field of the data is the text (body, lead)?" in refused("label-studio", path, tmp_path / "b.csv")
    assert imported("label-studio", path, tmp_path, text_field="lead")[0][0]["text"] == "x"


def test_rows_that_cannot_be_used(tmp_path, export):
    wrong = mark("Velm", "losing")
    wrong["value"]["text"] = "Karth"
    barred = {"text": "A|B won."}
    bar = {"id": "r", "from_name": "actor", "type": "labels", "value": {"start": 0, "end": 3, "labels": ["gaining"]}}
    nested = {"id": "c", "from_name": "actor", "type": "labels", "value": {"labels": [["a", "b"]]}}
    path = export(
        task(mark("Velm", "losing")), task(wrong), task(bar, data=barred), task(nested), task(data={"text": 3})
    )
    told = faults("label-studio", path, tmp_path, text_field="text")
    assert sorted(told) == sorted(
        [
            "1: characters 20 to 24 hold 'Velm', not 'Karth'",
            "1: the actor 'A|B' holds a bar, which separates an actor's names",
            "1: the labels [['a', 'b']] are no list of names (nested choices are not read)",
            "1: the field 'text' of the data holds no text",
        ]
    )


def test_other_exports_are_refused(tmp_path, export):
    assert "export as JSON from Label Studio (not as JSON_MIN or CSV)" in refused(
        "label-studio", export({"text": TEXT, "course": "gaining"}), tmp_path
    )
