"""Bundles that are refused: damaged, unsafe or of another time."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest

from conflictnlp.bundle import read_manifest
from conflictnlp.errors import BundleError
from conflictnlp.files import sha256_file
from conflictnlp.inference import Model


@pytest.fixture
def copy(tmp_path, topic_bundle) -> Path:
    return shutil.copytree(topic_bundle, tmp_path / "copy")


@pytest.fixture
def encoder_copy(tmp_path, encoder_bundle) -> Path:
    return shutil.copytree(encoder_bundle, tmp_path / "copy")


@pytest.fixture
def finding_copy(tmp_path, finding_bundle) -> Path:
    return shutil.copytree(finding_bundle, tmp_path / "copy")


def change(folder: Path, **values: Any) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def put(folder: Path, name: str, **values: Any) -> None:
    """Change a JSON file and make the manifest agree with it, as an attacker would."""
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
    files = json.loads((folder / "manifest.json").read_text())["files"]
    change(folder, files=files | {name: sha256_file(path)})


def refusal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the message with which a bundle is refused, having made sure that none of its weights was read."""
    monkeypatch.setattr("conflictnlp.inference.model.open_runtime", lambda *_: pytest.fail("the weights were read"))
    with pytest.raises(BundleError) as told:
        Model(folder)
    message = str(told.value)
    assert "\n" not in message
    assert str(folder) in message
    return message


def test_a_folder_without_a_manifest(tmp_path, monkeypatch):
    assert "not a bundle (no manifest.json)" in refusal(tmp_path, monkeypatch)


def test_a_folder_that_is_not_there(tmp_path, monkeypatch):
    assert "not a bundle" in refusal(tmp_path / "none", monkeypatch)


@pytest.mark.parametrize("kept", [0, 1, 200])
def test_a_truncated_manifest(copy, monkeypatch, kept):
    path = copy / "manifest.json"
    path.write_bytes(path.read_bytes()[:kept])
    assert "damaged" in refusal(copy, monkeypatch)


@pytest.mark.parametrize("text", ["[]", "null", "7", "{}", '{"format_version": 1}', '{"format_version": 1, "task": 3}'])
def test_a_manifest_that_is_something_else(copy, monkeypatch, text):
    (copy / "manifest.json").write_text(text)
    assert "damaged" in refusal(copy, monkeypatch)


def test_a_manifest_that_is_no_text(copy, monkeypatch):
    (copy / "manifest.json").write_bytes(b"\xff\xfe\x00{}")
    assert "damaged" in refusal(copy, monkeypatch)


def test_a_manifest_nested_without_end(copy, monkeypatch):
    (copy / "manifest.json").write_text("[" * 100_000)
    assert "damaged" in refusal(copy, monkeypatch)


@pytest.mark.parametrize(
    "values",
    [
        {"temperature": 0},
        {"temperature": -1.0},
        {"temperature": float("nan")},
        {"temperature": float("inf")},
        {"temperature": "1"},
        {"thresholds": [0.5]},
        {"thresholds": {"war": "high"}},
        {"thresholds": {"war": 1.5}},
        {"files": {}},
        {"files": ["model.skops"]},
        {"estimator": {"kind": "tfidf"}},
        {"estimator": {"kind": "tfidf", "parameters": [1]}},
        {"estimator": {"kind": "os.system", "parameters": {}}},
        {"unheard_of": 1},
        {"libraries": ["torch"]},
        {"training": {"data": "\ud800"}},
        {"format_version": True},
        {"format_version": 0},
        {"format_version": -1},
        {"format_version": 1.0},
        {"estimator": {"kind": "tfidf", "parameters": {"char_ngrams": None}}},
        {"estimator": {"kind": "tfidf", "parameters": {"char_ngrams": "x"}}},
        {"estimator": {"kind": "tfidf", "parameters": {"word_ngrams": []}}},
        {"estimator": {"kind": "tfidf", "parameters": {"word_ngrams": True}}},
        {"estimator": {"kind": "transformer", "parameters": {"overlap": None}}},
    ],
    ids=str,
)
def test_a_manifest_with_impossible_values(copy, monkeypatch, values):
    change(copy, **values)
    assert "damaged" in refusal(copy, monkeypatch)


def test_a_task_with_one_label_twice(copy, monkeypatch, topic_task):
    task = topic_task.to_dict()
    change(copy, task=task | {"labels": [task["labels"][0]] * 2})
    assert "damaged" in refusal(copy, monkeypatch)


@pytest.mark.parametrize("version", [2, 99])
def test_a_newer_format(copy, monkeypatch, version):
    change(copy, format_version=version)
    message = refusal(copy, monkeypatch)
    assert f"format {version} is newer than 1" in message
    assert "pip install --upgrade conflictnlp" in message


def test_damaged_weights(copy, monkeypatch):
    path = copy / "model.skops"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert "model.skops: its content is not what the manifest says" in refusal(copy, monkeypatch)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json"])
def test_a_missing_file(encoder_copy, monkeypatch, name):
    (encoder_copy / name).unlink()
    assert f"{name}: missing" in refusal(encoder_copy, monkeypatch)


