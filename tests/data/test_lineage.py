from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from conflictnlp.config import DataConfig
from conflictnlp.data.lineage import (
    HASHES,
    LEARNT,
    PRETRAINING,
    Lineage,
    count_seen,
    read_learnt,
    read_lineage,
    refuse_leaks,
    text_hash,
    text_hashes,
    write_learnt,
    write_lineage,
)
from conflictnlp.errors import InputError
from conflictnlp.files import sha256_file

RULED = DataConfig(name="momentum", extra_before="2016-01-01")
PRINTS = {"train": "a", "validation": "b", "test": "c"}
READ = frozenset({text_hash("shells hit the town"), text_hash("envoys met")})
SAME = {"data": "momentum", "extra_before": "2016-01-01", "fingerprints": {**PRINTS, "train": "other"}}


def refuse(lineage: Lineage | None, data: DataConfig = RULED, *texts: str) -> None:
    refuse_leaks("enc", lineage, data, {"test": list(texts)}, PRINTS)


def test_what_was_written_is_read_again(tmp_path):
    lineage = Lineage(READ, "2015-06-01", 3, (SAME,))
    write_lineage(tmp_path, lineage, {"seed": 4})
    assert read_lineage(tmp_path) == lineage
    assert json.loads((tmp_path / PRETRAINING).read_text())["seed"] == 4
    assert (tmp_path / HASHES).read_bytes() == b"".join(sorted(READ))


def test_an_encoder_of_others_has_none(tmp_path):
    assert read_lineage(tmp_path) is None
    refuse(None, RULED, "Shells hit the town.")


@pytest.mark.parametrize("damage", ["hashes", "missing", "json", "key"])
def test_a_damaged_record_is_refused(tmp_path, damage):
    write_lineage(tmp_path, Lineage(READ), {})
    path, hashes = tmp_path / PRETRAINING, tmp_path / HASHES
    if damage == "hashes":
        hashes.write_bytes(hashes.read_bytes()[8:])
    elif damage == "missing":
        hashes.unlink()
    else:
        path.write_text("{" if damage == "json" else "{}")
    with pytest.raises(InputError, match="damaged"):
        read_lineage(tmp_path)


def test_older_texts_are_no_leak():
    refuse(Lineage(READ, "2015-12-31"), RULED, "Troops stormed the village.")
    refuse(Lineage(READ, None), RULED, "Troops stormed the village.")


@pytest.mark.parametrize(
    ("lineage", "line"),
    [
        (Lineage(READ, "2016-01-01"), "texts of up to 2016-01-01"),
        (Lineage(READ, "2015-01-01", undated=2), "2 texts without a date"),
        (Lineage(models=({"data": "topic", "extra_before": None, "fingerprints": PRINTS},)), "data=topic"),
        (Lineage(models=({**SAME, "fingerprints": {**PRINTS, "test": "x"}},)), "data=momentum"),
        (Lineage(models=({**SAME, "fingerprints": {**PRINTS, "validation": "x"}},)), "data=momentum"),
        (Lineage(models=({**SAME, "extra_before": None},)), "data=momentum"),
        (Lineage(models=({},)), "data=unknown"),
    ],
)
def test_what_may_tell_of_the_tests_is_refused_only_under_the_rule(lineage, line):
    with pytest.raises(InputError, match=line):
        refuse(lineage)
    refuse(lineage, DataConfig(name="free"))


def test_a_model_of_the_same_data_may_go_on():
    refuse(Lineage(models=(SAME,)))


def test_scored_texts_are_refused_under_the_rule_and_told_without_it(caplog):
    lineage = Lineage(READ, "2010-01-01")
    texts = ("SHELLS hit the town!", "shells hit the town", "Rain fell.")
    with pytest.raises(InputError, match="it has read 1 texts of the test split of data=momentum"):
        refuse(lineage, RULED, *texts)
    with caplog.at_level(logging.WARNING):
        refuse(lineage, DataConfig(name="free"), *texts)
    assert "1 texts of the test split of data=free" in caplog.text


def test_a_fine_tuned_model_tells_its_data(tmp_path: Path):
    training = {"data": "topic", "fingerprints": PRINTS, "extra_before": None, "seed": 1}
    (tmp_path / "manifest.json").write_text(json.dumps({"training": training}))
    assert read_lineage(tmp_path) == Lineage(models=({"data": "topic", "fingerprints": PRINTS, "extra_before": None},))
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(InputError, match="cannot be told"):
        read_lineage(tmp_path)


def bundle_with(folder: Path, training: dict, *texts: str) -> Path:
    write_learnt(folder, text_hashes(texts))
    manifest = {"training": training, "files": {LEARNT: sha256_file(folder / LEARNT)}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_the_texts_of_a_fine_tuned_model_are_known(tmp_path: Path):
    lineage = read_lineage(bundle_with(tmp_path, SAME, "Shells hit the town.", "Envoys met.", "ENVOYS met", " - "))
    assert lineage == Lineage(READ, models=(SAME,))
    with pytest.raises(InputError, match="it has read 1 texts of the test split of data=momentum"):
        refuse(lineage, RULED, "Envoys met!")


def test_a_model_may_go_on_with_its_own_validation():
    lineage = Lineage(READ, models=(SAME,))
    refuse_leaks("enc", lineage, RULED, {"test": ["Rain fell."], "validation": ["Envoys met."]}, PRINTS)
    with pytest.raises(InputError, match="1 texts of the validation split"):
        refuse_leaks("enc", lineage, RULED, {"validation": ["Envoys met."]}, {**PRINTS, "validation": "x"})


@pytest.mark.parametrize("damage", ["cut", "changed", "missing"])
def test_damaged_hashes_of_a_bundle_are_refused(tmp_path: Path, damage: str):
    path = bundle_with(tmp_path, SAME, "Envoys met.") / LEARNT
    content = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(content[:-1] if damage == "cut" else content[::-1])
    with pytest.raises(InputError, match=r"training\.hashes: damaged"):
        read_lineage(tmp_path)


def test_a_bundle_of_before_tells_no_texts(tmp_path: Path, caplog):
    assert read_learnt(tmp_path, {"model.skops": "0"}) is None
    for data, told in ((RULED, True), (DataConfig(name="free"), False)):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            assert count_seen("ref", None, data, ["Envoys met."]) is None
        assert ("no training.hashes in the bundle" in caplog.text) is told


def test_scored_texts_are_counted_once(caplog):
    texts = ["Envoys met.", "envoys MET", "Rain fell."]
    with caplog.at_level(logging.WARNING):
        assert count_seen("ref", READ, DataConfig(name="free"), texts) == 1
        assert count_seen("ref", READ, RULED, texts[2:]) == 0
    assert [record.message.partition(";")[0] for record in caplog.records] == [
        "ref has seen in training 1 of the 2 texts that data=free scores"
    ]


def test_scored_texts_that_were_learnt_are_refused_under_the_rule():
    with pytest.raises(
        InputError, match=r"^evaluate: ref has seen in training 1 of the 1 texts .*; train it without them or "
    ):
        count_seen("ref", READ, RULED, ["Envoys met."])


def test_lineages_are_joined():
    first = Lineage(frozenset({b"1"}), "2010-01-01", 1, (SAME,))
    second = Lineage(frozenset({b"2"}), None, 2, (SAME, {"data": "topic"}))
    assert first.joined(second) == Lineage(frozenset({b"1", b"2"}), "2010-01-01", 3, (SAME, {"data": "topic"}))
    assert first.joined(None) is first
