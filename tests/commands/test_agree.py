import csv
import json
from pathlib import Path

import pytest

from conflictnlp.commands.agree import agree, write_disagreements
from conflictnlp.errors import InputError
from tests.commands.conftest import say


def write(path: Path, rows: list[dict]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


@pytest.fixture
def predictions(tmp_path: Path) -> str:
    rows = [
        {"id": "1", "text": "one", "actor": "Army", "prediction": "gaining", "probability": 0.6},
        {"id": "1", "text": "one", "actor": "Front", "prediction": "losing", "probability": 0.9},
        {"id": "2", "text": "two", "actor": "Army", "prediction": "none", "probability": 0.7},
        {"id": "3", "text": "three", "actor": "Army", "prediction": None, "probability": None},
    ]
    return write(tmp_path / "predictions.jsonl", rows)


def test_cases_are_matched_by_id_and_actor_whatever_their_order(tmp_path: Path, predictions: str) -> None:
    labels = [
        {"id": "2", "actor": "army", "label": "none"},
        {"id": "1", "actor": "Front", "label": "stalemate"},
        {"id": "1", "actor": "Army|ARM", "label": "gaining"},
        {"id": "3", "actor": "Army", "label": "none"},
    ]
    result = agree(predictions, write(tmp_path / "labels.jsonl", labels))
    assert result.agreement.cases == 3
    assert [(case["id"], case["actor"], case["human"]) for case in result.disagreements] == [
        ("1", "Front", "stalemate")
    ]
    assert result.left_out == {"labels without a prediction": 1}


def test_texts_match_where_ids_do_not(tmp_path: Path, predictions: str) -> None:
    labels = [{"id": "x", "text": "Two!", "actor": "Army", "label": "none"}]
    assert agree(predictions, write(tmp_path / "labels.jsonl", labels)).agreement.share == 1.0


def test_disagreements_come_with_the_surest_first(tmp_path: Path, predictions: str) -> None:
    labels = [
        {"id": "1", "actor": "Army", "label": "none"},
        {"id": "1", "actor": "Front", "label": "none"},
        {"id": "2", "actor": "Army", "label": "gaining"},
    ]
    result = agree(predictions, write(tmp_path / "labels.jsonl", labels))
    output = tmp_path / "read.csv"
    write_disagreements(result.disagreements, str(output))
    with output.open(newline="") as stream:
        assert [row["probability"] for row in csv.DictReader(stream)] == ["0.9", "0.7", "0.6"]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([{"id": "9", "actor": "Army", "label": "none"}], "no case of"),
        ([{"id": "1", "actor": "Army"}], "no column 'label'"),
        ([{"id": "1", "actor": "Army", "label": "none"}] * 2, "stands twice"),
    ],
)
def test_files_that_do_not_fit_are_refused(tmp_path: Path, predictions: str, labels: list, message: str) -> None:
    with pytest.raises(InputError, match=message):
        agree(predictions, write(tmp_path / "labels.jsonl", labels))


def test_an_empty_label_is_no_label(tmp_path: Path, predictions: str) -> None:
    labels = [
        {"id": "1", "actor": "Army", "label": "gaining"},
        {"id": "1", "actor": "Front"},
        {"id": "2", "actor": "Army", "label": None},
    ]
    result = agree(predictions, write(tmp_path / "labels.jsonl", labels))
    assert (result.agreement.labels, result.agreement.cases) == (("gaining",), 1)
    assert result.left_out == {"labels left empty": 2, "predictions without a label": 1}


def test_every_case_is_counted_once(tmp_path: Path, predictions: str) -> None:
    labels = [
        {"id": "1", "actor": "Army", "label": "gaining"},
        {"id": "1", "actor": "Front", "label": ""},
        {"id": "3", "actor": "Army", "label": "none"},
        {"id": "9", "actor": "Army", "label": "none"},
    ]
    (tmp_path / "labels.csv").write_text(
        "id,actor,label\n" + "".join(f"{row['id']},{row['actor']},{row['label']}\n" for row in labels)
    )
    result = agree(predictions, str(tmp_path / "labels.csv"))
    assert result.left_out == {
        "labels left empty": 1,
        "labels without a prediction": 2,
        "predictions without a label": 1,
    }
    assert result.agreement.cases + 1 + 2 == len(labels)


