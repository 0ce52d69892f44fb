"""Bundles made to harm whoever loads them: nothing of them is loaded or run, and one line says why.

Each attack is tried on every kind of bundle that it fits, and its manifest agrees with it, as an attacker's would.
"""

from __future__ import annotations

import json
import pickle
import shutil
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import skops.io

from conflictnlp.errors import BundleError
from conflictnlp.files import sha256_file
from conflictnlp.inference import Model
from conflictnlp.models.classifier import new_classifier
from tests.commands.conftest import say

EVERY = ("topic_bundle", "encoder_bundle", "onnx_bundle")
WITH_TOKENIZER = ("encoder_bundle", "onnx_bundle", "onnx_tagger_bundle")
Refusal = Callable[[Path], str]


class Trap:
    """Leaves a file behind when a loader runs what came with it."""

    def __init__(self, trace: Path) -> None:
        self.trace = str(trace)

    def __reduce__(self) -> Any:
        return Path.touch, (Path(self.trace),)

    def __setstate__(self, state: dict[str, str]) -> None:
        Path(state["trace"]).touch()


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    return tmp_path / "trace"


@pytest.fixture
def commanded(tmp_path: Path) -> Refusal:
    """Return the line with which the command refuses a bundle."""

    def told(folder: Path) -> str:
        (tmp_path / "article.txt").write_text("IS advanced on Ostra.")
        return say("predict", str(folder), str(tmp_path / "article.txt")).refusal

    return told


@pytest.fixture
def refusal(commanded: Refusal, trace: Path, monkeypatch: pytest.MonkeyPatch) -> Refusal:
    """Return the line with which Python and the command refuse a bundle whose weights no library may open."""

    def told(folder: Path, *opened: str) -> str:
        for name in opened or ("conflictnlp.inference.model.open_runtime",):
            monkeypatch.setattr(name, lambda *_, **__: pytest.fail("the weights were opened"))
        with pytest.raises(BundleError) as refused:
            Model(folder)
        assert commanded(folder) == str(refused.value)
        assert not trace.exists()
        return str(refused.value)

    return told


@pytest.fixture
def copied(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[str], Path]:
    return lambda name: shutil.copytree(request.getfixturevalue(name), tmp_path / "bundle")


