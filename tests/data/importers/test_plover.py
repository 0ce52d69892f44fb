import pytest

from tests.data.helpers import write
from tests.data.importers.helpers import FILES, faults, imported, refused

HEAD = "sentence_id\tsentence\tmarked_sentence\tsource\ttarget\tgold_root\tgold_penta\n"


def one(tmp_path, *fields):
    path = write(tmp_path / "PLV_test.tsv", HEAD + "\t".join(fields) + "\n")
    return imported("plover", path, tmp_path)[0][0]


def test_root_quad_and_marked_words(tmp_path):
    rows, _ = imported("plover", "plover.tsv", tmp_path)
    assert rows[1] == {
        "id": "plover-3",
        "text": "The army of Ostrany shelled two villages held by the Dhal Front, and the army of Ostrany denied it.",
        "source": "The army of Ostrany",
        "source_start": 0,
        "source_end": 19,
        "target": "the Dhal Front",
        "target_start": 49,
        "target_end": 63,
        "label": "assault",
        "quad": "material_conflict",
        "group": "plover-9",
    }
    assert [(row["label"], row["quad"]) for row in rows] == [
        ("accuse", "verbal_conflict"),
        ("assault", "material_conflict"),
        ("aid", "material_cooperation"),
        ("agree", "verbal_cooperation"),
    ]


def test_a_placeholder_target_is_left_empty_and_counted(tmp_path):
    rows, result = imported("plover", "plover.tsv", tmp_path)
    assert "target" not in rows[2] and "target_start" not in rows[2]
    assert list(result.notes.values()) == [1]


def test_marks_nest_and_whole_words_win_over_parts(tmp_path):
    row = imported("plover", "plover.tsv", tmp_path)[0][3]
    assert (row["source"], row["source_start"], row["source_end"]) == ("Lumeiran President Sor", 0, 22)
    assert (row["target"], row["target_start"], row["target_end"]) == ("Lumeira", 32, 39)


def test_the_marked_one_of_several_mentions_is_taken(tmp_path):
    row = one(
        tmp_path,
        "1",
        "Velm met Ostra; Velm left.",
        "Velm met <t>Ostra</t>; <s>Velm</s> left.",
        "Velm",
        "Ostra",
        "CONSULT",
        "1",
    )
    assert (row["source_start"], row["source_end"]) == (16, 20)


def test_marks_around_other_words_than_are_named_win(tmp_path):
    row = one(tmp_path, "1", "The UN (x) met Sor.", "<s>The UN </s>(x) met <t>Sor</t>.", "UNO", "Sor", "CONSULT", "1.0")
    assert (row["source"], row["source_end"]) == ("The UN", 6)


def test_without_marks_the_words_are_found(tmp_path):
    row = one(tmp_path, "1", "Velm met Ostra.", "", "Velm", "Ostra", "CONSULT", "1")
    assert (row["source_start"], row["target_start"]) == (0, 9)


def test_sentences_of_two_files_are_two_groups(tmp_path):
    row = one(tmp_path, "9", "Velm met Ostra.", "", "Velm", "Ostra", "CONSULT", "1")
    assert row["group"] == "PLV_test-9"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (("1", " ", "", "Velm", "Ostra", "AID", "2"), "the sentence is empty"),
        (("1", "Velm met.", "", "Velm", "", "GREET", "1"), "gold_root 'GREET' is none of AGREE, CONSULT,"),
        (("1", "Velm met.", "", "Velm", "", "CONSULT", "5"), "gold_penta '5' is none of 1, 2, 3, 4"),
        (("1", "Velm met.", "", "a source", "", "CONSULT", "1"), "the source 'a source' does not stand in"),
    ],
)
def test_rows_that_cannot_be_used(tmp_path, fields, told):
    sound = "2\tVelm met.\t\tVelm\t\tCONSULT\t1\n"
    path = write(tmp_path / "rows.tsv", HEAD + sound + "\t".join(fields) + "\n")
    assert [fault.startswith(f"3: {told}") for fault in faults("plover", path, tmp_path)] == [True]


def test_an_aw_file_has_no_roots(tmp_path):
    path = write(tmp_path / "AW.tsv", "uid\tsentence\tsource\ttarget\tgold_binary\n")
    assert "no column 'sentence_id', 'gold_root', 'gold_penta'" in refused("plover", path, tmp_path)


def test_carriage_returns_and_gzip_change_nothing(tmp_path):
    content = (FILES / "plover.tsv").read_bytes().replace(b"\n", b"\r\n")
    zipped = imported("plover", write(tmp_path / "plover.tsv.gz", b"\xef\xbb\xbf" + content), tmp_path)[0]
    assert zipped == imported("plover", "plover.tsv", tmp_path)[0]