def test_nothing_but_errors_is_refused(tmp_path: Path, predictions: str) -> None:
    labels = write(tmp_path / "labels.jsonl", [{"id": "3", "actor": "Army", "label": "none"}])
    with pytest.raises(InputError, match="none of the 1 cases of both files bears a label and a prediction"):
        agree(predictions, labels)


def test_ids_are_compared_as_words(tmp_path: Path) -> None:
    mine = write(tmp_path / "mine.jsonl", [{"id": 7, "prediction": "a"}])
    (tmp_path / "labels.csv").write_text("id,label\n7,a\n")
    assert agree(mine, str(tmp_path / "labels.csv")).agreement.share == 1.0


def test_rows_without_an_id_are_left_out(tmp_path: Path) -> None:
    mine = write(tmp_path / "mine.jsonl", [{"prediction": "a"}, {"prediction": "b"}, {"id": "1", "prediction": "a"}])
    labels = write(tmp_path / "labels.jsonl", [{"label": "a"}, {"label": "b"}, {"id": "1", "label": "a"}])
    result = agree(mine, labels)
    assert result.agreement.cases == 1
    assert result.left_out == {"labels without a prediction": 2, "predictions without a label": 2}


def test_a_column_of_another_name_holds_the_labels(tmp_path: Path, predictions: str) -> None:
    labels = write(tmp_path / "labels.jsonl", [{"id": "2", "actor": "Army", "label": "x", "coder_b": "none"}])
    assert agree(predictions, labels, "coder_b").agreement.share == 1.0


def test_several_labels_of_a_case_are_one_code_in_any_order_and_format(tmp_path: Path) -> None:
    mine = [{"id": n, "prediction": labels} for n, labels in enumerate([["kill", "arrest"], [], ["kill"], ["kill"]])]
    predictions = write(tmp_path / "mine.jsonl", mine)
    (tmp_path / "mine.csv").write_text(
        'id,prediction\n0,"[""kill"", ""arrest""]"\n1,[]\n2,"[""kill""]"\n3,"[""kill""]"\n'
    )
    (tmp_path / "labels.csv").write_text("id,labels\n0,arrest|kill\n1,\n2,arrest\n3,kill\n")
    labels = [{"id": 0, "labels": ["arrest", "kill"]}, {"id": 1, "labels": []}, {"id": 2, "labels": ["arrest"]}]
    theirs = write(tmp_path / "labels.jsonl", [*labels, {"id": 3, "labels": ["kill"]}])
    for one, other in ((predictions, theirs), (predictions, "labels.csv"), ("mine.csv", theirs)):
        result = agree(str(tmp_path / one), str(tmp_path / other))
        assert result.agreement.labels == ("(no label)", "arrest", "arrest|kill", "kill")
        assert [(case["human"], case["model"]) for case in result.disagreements] == [("arrest", "kill")]


def test_the_sentence_that_weighed_most_is_told(tmp_path: Path) -> None:
    evidence = [{"text": "Rain fell.", "weight": 0.2}, {"text": "It lost Ostra.", "weight": 0.8}]
    mine = write(tmp_path / "mine.jsonl", [{"id": 1, "prediction": "losing", "text": "…", "evidence": evidence}])
    result = agree(mine, write(tmp_path / "labels.jsonl", [{"id": 1, "label": "none"}]))
    assert result.to_text().splitlines()[-1] == "    It lost Ostra."


@pytest.fixture
def with_chances(tmp_path: Path) -> str:
    """Predictions that tell the probability of every label, in declared order."""
    chances = {"prob_losing": 0.1, "prob_gaining": 0.8, "prob_none": 0.1}
    rows = [{"id": n, "prediction": label, **chances} for n, label in enumerate(["gaining", "losing", "gaining"])]
    return write(tmp_path / "chances.jsonl", rows)


def test_labels_stand_in_declared_order(tmp_path: Path, with_chances: str) -> None:
    labels = [{"id": n, "label": label} for n, label in enumerate(["gaining", "none", "losing"])]
    result = agree(with_chances, write(tmp_path / "labels.jsonl", labels))
    assert result.agreement.labels == ("losing", "gaining", "none")


