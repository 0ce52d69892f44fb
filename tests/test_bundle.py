from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from transformers import AutoModelForSequenceClassification

from conflictnlp.bundle import add_to_bundle, load_estimator, read_manifest, save_bundle, seal
from conflictnlp.data.lineage import read_learnt, text_hashes
from conflictnlp.files import write_json
from conflictnlp.models import TfidfClassifier

TEXTS = ["Shells hit the town.", "Envoys signed the truce.", "Rain."]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def copy(tmp_path, topic_bundle) -> Path:
    return shutil.copytree(topic_bundle, tmp_path / "copy")


@pytest.fixture
def estimator(topic_task) -> TfidfClassifier:
    return TfidfClassifier(labels=topic_task.label_names, C=3.0).fit(TEXTS[:2], ["war", "deal"])


def test_a_tfidf_bundle_is_two_files(topic_bundle):
    assert names(topic_bundle) == {"manifest.json", "model.skops"}


def test_an_encoder_bundle_is_what_transformers_reads(encoder_bundle):
    assert names(encoder_bundle) == {
        "manifest.json",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    model = AutoModelForSequenceClassification.from_pretrained(encoder_bundle)
    assert model.config.id2label == {0: "none", 1: "losing", 2: "gaining"}


def test_a_tagger_of_actors_is_two_files_more(finding_bundle, encoder_bundle):
    assert names(finding_bundle) == names(encoder_bundle) | {"tagger.json", "tagger.safetensors"}


def test_no_file_of_a_bundle_is_a_pickle(topic_bundle, encoder_bundle, finding_bundle):
    for path in [*topic_bundle.iterdir(), *encoder_bundle.iterdir(), *finding_bundle.iterdir()]:
        assert not path.read_bytes().startswith(b"\x80")


def test_the_manifest_is_read_as_it_was_written(tmp_path, estimator, topic_task):
    written = save_bundle(tmp_path / "b", estimator, topic_task, 1.5, training={"seed": 1, "data": ["a", None]})
    assert read_manifest(tmp_path / "b") == written


def test_the_manifest_tells_task_temperature_and_training(multi_bundle, multi_task):
    manifest = read_manifest(multi_bundle)
    assert manifest.task == multi_task
    assert manifest.thresholds == {"arrest": 0.3}
    assert manifest.temperature == 1.0
    assert {"conflictnlp", "scikit-learn", "skops"} <= set(manifest.libraries)


def test_the_manifest_holds_no_setting_of_one_machine(encoder_bundle):
    parameters = read_manifest(encoder_bundle).estimator["parameters"]
    assert parameters["max_length"] == 32
    assert parameters.keys().isdisjoint({"device", "checkpoints", "resume", "log"})


@pytest.mark.parametrize("name", ["topic_bundle", "multi_bundle"])
def test_a_loaded_estimator_scores_like_another_loading(request, name):
    folder = request.getfixturevalue(name)
    first, second = (load_estimator(folder, read_manifest(folder)).predict_proba(TEXTS) for _ in range(2))
    assert np.array_equal(first, second)


def test_a_loaded_estimator_scores_like_the_saved_one(tmp_path, estimator, topic_task):
    manifest = save_bundle(tmp_path / "b", estimator, topic_task)
    loaded = load_estimator(tmp_path / "b", manifest)
    assert loaded.get_params() == estimator.get_params()
    assert np.array_equal(loaded.predict_proba(TEXTS), estimator.predict_proba(TEXTS))


def test_an_unknown_parameter_of_the_manifest_is_passed_over(topic_bundle):
    manifest = read_manifest(topic_bundle)
    manifest.estimator["parameters"] |= {"from_the_future": 1, "labels": ["x"]}
    assert load_estimator(topic_bundle, manifest).classes_.tolist() == ["war", "deal", "never"]


def test_what_it_has_seen_is_kept_as_hashes(tmp_path, estimator, topic_task):
    seen = text_hashes(TEXTS)
    one, other = (save_bundle(tmp_path / str(n), estimator, topic_task, learnt=list(seen)[:n]) for n in (2, 3))
    assert (tmp_path / "3" / "training.hashes").read_bytes() == b"".join(sorted(seen))
    assert read_learnt(tmp_path / "3", read_manifest(tmp_path / "3").files) == seen
    assert one.fingerprint != other.fingerprint


def test_an_older_bundle_is_replaced_whole(tmp_path, estimator, topic_task):
    save_bundle(tmp_path / "b", estimator, topic_task)
    (tmp_path / "b" / "left.txt").write_text("old")
    save_bundle(tmp_path / "b", estimator, topic_task)
    assert names(tmp_path / "b") == {"manifest.json", "model.skops"}
    assert names(tmp_path) == {"b"}


def test_a_save_that_fails_leaves_nothing(tmp_path, estimator, topic_task):
    with pytest.raises(TypeError):
        save_bundle(tmp_path / "b", estimator, topic_task, training={"data": object()})
    assert names(tmp_path) == set()


def test_a_save_that_fails_leaves_the_older_bundle(tmp_path, estimator, topic_task):
    written = save_bundle(tmp_path / "b", estimator, topic_task)
    with pytest.raises(ValueError, match="JSON"):
        save_bundle(tmp_path / "b", estimator, topic_task, temperature=float("nan"))
    assert read_manifest(tmp_path / "b") == written


def test_the_fingerprint_is_unchanged_by_metrics_and_card(copy):
    before = read_manifest(copy).fingerprint
    add_to_bundle(copy, {"test/macro_f1": 0.5}, "# card")
    assert {"metrics.json", "README.md"} <= names(copy)
    assert read_manifest(copy).fingerprint == before


def test_the_fingerprint_is_64_hex_digits(topic_bundle):
    fingerprint = read_manifest(topic_bundle).fingerprint
    assert len(fingerprint) == 64
    assert int(fingerprint, 16) >= 0


def test_the_fingerprint_does_not_depend_on_the_order_of_keys(copy):
    before = read_manifest(copy).fingerprint
    values = json.loads((copy / "manifest.json").read_text())
    write_json(copy / "manifest.json", dict(reversed(values.items())))
    assert read_manifest(copy).fingerprint == before


def test_the_fingerprint_covers_weights_and_calibration(tmp_path, estimator, topic_task):
    first = save_bundle(tmp_path / "1", estimator, topic_task)
    warmer = save_bundle(tmp_path / "2", estimator, topic_task, temperature=2.0)
    other = save_bundle(tmp_path / "3", estimator.fit(TEXTS, ["war", "deal", "war"]), topic_task)
    assert len({first.fingerprint, warmer.fingerprint, other.fingerprint}) == 3


def test_its_files_may_be_read_by_whom_the_umask_lets(encoder_bundle, tmp_path):
    folder = shutil.copytree(encoder_bundle, tmp_path / "copy")
    manifest = read_manifest(folder)
    (folder / "model.safetensors").chmod(0o600)
    umask = os.umask(0o027)
    try:
        seal(folder, manifest)
    finally:
        os.umask(umask)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o640}