@pytest.mark.parametrize("name", ["model.pkl", "pytorch_model.bin", "training_args.bin", "modeling.py", ".hidden"])
def test_an_extra_file(copy, monkeypatch, name):
    (copy / name).write_bytes(pickle.dumps({"a": 1}))
    assert f"{name}: a bundle may hold only plain files of known names" in refusal(copy, monkeypatch)


@pytest.mark.parametrize("name", ["config.json", "special_tokens_map.json", "added_tokens.json"])
def test_an_extra_file_of_a_known_name(copy, monkeypatch, name):
    (copy / name).write_text("{}")
    assert f"{name}: not among the files that the manifest names" in refusal(copy, monkeypatch)


def test_a_folder_inside(copy, monkeypatch):
    (copy / "vocab.txt").mkdir()
    assert "only plain files" in refusal(copy, monkeypatch)


@pytest.mark.parametrize("name", ["model.skops", "manifest.json", "README.md"])
def test_a_symlink(copy, tmp_path, monkeypatch, name):
    outside = tmp_path / "outside"
    outside.write_bytes((copy / name).read_bytes() if (copy / name).is_file() else b"card")
    (copy / name).unlink(missing_ok=True)
    (copy / name).symlink_to(outside)
    assert f"{name}: a bundle may hold only plain files" in refusal(copy, monkeypatch)


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "sub/model.skops", "..", "model.pkl", ""])
def test_a_file_name_with_a_path(copy, tmp_path, monkeypatch, name):
    (tmp_path / "outside").write_text("x")
    change(copy, files={name: sha256_file(tmp_path / "outside")})
    assert f"names {name!r}, which no bundle may hold" in refusal(copy, monkeypatch)


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
@pytest.mark.parametrize("values", [{"auto_map": {"AutoModel": "x.Y"}}, {"a": [{"_target_": "os.system"}]}], ids=str)
def test_a_config_that_could_run_code(encoder_copy, monkeypatch, name, values):
    put(encoder_copy, name, **values)
    message = refusal(encoder_copy, monkeypatch)
    assert f"{name}: holds" in message
    assert "could run code" in message


def test_a_config_nested_without_end(encoder_copy, monkeypatch):
    (encoder_copy / "config.json").write_text('{"a": ' * 100_000)
    files = json.loads((encoder_copy / "manifest.json").read_text())["files"]
    change(encoder_copy, files=files | {"config.json": sha256_file(encoder_copy / "config.json")})
    assert "config.json: damaged" in refusal(encoder_copy, monkeypatch)


def test_an_oversized_manifest_is_not_read(copy, monkeypatch):
    with (copy / "manifest.json").open("ab") as stream:
        stream.truncate((1 << 22) + 1)
    assert "beyond what such a file can need" in refusal(copy, monkeypatch)


@pytest.mark.parametrize("parameters", [{"C": 1, "class_weight": None}, {"of_another_version": []}], ids=str)
def test_parameters_of_right_types_are_read(copy, parameters):
    kept = read_manifest(copy).estimator["parameters"]
    change(copy, estimator={"kind": "tfidf", "parameters": kept | parameters})
    assert Model(copy).predict("Shells hit the town.").label == "war"


def test_a_tfidf_model_of_other_views(copy):
    kept = read_manifest(copy).estimator["parameters"]
    change(copy, estimator={"kind": "tfidf", "parameters": kept | {"char_ngrams": 0}})
    with pytest.raises(BundleError, match="its n-grams are not those of the manifest's parameters"):
        Model(copy)


def test_a_tfidf_model_of_another_kind_of_task(copy, topic_task):
    change(copy, task=topic_task.to_dict() | {"kind": "multi"})
    with pytest.raises(BundleError, match="it holds a LogisticRegression, not the OneVsRestClassifier of the manifest"):
        Model(copy)


def test_a_tfidf_model_of_another_number_of_labels(tmp_path, multi_bundle, multi_task):
    folder = shutil.copytree(multi_bundle, tmp_path / "multi")
    task = multi_task.to_dict()
    change(folder, task=task | {"labels": task["labels"][:2]}, thresholds={})
    with pytest.raises(BundleError, match="it scores 3 labels, not the 2 of the manifest"):
        Model(folder)


