from tests.data.importers.helpers import faults, imported, refused, write_objects

TEXT = "Velm thanked Sor."
FINE = {"sentence_normalized": TEXT, "targets": [{"from": 0, "to": 4, "mention": "Velm", "polarity": 4.0}]}


def nested(**target):
    return {
        "sentence_normalized": TEXT,
        "targets": [{"from": 13, "to": 16, "mention": "Sor", "polarity": 6.0, **target}],
    }


def test_each_target_is_a_row(tmp_path):
    rows, _ = imported("newsmtsc", "newsmtsc.jsonl", tmp_path)
    assert rows[0] == {
        "id": "inv_1_Velm_14_18",
        "text": "Ostra praised Velm’s “brave” envoy while Karth sulked.",
        "actor": "Velm",
        "start": 14,
        "end": 18,
        "label": "positive",
        "group": "inv_1_0_0_5",
    }
    assert [(row["actor"], row["label"]) for row in rows] == [
        ("Velm", "positive"),
        ("Karth", "negative"),
        ("Sor", "neutral"),
    ]
    assert rows[0]["group"] == rows[1]["group"] != rows[2]["group"]


def test_the_flat_form_is_read_too(tmp_path):
    lines = [
        {"mention": "Sor", "polarity": value, "from": 13, "to": 16, "sentence": TEXT, "id": f"s{value}"}
        for value in (-1, 0, 1)
    ]
    rows, _ = imported("newsmtsc", write_objects(tmp_path / "flat.jsonl", *lines), tmp_path)
    assert [(row["id"], row["label"]) for row in rows] == [("s-1", "negative"), ("s0", "neutral"), ("s1", "positive")]
    assert rows[0]["actor"] == "Sor" and "group" not in rows[0]


def test_rows_that_cannot_be_used(tmp_path):
    odd = [
        nested(polarity=5.0),
        nested(**{"from": 12}),
        nested(mention="Karth"),
        {"sentence_normalized": TEXT, "targets": []},
        {},
    ]
    path = write_objects(tmp_path / "odd.jsonl", FINE, *odd, {**nested(), "sentence_normalized": " "})
    assert faults("newsmtsc", path, tmp_path) == [
        "2: polarity 5.0 is none of 2, 4, 6",
        "4: characters 13 to 16 hold 'Sor', not 'Karth'",
        "5: no targets",
        "6: no sentence",
        "7: the sentence is empty",
    ]


def test_blanks_at_the_ends_of_a_mention_are_left_out(tmp_path):
    path = write_objects(tmp_path / "blank.jsonl", nested(**{"from": 12, "mention": " Sor"}))
    row = imported("newsmtsc", path, tmp_path)[0][0]
    assert (row["actor"], row["start"]) == ("Sor", 13)


def test_another_format_is_refused(tmp_path):
    told = refused("newsmtsc", write_objects(tmp_path / "other.jsonl", {"text": "a", "label": "b"}), tmp_path)
    assert "which NewsMTSC has; the fields are text, label" in told