def test_several_labels_stand_in_declared_order(tmp_path: Path) -> None:
    chances = {"prob_kill": 0.5, "prob_arrest": 0.5}
    rows = [{"id": n, "prediction": labels, **chances} for n, labels in enumerate([["arrest"], ["kill"], []])]
    labels = [{"id": 0, "labels": ["arrest", "kill"]}, {"id": 1, "labels": ["kill"]}, {"id": 2, "labels": []}]
    result = agree(write(tmp_path / "mine.jsonl", rows), write(tmp_path / "labels.jsonl", labels))
    assert result.agreement.labels == ("(no label)", "kill", "arrest|kill", "arrest")


def test_a_label_that_the_model_does_not_know_is_refused(tmp_path: Path, with_chances: str) -> None:
    (tmp_path / "labels.csv").write_text("id,label\n0,gaining\n1,gainning\n")
    told = r"labels.csv:3: label 'gainning' is none of the predictions' labels \(losing, gaining, none\); correct it"
    with pytest.raises(InputError, match=told):
        agree(with_chances, str(tmp_path / "labels.csv"))


class TestCommand:
    """Words in, tables and one JSON object out."""

    @pytest.fixture
    def labels(self, tmp_path: Path) -> str:
        rows = [{"id": "1", "actor": "Army", "label": "gaining"}, {"id": "1", "actor": "Front", "label": "none"}]
        return write(tmp_path / "labels.jsonl", [*rows, {"id": "2", "actor": "Army", "label": "none"}])

    def test_stdout_is_one_json_object(self, predictions: str, labels: str) -> None:
        said = say("agree", predictions, labels)
        result = json.loads(said.out)
        assert (said.status, result["cases"], result["agreement"], result["disagreements"]) == (0, 3, 2 / 3, 1)
        assert result["labels"] == ["gaining", "losing", "none"]
        assert result["table"] == [[1, 0, 0], [0, 0, 0], [0, 1, 1]]

    def test_tables_and_the_disagreements_go_to_stderr(self, predictions: str, labels: str) -> None:
        lines = say("agree", predictions, labels).err.splitlines()
        assert lines[1] == "agreement 66.7% of 3 cases"
        assert lines[-5:] == [
            "left out: predictions without a label: 1",
            "",
            "1 of 1 disagreements, the model's surest first:",
            "human none, model losing 0.90: 1 Front",
            "    one",
        ]

    @pytest.mark.parametrize("width", [80, 120])
    def test_no_line_is_longer_than_a_terminal(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int
    ) -> None:
        monkeypatch.setenv("COLUMNS", str(width))
        name = "a/very long/folder " * 10
        rows = [{"id": f"{n} {name}", "text": "A " + "long " * 40, "prediction": "a"} for n in range(12)]
        mine = write(tmp_path / "mine.jsonl", rows)
        theirs = write(tmp_path / "theirs.jsonl", [{"id": f"{n} {name}", "label": "b"} for n in range(12)])
        lines = say("agree", mine, theirs).err.splitlines()
        assert width - 20 <= max(map(len, lines)) <= width
        assert sum(line.startswith("human b, model a: ") for line in lines) == 10

    def test_the_disagreements_not_shown_are_counted(self, tmp_path: Path) -> None:
        mine = write(tmp_path / "mine.jsonl", [{"id": n, "prediction": "a"} for n in range(12)])
        theirs = write(tmp_path / "theirs.jsonl", [{"id": n, "label": "b"} for n in range(12)])
        assert say("agree", mine, theirs).err.splitlines()[-1] == "2 more; --output FILE takes all 12"

    def test_the_disagreements_may_be_a_file(self, predictions: str, labels: str, tmp_path: Path) -> None:
        said = say("agree", predictions, labels, "--output", str(tmp_path / "read.jsonl"))
        (case,) = map(json.loads, (tmp_path / "read.jsonl").read_text().splitlines())
        assert case == {
            "id": "1",
            "actor": "Front",
            "human": "none",
            "model": "losing",
            "probability": 0.9,
            "text": "one",
            "sentence": None,
        }
        assert "disagreements" not in said.err

    def test_an_unknown_suffix_is_refused_before_anything_is_read(self) -> None:
        told = say("agree", "none.jsonl", "none.csv", "--output", "read.html").refusal
        assert told == "--output read.html: use .csv, .tsv or .jsonl"

    def test_a_missing_file_is_one_line(self, predictions: str) -> None:
        assert "no such file" in say("agree", predictions, "none.jsonl").refusal
