from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from conflictnlp.data.example import Example, Span
from conflictnlp.errors import BundleError, InputError
from conflictnlp.export.bundle import export_onnx
from conflictnlp.files import sha256_file
from conflictnlp.inference import Model
from conflictnlp.inference.runtimes.graph import _threads
from conflictnlp.inference.runtimes.onnx import MODEL

SHORT = "On Monday IS advanced on Ostra."
LONG = " ".join(f"On day {number} IS advanced on Ostra and FARC met near Velm." for number in range(12))
TEXTS = [SHORT, LONG, "IS met.", f"Rain fell. {SHORT}", LONG[:200]]


@pytest.fixture
def copy(tmp_path, onnx_bundle) -> Path:
    return shutil.copytree(onnx_bundle, tmp_path / "copy")


def change(folder: Path, **values) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["estimator"]["parameters"] |= values
    path.write_text(json.dumps(manifest))


def test_probabilities_are_those_of_torch_in_batches_of_unequal_lengths(encoder_bundle, onnx_bundle):
    texts = TEXTS * 30
    expected, found = (Model(folder).predict_proba(texts, actor="IS") for folder in (encoder_bundle, onnx_bundle))
    assert found.shape == (150, 3)
    assert np.abs(found - expected).max() < 1e-5


def test_a_text_is_read_in_the_same_windows(encoder_bundle, onnx_bundle):
    expected, found = (Model(folder).predict(LONG, actor="IS") for folder in (encoder_bundle, onnx_bundle))
    assert len(found.evidence) > 2
    assert [(item.start, item.end) for item in found.evidence] == [(i.start, i.end) for i in expected.evidence]


def test_an_int8_answer_does_not_depend_on_its_neighbours(int8_bundle):
    model = Model(int8_bundle)
    together = model.predict_proba(TEXTS, actor="IS")
    alone = np.vstack([model.predict_proba([text], actor="IS") for text in TEXTS])
    assert np.array_equal(together, alone)


def test_an_int8_graph_takes_windows_one_by_one_and_so_no_mask(onnx_bundle, int8_bundle):
    for folder, inputs in ((onnx_bundle, ["input_ids", "attention_mask"]), (int8_bundle, ["input_ids"])):
        session = onnxruntime.InferenceSession(folder / MODEL)
        assert [item.name for item in session.get_inputs()] == inputs


def test_an_int8_graph_with_a_mask_is_read_too(copy):
    expected = Model(copy).predict_proba([SHORT], actor="IS")
    change(copy, precision="int8")
    assert np.array_equal(Model(copy).predict_proba([SHORT], actor="IS"), expected)


def test_half_a_character_is_replaced(onnx_bundle):
    assert Model(onnx_bundle).predict(f"{SHORT} \ud83d", actor="IS").error is None


@pytest.mark.parametrize("device", ["cuda", "cuda:1", "mps"])
def test_a_device_that_this_runtime_lacks(onnx_bundle, device):
    with pytest.raises(InputError, match=f"device={device}: not available here .*; use device=cpu"):
        Model(onnx_bundle, device=device)


def test_threads_are_those_that_torch_would_take(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert _threads() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert _threads() >= 1


def test_a_graph_of_another_number_of_labels(copy):
    path = copy / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["task"]["labels"].append({"name": "more", "definition": "one more"})
    path.write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="they must be of 4 labels"):
        Model(copy)


def test_a_background_that_is_no_label(copy):
    change(copy, background="peace")
    with pytest.raises(BundleError, match="the manifest's parameters are damaged"):
        Model(copy)


@pytest.mark.parametrize("values", [{"pad_id": None}, {"max_length": "long"}, {"overlap": True}], ids=str)
def test_parameters_of_wrong_types(copy, values):
    change(copy, **values)
    ((name, value),) = values.items()
    with pytest.raises(BundleError, match=rf"manifest\.json: damaged \({name}={value!r}\)"):
        Model(copy)


def write_tokenizer(folder: Path, values: dict) -> None:
    (folder / "tokenizer.json").write_text(json.dumps(values))
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"]["tokenizer.json"] = sha256_file(folder / "tokenizer.json")
    path.write_text(json.dumps(manifest))


def test_a_damaged_tokenizer(copy):
    write_tokenizer(copy, {})
    with pytest.raises(BundleError, match="the tokenizer cannot be read"):
        Model(copy)


def test_a_tokenizer_that_leaves_nothing_of_a_text(copy):
    values = json.loads((copy / "tokenizer.json").read_text())
    everything = {"type": "Replace", "pattern": {"Regex": "."}, "content": ""}
    write_tokenizer(copy, values | {"normalizer": everything})
    with pytest.raises(InputError, match=r"tokenizer\.json: makes no tokens of a text"):
        Model(copy)


def test_a_token_that_the_graph_does_not_know(copy):
    values = json.loads((copy / "tokenizer.json").read_text())
    values["model"]["vocab"]["ostra"] = 1_000_000
    write_tokenizer(copy, values)
    with pytest.raises(BundleError, match=r"model\.onnx: ONNX Runtime cannot score with it \(.*1000000"):
        Model(copy).predict(SHORT, actor="IS")


def test_windows_longer_than_the_graph_reads(tmp_path, int8_bundle):
    folder = shutil.copytree(int8_bundle, tmp_path / "copy")
    change(folder, max_length=10**9)
    with pytest.raises(BundleError, match=r"model\.onnx: ONNX Runtime cannot score with it"):
        Model(folder).predict(LONG, actor="IS")


def test_windows_with_a_background_give_the_labels_of_torch(tmp_path, encoder_bundle):
    folders = []
    for number, background in enumerate((None, "none")):
        source = shutil.copytree(encoder_bundle, tmp_path / f"torch{number}")
        change(source, background=background)
        row = Example("row 1", "1", LONG, spans=(("actor", Span("IS")),))
        export_onnx(Model(source, device="cpu"), tmp_path / f"onnx{number}", "one row", [row])
        folders.append((source, tmp_path / f"onnx{number}"))
    plain, pooled = ([Model(folder).predict_proba(TEXTS, actor="IS") for folder in pair] for pair in folders)
    assert np.abs(pooled[0] - pooled[1]).max() < 1e-5
    assert pooled[0].argmax(axis=1).tolist() == pooled[1].argmax(axis=1).tolist()
    assert np.abs(pooled[0][1] - plain[0][1]).max() > 0.01
