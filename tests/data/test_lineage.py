from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from conflictnlp.config import DataConfig
from conflictnlp.data.lineage import HASHES, PRETRAINING, Lineage, read_lineage, refuse_leaks, text_hash, write_lineage
from conflictnlp.errors import InputError

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


def test_lineages_are_joined():
    first = Lineage(frozenset({b"1"}), "2010-01-01", 1, (SAME,))
    second = Lineage(frozenset({b"2"}), None, 2, (SAME, {"data": "topic"}))
    assert first.joined(second) == Lineage(frozenset({b"1", b"2"}), "2010-01-01", 3, (SAME, {"data": "topic"}))
    assert first.joined(None) is first
