from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from conflictnlp.errors import BundleError
from conflictnlp.files import sha256_file
from conflictnlp.inference import Model
from conflictnlp.inference.runtimes import onnx_file
from conflictnlp.inference.runtimes.onnx_file import read_model


def model(*nodes: onnx.NodeProto, weights=(), opset: int = 18, domains=(), **parts) -> onnx.ModelProto:
    """A graph that gives its input back, and what a test adds to it."""
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"]), *nodes], "g", [value], [result], weights)
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    return helper.make_model(graph, opset_imports=opsets, **parts)


def elsewhere(location: str = "/etc/passwd") -> TensorProto:
    tensor = numpy_helper.from_array(np.ones(1, np.float32), "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return tensor


def refusal(tmp_path: Path, content: onnx.ModelProto | bytes) -> str:
    path = tmp_path / "model.onnx"
    path.write_bytes(content if isinstance(content, bytes) else content.SerializeToString())
    with pytest.raises(BundleError) as told:
        read_model(path)
    assert str(told.value).startswith(f"{path}: ")
    return str(told.value)


def test_what_is_read_is_the_file_itself(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(model(weights=[numpy_helper.from_array(np.ones(3, np.float32), "w")]).SerializeToString())
    assert read_model(path) == path.read_bytes()


@pytest.mark.parametrize("location", ["/etc/passwd", "../secret.bin", "weights.bin"])
def test_a_weight_kept_in_another_file(tmp_path, location):
    assert "keeps weights in another file" in refusal(tmp_path, model(weights=[elsewhere(location)]))


def test_a_place_in_another_file_on_a_tensor_that_does_not_say_so(tmp_path):
    tensor = elsewhere()
    tensor.data_location = TensorProto.DEFAULT
    assert "keeps weights in another file" in refusal(tmp_path, model(weights=[tensor]))


def test_a_constant_kept_in_another_file(tmp_path):
    assert "in another file" in refusal(tmp_path, model(helper.make_node("Constant", [], ["c"], value=elsewhere())))


def test_a_weight_of_a_branch_kept_in_another_file(tmp_path):
    branch = helper.make_graph([], "b", [], [], [elsewhere()])
    node = helper.make_node("If", ["x"], ["z"], then_branch=branch, else_branch=branch)
    assert "in another file" in refusal(tmp_path, model(node))


def test_a_sparse_weight_kept_in_another_file(tmp_path):
    sparse = onnx.SparseTensorProto(values=elsewhere(), dims=[1])
    proto = model()
    proto.graph.sparse_initializer.append(sparse)
    assert "in another file" in refusal(tmp_path, proto)


def test_operators_of_a_domain_of_their_own(tmp_path):
    assert "the domain 'my.ops'" in refusal(tmp_path, model(domains=["my.ops"]))


def test_an_operator_of_a_domain_that_the_file_does_not_declare(tmp_path):
    node = helper.make_node("Run", ["x"], ["z"], domain="my.ops")
    assert "the operator 'Run' of the domain 'my.ops'" in refusal(tmp_path, model(node))


def test_an_operator_that_names_compiled_code(tmp_path):
    node = helper.make_node("EPContext", [], ["z"], domain="com.microsoft", ep_cache_context="/tmp/code.bin")
    assert "EPContext" in refusal(tmp_path, model(node, domains=["com.microsoft"]))


def test_functions_of_its_own(tmp_path):
    function = helper.make_function("", "F", ["a"], ["b"], [helper.make_node("Identity", ["a"], ["b"])], [])
    assert "functions of its own" in refusal(tmp_path, model(functions=[function]))


@pytest.mark.parametrize("opset", [7, 99])
def test_an_opset_that_this_version_does_not_read(tmp_path, opset):
    assert f"is of opset {opset}; this version reads 14 to 23" in refusal(tmp_path, model(opset=opset))


def test_graphs_within_graphs(tmp_path):
    graph = helper.make_graph([], "g", [], [])
    for _ in range(20):
        node = helper.make_node("If", ["x"], ["z"], then_branch=graph)
        graph = helper.make_graph([node], "g", [], [])
    assert "graphs within graphs" in refusal(
        tmp_path, helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    )


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x80\x04pickle", b"\x3a\xff\xff\xff\xff\x0f", b"\xff" * 40])
def test_what_is_no_onnx_file(tmp_path, content):
    assert "damaged, or no ONNX file" in refusal(tmp_path, content)


def test_a_file_cut_short(tmp_path):
    assert "damaged" in refusal(tmp_path, model().SerializeToString()[:-3])


def test_a_file_larger_than_any_can_be(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_file, "LARGEST", 10)
    assert "more than an ONNX file can hold" in refusal(tmp_path, model())


def test_onnx_runtime_opens_nothing_of_a_bundle_that_is_refused(tmp_path, onnx_bundle, monkeypatch):
    folder = shutil.copytree(onnx_bundle, tmp_path / "copy")
    (folder / "model.onnx").write_bytes(model(weights=[elsewhere()]).SerializeToString())
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["model.onnx"] = sha256_file(folder / "model.onnx")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *_, **__: pytest.fail("it was opened"))
    with pytest.raises(BundleError, match="keeps weights in another file, which a bundle may not; nothing was loaded"):
        Model(folder)
