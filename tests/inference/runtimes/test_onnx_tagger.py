from __future__ import annotations

import json
import shutil
from itertools import chain
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from conflictnlp.data.example import Example, Span
from conflictnlp.errors import BundleError, InputError
from conflictnlp.export.bundle import export_onnx
from conflictnlp.files import sha256_file
from conflictnlp.inference import Model
from tests.inference.runtimes.test_onnx_file import elsewhere, model

TEXT = "On Monday IS advanced on Ostra. On Tuesday FARC fled from Velm."
LONG = " ".join(f"On day {number} IS advanced on Ostra and FARC met near Velm." for number in range(12))
TEXTS = [TEXT, LONG, "", "Rain fell on Karth all day.", " \n", f"{TEXT} \ud83d {TEXT}"]


@pytest.fixture
def copy(tmp_path, onnx_tagger_bundle) -> Path:
    return shutil.copytree(onnx_tagger_bundle, tmp_path / "copy")


def replace(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name] = sha256_file(folder / name)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_it_finds_the_mentions_that_torch_finds(tagger_bundle, onnx_tagger_bundle):
    expected, found = (Model(folder).tagger.find(TEXTS) for folder in (tagger_bundle, onnx_tagger_bundle))
    assert [TEXT[mention.start : mention.end] for mention in expected[0]] == ["IS", "FARC"]
    assert [[(m.start, m.end) for m in own] for own in found] == [[(m.start, m.end) for m in own] for own in expected]
    pairs = zip(chain(*expected), chain(*found), strict=True)
    assert max(abs(one.probability - other.probability) for one, other in pairs) < 1e-5


def test_it_scores_the_tokens_of_the_same_windows(tagger_bundle, onnx_tagger_bundle):
    expected, found = (list(Model(folder).tagger.score(TEXTS)) for folder in (tagger_bundle, onnx_tagger_bundle))
    assert len(expected) > len(TEXTS)
    for (number, window, chances), (other, own, values) in zip(expected, found, strict=True):
        assert (number, window) == (other, own)
        assert np.abs(chances - values).max() < 1e-5


def test_an_exported_bundle_holds_both_graphs(onnx_tagger_bundle):
    names = {path.name for path in onnx_tagger_bundle.iterdir()}
    assert names == {"README.md", "manifest.json", "model.onnx", "tagger.json", "tagger.onnx", "tokenizer.json"}
    parity = Model(onnx_tagger_bundle).manifest.export["tagger_parity"]
    assert (parity["texts"], parity["equal_mentions"], parity["shared_mentions"]) == (1, 1, 1)
    assert parity["largest_difference"] < 1e-5


def test_an_int8_tagger_does_not_depend_on_its_neighbours(tmp_path, tagger_bundle):
    row = Example("row 1", "1", TEXT, spans=(("actor", Span("IS")),))
    export_onnx(Model(tagger_bundle, device="cpu"), tmp_path / "int8", "one row", [row] * 1000, int8=True)
    tagger = Model(tmp_path / "int8").tagger
    assert tagger.find(TEXTS) == [tagger.find([text])[0] for text in TEXTS]
    assert (tmp_path / "int8" / "tagger.onnx").stat().st_size < (tagger_bundle / "model.safetensors").stat().st_size


def test_actors_are_found_and_asked_about(onnx_tagger_bundle):
    loaded = Model(onnx_tagger_bundle)
    assert loaded.finds_actors
    assert [[party.name for party in own] for own in loaded.find_actors([TEXT])] == [["IS", "FARC"]]


def test_a_bundle_without_a_tagger_finds_nobody(onnx_bundle):
    assert not Model(onnx_bundle).finds_actors
    with pytest.raises(InputError, match="finds no actors by itself"):
        Model(onnx_bundle).find_actors([TEXT])


def test_a_graph_with_weights_elsewhere_is_not_opened(copy, monkeypatch):
    replace(copy, "tagger.onnx", model(weights=[elsewhere()]).SerializeToString())
    loaded = Model(copy)
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *_, **__: pytest.fail("it was opened"))
    with pytest.raises(BundleError, match=r"tagger\.onnx: keeps weights in another file"):
        loaded.find_actors([TEXT])


def test_a_graph_that_scores_windows_is_no_tagger(copy):
    replace(copy, "tagger.onnx", (copy / "model.onnx").read_bytes())
    with pytest.raises(BundleError, match=r"tagger\.onnx: its scores have the shape .*; they must be of 5 labels"):
        Model(copy).find_actors([TEXT])


@pytest.mark.parametrize("content", [b"{}", b"[]", b'{"max_length": "long"}'])
def test_damaged_settings(copy, content):
    replace(copy, "tagger.json", content)
    with pytest.raises(BundleError, match=r"tagger\.json: damaged \(.*\); export the model again"):
        Model(copy).find_actors([TEXT])


def test_windows_without_room_for_a_token(copy):
    replace(copy, "tagger.json", b'{"max_length": 2}')
    with pytest.raises(InputError, match=r"tagger\.max_length=2: leaves no room"):
        Model(copy).find_actors([TEXT])


def test_a_tagger_that_the_manifest_does_not_name(tmp_path, onnx_bundle, onnx_tagger_bundle):
    folder = shutil.copytree(onnx_bundle, tmp_path / "copy")
    shutil.copyfile(onnx_tagger_bundle / "tagger.onnx", folder / "tagger.onnx")
    with pytest.raises(BundleError, match=r"tagger\.onnx: not among the files that the manifest names"):
        Model(folder)