def name_in_manifest(folder: Path, *paths: str) -> None:
    """Let the manifest vouch for files, wherever they lie."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] |= {path: sha256_file(folder / path) for path in paths}
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pkl", "model.joblib", "scheduler.pt", "data.pickle"])
@pytest.mark.parametrize("kind", EVERY)
def test_a_pickle(copied, refusal: Refusal, trace: Path, kind: str, name: str) -> None:
    folder = copied(kind)
    (folder / name).write_bytes(pickle.dumps(Trap(trace)))
    name_in_manifest(folder, name)
    assert f"{name}: a bundle may hold only plain files of known names; nothing was loaded" in refusal(folder)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("topic_bundle", "model.skops"), ("encoder_bundle", "model.safetensors"), ("onnx_bundle", "model.onnx")],
)
def test_a_pickle_under_the_weights_name(copied, commanded: Refusal, trace: Path, kind: str, name: str) -> None:
    folder = copied(kind)
    (folder / name).write_bytes(pickle.dumps(Trap(trace)))
    name_in_manifest(folder, name)
    with pytest.raises(BundleError, match=r"damaged|cannot be read") as refused:
        Model(folder, device="cpu")
    assert commanded(folder) == str(refused.value)
    assert not trace.exists()


def test_a_skops_file_with_a_type_of_its_own(copied, commanded: Refusal, trace: Path) -> None:
    folder = copied("topic_bundle")
    skops.io.dump({"views": {}, "classifier": Trap(trace)}, folder / "model.skops")
    name_in_manifest(folder, "model.skops")
    with pytest.raises(BundleError, match=r"refused: Untrusted types found in the file: .*Trap"):
        Model(folder)
    assert "Untrusted types" in commanded(folder)
    assert not trace.exists()


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("name", ["../outside", "{absolute}", "sub/../../outside"])
def test_a_manifest_that_points_outside_its_folder(
    copied, refusal: Refusal, tmp_path: Path, kind: str, name: str
) -> None:
    folder = copied(kind)
    (tmp_path / "outside").write_text("a secret")
    name = name.format(absolute=tmp_path / "outside")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] |= {name: sha256_file(tmp_path / "outside")}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert f"names {name!r}, which no bundle may hold" in refusal(folder)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("topic_bundle", "model.skops"), ("encoder_bundle", "model.safetensors"), ("onnx_bundle", "tokenizer.json")],
)
def test_a_link_to_a_file_outside(copied, refusal: Refusal, tmp_path: Path, kind: str, name: str) -> None:
    folder = copied(kind)
    (folder / name).rename(tmp_path / "outside")
    (folder / name).symlink_to(tmp_path / "outside")
    assert f"{name}: a bundle may hold only plain files" in refusal(folder)


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("key", ["_target_", "auto_map", "quantization_config"])
def test_a_config_that_names_code(copied, refusal: Refusal, kind: str, key: str) -> None:
    folder = copied(kind)
    path = folder / "config.json"
    values = json.loads(path.read_text()) if path.is_file() else {}
    path.write_text(json.dumps(values | {"head": [{key: "os.system"}]}))
    name_in_manifest(folder, "config.json")
    assert f"config.json: holds {key}, which could run code; nothing was loaded" in refusal(folder)


@pytest.mark.parametrize("key", ["attn_implementation", "_attn_implementation", "experts_implementation"])
@pytest.mark.parametrize("kind", EVERY)
def test_a_config_that_names_a_kernel_of_the_hub(copied, refusal: Refusal, kind: str, key: str) -> None:
    folder = copied(kind)
    path = folder / "config.json"
    values = json.loads(path.read_text()) if path.is_file() else {}
    path.write_text(json.dumps(values | {key: "kernels-community/flash-attn2"}))
    name_in_manifest(folder, "config.json")
    assert f"config.json: holds {key}, which could run code; nothing was loaded" in refusal(folder)


def test_an_encoders_config_that_names_a_kernel_is_not_heeded(tiny_encoder, tmp_path) -> None:
    folder = shutil.copytree(tiny_encoder, tmp_path / "encoder")
    values = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(values | {"attn_implementation": "kernels-community/flash-attn2"}))
    model, _ = new_classifier(folder, ["war", "deal"], False)
    assert model.config._attn_implementation in ("eager", "sdpa")


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("key", ["_target_", "auto_map"])
def test_a_manifest_that_names_code(copied, refusal: Refusal, kind: str, key: str) -> None:
    folder = copied(kind)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["training"] |= {"model": {key: "os.system"}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert f"manifest.json: holds {key}, which could run code; nothing was loaded" in refusal(folder)


@pytest.mark.parametrize(("kind", "name"), [("onnx_bundle", "model.onnx"), ("onnx_tagger_bundle", "tagger.onnx")])
def test_an_onnx_file_with_weights_elsewhere(
    copied, commanded: Refusal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str, name: str
) -> None:
    import onnx

    folder = copied(kind)
    model = onnx.load(folder / name)
    weight = next(tensor for tensor in model.graph.initializer if tensor.raw_data)
    (tmp_path / "outside").write_bytes(weight.raw_data)
    weight.ClearField("raw_data")
    weight.data_location = onnx.TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="../outside")
    (folder / name).write_bytes(model.SerializeToString())
    name_in_manifest(folder, name)
    own = onnxruntime.InferenceSession
    intact = (folder / "model.onnx").read_bytes() if name != "model.onnx" else b""

    def opened(content: bytes, *arguments: Any, **named: Any) -> Any:
        assert content == intact, "it was opened"
        return own(content, *arguments, **named)

    monkeypatch.setattr(onnxruntime, "InferenceSession", opened)
    with pytest.raises(BundleError, match="keeps weights in another file, which a bundle may not; nothing was loaded"):
        Model(folder, device="cpu").find_actors(["IS fled."])
    assert f"{name}: keeps weights in another file" in commanded(folder)


@pytest.mark.parametrize("kind", WITH_TOKENIZER)
def test_an_enormous_tokenizer(copied, refusal: Refusal, kind: str) -> None:
    folder = copied(kind)
    with (folder / "tokenizer.json").open("ab") as stream:
        stream.truncate((1 << 28) + 1)
    assert "tokenizer.json: 268435457 bytes is beyond what such a file can need" in refusal(folder)


@pytest.mark.parametrize("name", ["vocab.txt", "merges.txt", "added_tokens.json", "README.md", "metrics.json"])
def test_another_enormous_file(copied, refusal: Refusal, name: str) -> None:
    folder = copied("encoder_bundle")
    with (folder / name).open("ab") as stream:
        stream.truncate(1 << 27)
    assert f"{name}: 134217728 bytes is beyond what such a file can need" in refusal(folder)


class TestArchive:
    """A skops file is a zip archive."""

    @pytest.fixture
    def packed(self, copied) -> Callable[..., Path]:
        """A bundle whose skops file was packed anew: its own entries and others."""

        def repack(compression: int = zipfile.ZIP_STORED, **entries: bytes) -> Path:
            folder = copied("topic_bundle")
            path = folder / "model.skops"
            with zipfile.ZipFile(path) as archive:
                own = {name: archive.read(name) for name in archive.namelist()}
            with zipfile.ZipFile(path, "w", compression) as archive:
                for name, content in (own | entries).items():
                    archive.writestr(name, content)
            name_in_manifest(folder, "model.skops")
            return folder

        return repack

    def test_one_packed_as_this_package_does_is_read(self, packed) -> None:
        assert Model(packed()).predict("Troops stormed the town.").label == "war"

    def test_an_enormous_entry(self, packed, refusal: Refusal) -> None:
        folder = packed(zipfile.ZIP_DEFLATED, **{"1.npy": bytes(1 << 26)})
        assert (folder / "model.skops").stat().st_size < 1 << 20
        assert "is packed, and would unpack to" in refusal(folder, "skops.io.load")

    def test_an_enormous_schema(self, packed, refusal: Refusal, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("conflictnlp.models.skops_file._LARGEST_SCHEMA", 100)
        assert "is beyond what such a file can need" in refusal(packed(), "skops.io.load")

    def test_an_archive_within_the_archive(self, packed, refusal: Refusal) -> None:
        told = refusal(packed(**{"1.npz": b"PK"}), "skops.io.load")
        assert "its entry '1.npz' is neither schema.json nor an array; nothing was loaded" in told

    def test_entries_that_share_their_bytes(self, packed, refusal: Refusal) -> None:
        folder = packed(**{"1.npy": bytes(1 << 16)})
        path = folder / "model.skops"
        with zipfile.ZipFile(path) as archive:
            (entry,) = (found for found in archive.infolist() if found.filename == "1.npy")
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("2.npy", b"")
            archive.NameToInfo["2.npy"].header_offset = entry.header_offset
            archive.NameToInfo["2.npy"].file_size = archive.NameToInfo["2.npy"].compress_size = entry.file_size
        name_in_manifest(folder, "model.skops")
        assert "together larger than the file" in refusal(folder, "skops.io.load")

    def test_an_array_that_is_a_pickle(self, packed, topic_bundle: Path, trace: Path) -> None:
        stream = BytesIO()
        np.save(stream, np.array([Trap(trace)], dtype=object), allow_pickle=True)
        with zipfile.ZipFile(topic_bundle / "model.skops") as archive:
            arrays = [name for name in archive.namelist() if name.endswith(".npy")]
        assert arrays
        folder = packed(**dict.fromkeys(arrays, stream.getvalue()))
        with pytest.raises(BundleError, match="refused: Object arrays cannot be loaded when allow_pickle=False"):
            Model(folder)
        assert not trace.exists()
