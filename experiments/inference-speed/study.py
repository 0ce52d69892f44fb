"""What makes scoring fast on a CPU: graph, quantisation, runtime, batches and threads, one at a time.

python experiments/inference-speed/study.py BUNDLE [--rounds 5] [--texts 64] [--output FILE]

BUNDLE is a trained encoder of a task without marked actors. OpenVINO is tried where openvino and nncf are installed.
Each way of scoring runs in a process of its own, in turn, on the same token ids of 250-token articles; medians.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

WORDS, LONGEST = 190, 256  # 190 English words are about 250 tokens.
Feed = dict[str, np.ndarray]
Score = Callable[[Feed], np.ndarray]


def main() -> None:
    """Make the graphs, time every way, write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--texts", type=int, default=64)
    parser.add_argument("--output", type=Path, default=Path("outputs/inference-speed.csv"))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(**json.loads(options.one))))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ids = article_ids(options.bundle, options.texts)
        (folder / "ids.json").write_text(json.dumps(ids))
        make_graphs(options.bundle, ids, folder)
        rows = compare(ways(options.bundle, folder), folder, options.rounds)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    with options.output.open("w", newline="") as stream:
        table = csv.DictWriter(stream, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    for row in rows:
        print(" | ".join(str(value) for value in row.values()))


def article_ids(bundle: Path, texts: int) -> list[list[int]]:
    """Cut the sample's words into articles and tokenise them."""
    from tokenizers import Tokenizer

    from conflictnlp.data.sample import sample_texts

    words = [word for split in ("train", "test") for record in sample_texts(split) for word in record["text"].split()]
    tokenizer = Tokenizer.from_file(str(bundle / "tokenizer.json"))
    tokenizer.enable_truncation(LONGEST)
    tokenizer.no_padding()
    articles = [" ".join(words[(at * WORDS) % (len(words) - WORDS) :][:WORDS]) for at in range(texts)]
    return [encoding.ids for encoding in tokenizer.encode_batch(articles)]


def make_graphs(bundle: Path, ids: Sequence[Sequence[int]], folder: Path) -> None:
    """Write the encoder as the graphs that are compared."""
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.transformers.optimizer import optimize_model
    from transformers import AutoConfig, AutoModelForSequenceClassification

    from conflictnlp.export.graph import write_graph

    def model() -> Any:
        return AutoModelForSequenceClassification.from_pretrained(bundle)

    config = AutoConfig.from_pretrained(bundle)
    write_graph(model(), 0, folder / "float.onnx", LONGEST)
    write_graph(model(), 0, folder / "dynamic.onnx", LONGEST, ids[:24])
    fused = optimize_model(
        str(folder / "float.onnx"), "bert", num_heads=config.num_attention_heads, hidden_size=config.hidden_size
    )
    fused.save_model_to_file(str(folder / "fused.onnx"))
    # As the package itself quantises, but for one thing each.
    settings = {"weight_type": QuantType.QInt8, "reduce_range": True, "extra_options": {"DefaultTensorType": 1}}
    quantize_dynamic(folder / "float.onnx", folder / "masked.onnx", per_channel=True, **settings)
    quantize_dynamic(folder / "float.onnx", folder / "masked-matrix.onnx", per_channel=False, **settings)
    quantize_dynamic(folder / "fused.onnx", folder / "masked-fused.onnx", per_channel=True, **settings)
    quantize_statically(ids, folder)
    if importlib.util.find_spec("openvino") and importlib.util.find_spec("nncf"):
        quantize_for_openvino(ids, folder)


def quantize_statically(ids: Sequence[Sequence[int]], folder: Path) -> None:
    """Write a graph whose activations have fixed scales, taken from the articles."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Articles(CalibrationDataReader):  # type: ignore[misc]
        """Hand out articles one by one."""

        def __init__(self) -> None:
            self._left = iter(ids[:24])

        def get_next(self) -> Feed | None:
            """Return the next feed, or None."""
            return next((feed([article]) for article in self._left), None)

    quantize_static(
        folder / "float.onnx",
        folder / "static.onnx",
        Articles(),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["MatMul", "Gemm"],
        extra_options={"DefaultTensorType": 1, "MatMulConstBOnly": True},
    )


def quantize_for_openvino(ids: Sequence[Sequence[int]], folder: Path) -> None:
    """Write OpenVINO's own int8 graph with fixed scales (NNCF)."""
    import nncf
    import openvino

    source = openvino.Core().read_model(folder / "float.onnx")
    articles = nncf.Dataset([feed([article]) for article in ids[:24]])
    openvino.save_model(
        nncf.quantize(source, articles, model_type=nncf.ModelType.TRANSFORMER, subset_size=24), folder / "static.xml"
    )


def ways(bundle: Path, folder: Path) -> dict[str, dict[str, Any]]:
    """Name what is compared: after the plain ways, each takes one step back from, or beside, the way in use."""
    cores = len(os.sched_getaffinity(0))
    one = {"runtime": "onnxruntime", "batch": 1, "threads": cores, "streams": 1}
    many = {**one, "threads": 1, "streams": cores}
    int8 = {**many, "graph": "dynamic.onnx"}
    masked = {**many, "graph": "masked.onnx"}
    found: dict[str, dict[str, Any]] = {
        "torch float32, 8 articles a batch": {**one, "runtime": "torch", "graph": str(bundle), "batch": 8},
        "float32, not fused": {**one, "graph": "float.onnx", "fuse": False},
        "float32, threads within an article": {**one, "graph": "float.onnx"},
        "float32, articles side by side": {**many, "graph": "float.onnx"},
        "float32, fused beforehand": {**many, "graph": "fused.onnx"},
        "dynamic int8, as exported": int8,
        "dynamic int8, threads within an article": {**int8, "threads": cores, "streams": 1},
        "dynamic int8, one thread": {**int8, "streams": 1},
        "dynamic int8, skip layers fused": {**int8, "skip": True},
        "dynamic int8 with a mask": masked,
        "with a mask, 2 articles a batch": {**masked, "batch": 2},
        "with a mask, 8 articles a batch": {**masked, "batch": 8},
        "with a mask, one scale a matrix": {**masked, "graph": "masked-matrix.onnx"},
        "with a mask, fused beforehand": {**masked, "graph": "masked-fused.onnx"},
        "static int8 with a mask": {**many, "graph": "static.onnx"},
    }
    if (folder / "static.xml").is_file():
        openvino = {**one, "runtime": "openvino", "streams": cores}
        found["OpenVINO float32"] = {**openvino, "graph": "float.onnx"}
        if any(flag in cpu_flags() for flag in ("avx512_bf16", "amx_bf16")):
            # Elsewhere it is emulated: slower than float32 by a factor of thirty.
            found["OpenVINO bfloat16"] = {**openvino, "graph": "float.onnx", "precision": "bf16"}
            found["OpenVINO static int8, bfloat16 beside"] = {**openvino, "graph": "static.xml", "precision": "bf16"}
        found["OpenVINO static int8"] = {**openvino, "graph": "static.xml"}
        found["OpenVINO static int8, 4 articles a batch"] = {**openvino, "graph": "static.xml", "batch": 4}
    return found


def cpu_flags() -> list[str]:
    """Return the instruction sets of this processor as Linux names them; nothing elsewhere."""
    path = Path("/proc/cpuinfo")
    return path.read_text().split() if path.is_file() else []


def compare(found: dict[str, dict[str, Any]], folder: Path, rounds: int) -> list[dict[str, Any]]:
    """Run every way in turn, round by round."""
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in found}
    for number in range(rounds):
        for name, settings in found.items():
            words = json.dumps({**settings, "folder": str(folder)})
            environment = {**os.environ, "OMP_NUM_THREADS": str(settings["threads"]), "HF_HUB_OFFLINE": "1"}
            command = [sys.executable, __file__, ".", "--one", words]
            done = subprocess.run(command, capture_output=True, text=True, env=environment)
            if done.returncode:
                print(f"{name}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
                continue
            runs[name].append(json.loads(done.stdout.splitlines()[-1]))
            print(f"round {number + 1}: {name} {runs[name][-1]['per_second']:.1f}", file=sys.stderr)
    return [told(name, own, next(iter(runs.values()))) for name, own in runs.items() if own]


def told(name: str, own: Sequence[dict[str, Any]], first: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return a row of the table: medians, and what differs from torch."""
    speeds = [run["per_second"] for run in own]
    ratios = [a["per_second"] / b["per_second"] for a, b in zip(own, first, strict=False)]
    logits, truth = np.array(own[0]["logits"]), np.array(first[0]["logits"])
    return {
        "way": name,
        "articles a second": round(statistics.median(speeds), 1),
        "range": f"{min(speeds):.1f} to {max(speeds):.1f}",
        "ratio": round(statistics.median(ratios), 2),
        "equal labels": f"{(logits.argmax(1) == truth.argmax(1)).mean():.1%}",
        "largest difference of logits": f"{abs(logits - truth).max():.3f}",
    }


def measure(
    runtime: str, graph: str, folder: str, batch: int, threads: int, streams: int, **settings: Any
) -> dict[str, Any]:
    """Time one way in this process: the best of three passes after a first one."""
    ids = json.loads((Path(folder) / "ids.json").read_text())
    score = OPEN[runtime](str(Path(folder) / graph), threads, streams, **settings)
    feeds = [feed(ids[first : first + batch]) for first in range(0, len(ids), batch)]

    def once() -> list[np.ndarray]:
        if streams == 1:
            return [score(one) for one in feeds]
        with ThreadPoolExecutor(streams) as pool:
            return list(pool.map(score, feeds))

    logits = np.concatenate(once())
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        once()
        seconds.append(time.perf_counter() - started)
    return {"per_second": len(ids) / min(seconds), "logits": logits.tolist()}


def open_torch(graph: str, threads: int, streams: int) -> Score:
    """Open the bundle with transformers."""
    import torch
    from transformers import AutoModelForSequenceClassification

    torch.set_num_threads(threads)
    model = AutoModelForSequenceClassification.from_pretrained(graph).eval()

    def score(one: Feed) -> np.ndarray:
        with torch.inference_mode():
            found: np.ndarray = model(**{name: torch.from_numpy(values) for name, values in one.items()}).logits.numpy()
            return found

    return score


def open_onnxruntime(graph: str, threads: int, streams: int, fuse: bool = True, skip: bool = False) -> Score:
    """Open a graph with ONNX Runtime."""
    import onnxruntime

    from conflictnlp.inference.runtimes.graph import SLOW_FUSIONS

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    if not fuse:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    off = [] if skip else SLOW_FUSIONS
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"], disabled_optimizers=off)
    taken = [item.name for item in session.get_inputs()]
    return lambda one: session.run(None, {name: one[name] for name in taken})[0]


def open_openvino(graph: str, threads: int, streams: int, precision: str = "f32") -> Score:
    """Open a graph with OpenVINO; each thread of ours asks by a request of its own."""
    import threading

    import openvino

    hints = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": streams, "INFERENCE_PRECISION_HINT": precision}
    compiled = openvino.Core().compile_model(graph, "CPU", hints)
    own = threading.local()

    def score(one: Feed) -> np.ndarray:
        if not hasattr(own, "request"):
            own.request = compiled.create_infer_request()
        found: np.ndarray = own.request.infer(one)[0].copy()
        return found

    return score


OPEN = {"torch": open_torch, "onnxruntime": open_onnxruntime, "openvino": open_openvino}


def feed(articles: Sequence[Sequence[int]]) -> Feed:
    """Pad articles to one length."""
    longest = max(map(len, articles))
    input_ids = np.zeros((len(articles), longest), np.int64)
    mask = np.zeros_like(input_ids)
    for row, ids in enumerate(articles):
        input_ids[row, : len(ids)] = ids
        mask[row, : len(ids)] = 1
    return {"input_ids": input_ids, "attention_mask": mask}


if __name__ == "__main__":
    main()