class TestTagger:
    """The files of a tagger of actors."""

    @pytest.mark.parametrize("name", ["tagger.safetensors", "tagger.json"])
    def test_a_missing_one(self, finding_copy, monkeypatch, name):
        (finding_copy / name).unlink()
        assert f"{name}: missing" in refusal(finding_copy, monkeypatch)

    @pytest.mark.parametrize("name", ["tagger.safetensors", "tagger.json"])
    def test_a_damaged_one(self, finding_copy, monkeypatch, name):
        (finding_copy / name).write_bytes((finding_copy / name).read_bytes()[:-1])
        assert f"{name}: its content is not what the manifest says" in refusal(finding_copy, monkeypatch)

    @pytest.mark.parametrize("name", ["tagger.safetensors", "tagger.json"])
    def test_one_that_was_slipped_into_a_bundle_without(self, encoder_copy, finding_bundle, monkeypatch, name):
        shutil.copy(finding_bundle / name, encoder_copy)
        assert f"{name}: not among the files that the manifest names" in refusal(encoder_copy, monkeypatch)

    @pytest.mark.parametrize(
        "values", [{"auto_map": {"AutoModel": "x.Y"}}, {"encoder": {"auto_map": {"AutoConfig": "x.Y"}}}], ids=str
    )
    def test_a_config_that_could_run_code(self, finding_copy, monkeypatch, values):
        put(finding_copy, "tagger.json", **values)
        assert "tagger.json: holds auto_map, which could run code" in refusal(finding_copy, monkeypatch)

    def test_a_config_nested_without_end(self, finding_copy, monkeypatch):
        (finding_copy / "tagger.json").write_text("[" * 100_000)
        files = json.loads((finding_copy / "manifest.json").read_text())["files"]
        change(finding_copy, files=files | {"tagger.json": sha256_file(finding_copy / "tagger.json")})
        assert "tagger.json: damaged" in refusal(finding_copy, monkeypatch)

    def test_an_oversized_config_is_not_read(self, finding_copy, monkeypatch):
        with (finding_copy / "tagger.json").open("ab") as stream:
            stream.truncate((1 << 22) + 1)
        assert "beyond what such a file can need" in refusal(finding_copy, monkeypatch)

    def test_weights_under_a_pickles_name(self, finding_copy, monkeypatch):
        (finding_copy / "tagger.safetensors").rename(finding_copy / "tagger.bin")
        assert "tagger.bin: a bundle may hold only plain files of known names" in refusal(finding_copy, monkeypatch)

    def test_weights_that_are_a_pickle_are_refused_when_they_are_wanted(self, finding_copy):
        (finding_copy / "tagger.safetensors").write_bytes(pickle.dumps([1]))
        files = json.loads((finding_copy / "manifest.json").read_text())["files"]
        change(finding_copy, files=files | {"tagger.safetensors": sha256_file(finding_copy / "tagger.safetensors")})
        with pytest.raises(BundleError, match="the tagger of actors cannot be read"):
            Model(finding_copy, device="cpu").find_actors(["IS fled."])

    def test_its_fingerprint_is_the_bundles(self, finding_copy, finding_bundle):
        put(finding_copy, "tagger.json", max_length=16)
        assert read_manifest(finding_copy).fingerprint != read_manifest(finding_bundle).fingerprint


def test_labels_that_contradict_the_task_are_refused_on_loading(encoder_copy):
    put(encoder_copy, "config.json", id2label={"0": "gaining", "1": "losing", "2": "none"})
    with pytest.raises(BundleError, match=r"its labels .* are not the task's"):
        Model(encoder_copy)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"num_hidden_layers": 3}, "missing weights, such as bert.encoder.layer.2."),
        ({"num_hidden_layers": 1}, "unexpected weights, such as bert.encoder.layer.1."),
        ({"intermediate_size": 48}, "the weights cannot be read"),
    ],
    ids=str,
)
def test_a_config_of_other_weights_is_refused_on_loading(encoder_copy, values, told):
    put(encoder_copy, "config.json", **values)
    with pytest.raises(BundleError) as refused:
        Model(encoder_copy, device="cpu")
    assert told in str(refused.value) and "\n" not in str(refused.value)


def test_an_encoder_of_another_kind_of_task(encoder_copy):
    put(encoder_copy, "config.json", problem_type="multi_label_classification")
    with pytest.raises(BundleError, match=r"config\.json tells of multi_label_classification, the manifest of single_"):
        Model(encoder_copy, device="cpu")


def test_a_token_that_the_encoder_does_not_know(encoder_copy):
    tokenizer = json.loads((encoder_copy / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"]["ostra"] = 1_000_000
    put(encoder_copy, "tokenizer.json", model=tokenizer["model"])
    with pytest.raises(BundleError, match=r"does not know a token of its tokenizer\.json"):
        Model(encoder_copy, device="cpu").predict("IS met in Ostra.", actor="IS")


def test_weights_that_are_no_weights_are_refused_on_loading(encoder_copy):
    (encoder_copy / "model.safetensors").write_bytes(pickle.dumps([1]))
    files = json.loads((encoder_copy / "manifest.json").read_text())["files"]
    change(encoder_copy, files=files | {"model.safetensors": sha256_file(encoder_copy / "model.safetensors")})
    with pytest.raises(BundleError, match="the weights cannot be read"):
        Model(encoder_copy)


def test_a_manifest_without_the_weights_is_refused_on_loading(encoder_copy):
    (encoder_copy / "model.safetensors").unlink()
    files = json.loads((encoder_copy / "manifest.json").read_text())["files"]
    change(encoder_copy, files={name: digest for name, digest in files.items() if name != "model.safetensors"})
    with pytest.raises(BundleError, match="the weights cannot be read"):
        Model(encoder_copy)


def test_an_undamaged_copy_is_read(copy, topic_task):
    assert read_manifest(copy).task == topic_task
