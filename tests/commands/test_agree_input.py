import json
from pathlib import Path

import pytest

from conflictnlp.commands.agree import AgreeResult, agree
from conflictnlp.commands.agree_input import heaviest, read_codes
from conflictnlp.commands.code import code
from conflictnlp.data.actors import Actor
from conflictnlp.errors import InputError
from conflictnlp.inference import Model
from conflictnlp.inference.coding import Coder
from tests.commands.conftest import MOVES, WAR, say

ACTORS = (Actor("IS"), Actor("army"))


@pytest.fixture(params=["coded.jsonl", "coded.jsonl.gz", "coded.parquet"])
def coded(request: pytest.FixtureRequest, tmp_path: Path, topic_bundle: Path, actor_bundle: Path) -> str:
    """Joint records of an article with two actors, one without, and an empty one."""
    articles = [{"id": "a", "text": MOVES}, {"id": "b", "text": WAR}, {"id": "c", "text": ""}]
    (tmp_path / "news.jsonl").write_text("".join(json.dumps(article) + "\n" for article in articles))
    coder = Coder(topic=Model(topic_bundle), momentum=Model(actor_bundle), actors=ACTORS)
    output = str(tmp_path / request.param)
    code(coder, str(tmp_path / "news.jsonl"), output)
    return output


def compared(coded: str, *lines: str, task: str | None = None) -> AgreeResult:
    labels = Path(coded).with_name("human.csv")
    labels.write_text("\n".join(lines) + "\n")
    return agree(coded, str(labels), task=task)


def test_the_actors_of_a_joint_record_are_cases(coded: str) -> None:
    result = compared(coded, "id,actor,label", "a,army,losing", "a,IS,losing", "b,IS,losing")
    (case,) = result.disagreements
    assert (case["id"], case["actor"], case["human"], case["model"]) == ("a", "IS", "losing", "gaining")
    assert case["sentence"] == "On Monday IS advanced on Ostra."
    assert result.agreement.cases == 2
    assert result.left_out == {"labels without a prediction": 1}


def test_actors_of_one_article_are_one_cluster(coded: str) -> None:
    assert compared(coded, "id,actor,label", "a,army,losing", "a,IS,losing").agreement.interval is None


def test_a_joint_record_tells_the_labels(coded: str, actor_bundle: Path) -> None:
    assert read_codes(coded).labels == tuple(Model(actor_bundle).labels)
    with pytest.raises(InputError, match=r"human.csv:2: label 'loosing' is none of the predictions' labels \("):
        compared(coded, "id,actor,label", "a,army,loosing")


def test_topics_of_joint_records_are_cases(coded: str) -> None:
    result = compared(coded, "id,label", "a,war", "b,war", "c,war", task="topic")
    assert result.agreement.cases == 2
    assert result.left_out == {"labels without a prediction": 1}


def test_labels_without_actors_do_not_fit_joint_records(coded: str) -> None:
    with pytest.raises(InputError, match=r"names no actor \(column 'actor'\) .* or compare topics with --task topic"):
        compared(coded, "id,label", "a,losing")


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"actors": []}, "no record holds an actor"),
        ({"actors": "[]"}, r":1: actors is no list; give the \.jsonl or \.parquet file that code wrote"),
        ({"actors": ["IS"]}, r":1: an actor without name and label"),
        ({"actors": [{"name": "IS", "label": "x", "probability": "y"}]}, r":1 \(actor 'IS'\): probability 'y' is no"),
    ],
)
def test_records_that_code_did_not_write_are_refused(tmp_path: Path, record: dict, told: str) -> None:
    (tmp_path / "coded.jsonl").write_text(json.dumps({"id": "a", **record}) + "\n")
    with pytest.raises(InputError, match=told):
        read_codes(str(tmp_path / "coded.jsonl"))


def test_a_topic_that_is_no_record_is_refused(tmp_path: Path) -> None:
    (tmp_path / "coded.jsonl").write_text('{"id": "a", "topic": "war", "actors": []}\n')
    with pytest.raises(InputError, match=r"coded\.jsonl:1: topic is no record"):
        read_codes(str(tmp_path / "coded.jsonl"), "topic")


@pytest.mark.parametrize("cell", ["high", "0,9", "inf"])
def test_a_probability_that_is_no_number_is_refused(tmp_path: Path, cell: str) -> None:
    (tmp_path / "mine.csv").write_text(f'id,prediction,probability\n1,a,0.5\n2,a,"{cell}"\n')
    (tmp_path / "labels.csv").write_text("id,label\n1,a\n2,b\n")
    told = say("agree", str(tmp_path / "mine.csv"), str(tmp_path / "labels.csv")).refusal
    assert told.endswith(f"mine.csv:3: probability {cell!r} is no number; correct the cell, or leave it empty")


def test_a_probability_may_be_missing(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("id,prediction,probability\n1,a,\n2,a,0.5\n")
    assert [row.values["probability"] for row in read_codes(str(tmp_path / "mine.csv")).rows] == [None, 0.5]


def test_a_part_of_what_predict_wrote_cannot_be_chosen(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("id,prediction\n1,a\n")
    with pytest.raises(InputError, match=r"mine\.csv: --task topic chooses a part of what code wrote"):
        read_codes(str(tmp_path / "mine.csv"), "topic")


@pytest.mark.parametrize("evidence", [None, "seen by him", "[1]", 3, [{"text": "x", "weight": "heavy"}], []])
def test_evidence_of_somebody_elses_is_passed_over(evidence: object) -> None:
    assert heaviest(evidence) is None


def test_evidence_is_read_from_the_json_of_a_table() -> None:
    assert heaviest('[{"text": "x", "weight": 0.4}, {"text": "y", "weight": 0.6}]') == "y"
