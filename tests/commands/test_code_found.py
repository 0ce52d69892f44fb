"""`code` where nobody names the actors, or others are wanted beside the named ones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from conflictnlp.files import sha256_file
from tests.commands.conftest import Run, say
from tests.commands.test_code import records, rows
from tests.inference.conftest import event_type_bundle

__all__ = ["event_type_bundle"]
MET = "On Monday IS met the Syrian army. Later FARC fled."


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def others(topic_bundle: Path, event_type_bundle: Path) -> tuple[str, ...]:
    return ("--topic", str(topic_bundle), "--event-type", str(event_type_bundle), "--device", "cpu")


@pytest.fixture
def finding(others: tuple[str, ...], finding_bundle: Path) -> Run:
    """Code with a momentum model that finds actors."""
    return lambda *words: say("code", *words, *others, "--momentum", str(finding_bundle))


def named(out: str) -> list[list[str]]:
    return [[actor["name"] for actor in record["actors"]] for record in records(out)]


def test_without_actors_all_are_found(finding: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(MET)
    said = finding("a.txt")
    assert said.status == 0
    assert named(said.out) == [["IS", "Syrian army", "FARC"]]
    (record,) = records(said.out)
    assert [MET[start:end] for actor in record["actors"] for start, end in actor["mentions"]] == named(said.out)[0]


def test_others_beside_the_named_ones(finding: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(MET)
    assert named(finding("a.txt", "--actor", "Caliphate|IS").out) == [["Caliphate"]]
    said = finding("a.txt", "--actor", "Caliphate|IS", "--find-actors")
    assert named(said.out) == [["Caliphate", "Syrian army", "FARC"]]


def test_others_beside_those_of_a_file(finding: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(MET)
    (tmp_path / "actors.yaml").write_text("- {name: Caliphate, aliases: [IS]}\n- {name: Hamas}\n")
    assert named(finding("a.txt", "--actors", "actors.yaml", "--find-actors").out) == [
        ["Caliphate", "Syrian army", "FARC"]
    ]


def test_an_article_without_actors_is_coded_all_the_same(finding: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Rain fell on the hills.")
    said = finding("a.txt")
    assert (said.status, named(said.out)) == (0, [[]])
    assert records(said.out)[0]["topic"] is not None


def test_a_corpus_keeps_its_order(finding: Run, tmp_path: Path) -> None:
    name = rows(tmp_path / "a.jsonl", {"text": "FARC fled."}, {"text": ""}, {"text": "Rain."}, {"text": "IS met FARC."})
    said = finding(name)
    assert (said.status, named(said.out)) == (3, [["FARC"], [], [], ["IS", "FARC"]])


def test_a_page_shows_found_actors_with_the_headlines_evidence(finding: Run, tmp_path: Path) -> None:
    name = rows(tmp_path / "a.jsonl", {"title": "On <FARC>", "text": "FARC fled from Ostra."})
    assert finding(name, "--output", "out.html").status == 0
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    headline, text = page.index(">On &lt;FARC&gt;</mark>"), page.index("<b>FARC</b> fled from Ostra.</mark>")
    assert page.index("<summary>FARC ") < headline < text


def test_evidence_of_the_headline_is_told_in_the_record(finding: Run, tmp_path: Path) -> None:
    name = rows(tmp_path / "a.jsonl", {"title": "On FARC", "text": "FARC fled from Ostra."})
    (record,) = records(finding(name).out)
    (actor,) = record["actors"]
    assert actor["mentions"] == [[0, 4]]
    assert [(piece["start"], piece["end"]) for piece in actor["evidence"]] == [(None, None), (0, 21)]
    assert sum(piece["weight"] for piece in actor["evidence"]) == pytest.approx(1)


@pytest.mark.parametrize("words", [(), ("--find-actors",), ("--find-actors", "--actor", "IS")])
def test_a_model_that_finds_none_is_refused(
    others: tuple[str, ...], actor_bundle: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "a.txt").write_text(MET)
    refusal = say("code", "a.txt", *words, *others, "--momentum", str(actor_bundle)).refusal
    assert refusal == (
        f"{actor_bundle}: this model finds no actors by itself; name them with --actor 'NAME|ALIAS' or --actors FILE"
    )


def test_a_damaged_tagger_is_refused(others: tuple[str, ...], finding_bundle: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(finding_bundle, tmp_path / "copy")
    data = bytearray((copy / "tagger.safetensors").read_bytes())
    data[-1] ^= 1
    (copy / "tagger.safetensors").write_bytes(data)
    (tmp_path / "a.txt").write_text(MET)
    refusal = say("code", "a.txt", *others, "--momentum", str(copy)).refusal
    assert "tagger.safetensors: its content is not what the manifest says; the bundle is damaged" in refusal


def test_a_tagger_of_another_model_is_refused(others: tuple[str, ...], finding_bundle: Path, tmp_path: Path) -> None:
    """Files that agree with the manifest, but do not fit each other."""
    copy = shutil.copytree(finding_bundle, tmp_path / "copy")
    values = json.loads((copy / "tagger.json").read_text())
    (copy / "tagger.json").write_text(json.dumps({**values, "encoder": {**values["encoder"], "hidden_size": 4}}))
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files"]["tagger.json"] = sha256_file(copy / "tagger.json")
    (copy / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "a.txt").write_text(MET)
    refusal = say("code", "a.txt", *others, "--momentum", str(copy)).refusal
    assert refusal.startswith(f"{copy}: the tagger of actors cannot be read (")
