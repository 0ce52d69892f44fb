"""An encoder as an ONNX graph: traced, fused, and with int8 weights if wanted."""

from __future__ import annotations

import logging
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel

from conflictnlp.errors import InputError
from conflictnlp.export.rounding import SMALLEST, ease_rounding
from conflictnlp.inference.runtimes.graph import INPUTS, OUTPUT

log = logging.getLogger(__name__)
OPSET = 18
LIBRARIES = ("onnx", "onnxruntime", "onnxscript", "torch")
# Tokens of the trace, and how far scores of the traced encoder may be from those of torch.
_TRACED, _CLOSE = 16, 1e-3


def check_libraries() -> None:
    """Refuse to begin where a library is missing.

    Raises:
        InputError: one of the extra `onnx` is not installed.
    """
    for name in ("onnx", "onnxruntime", "onnxscript"):
        try:
            import_module(name)
        except ImportError as error:
            raise InputError(f"export: {name} is not installed: pip install 'conflictnlp[onnx]'") from error


def write_graph(
    model: PreTrainedModel,
    pad_id: int,
    path: Path,
    longest: int,
    windows: Sequence[Sequence[int]] | None = None,
    by_token: bool = False,
) -> None:
    """Write an encoder with its head as one ONNX file.

    The runtime fuses layers when it loads the graph; fused beforehand it is a tenth slower in int8. Quantisation is
    dynamic: activations are scaled as they come. An int8 graph takes windows one by one, which need no mask; without
    it scoring is 8% faster. Traced without one, an encoder with local attention may forget that it is local: then the
    mask stays.

    Args:
        model: of transformers, with a head that classifies.
        pad_id: its padding's token.
        path: the file.
        longest: tokens of the longest window that is scored, on which the graph is compared with the encoder.
        windows: token ids on which the sizes of what is rounded are measured: matrices and embeddings are then stored
            in 8 bits, one scale a column or word. None leaves them in 32.
        by_token: whether the head scores each token, rather than the whole input.

    Raises:
        InputError: torch cannot write this encoder's graph, or writes another one.
    """
    with tempfile.TemporaryDirectory(prefix="conflictnlp-export-") as name, _quiet():
        traced = Path(name) / "traced.onnx"
        if windows is not None:
            ease_rounding(model, windows)
        # Without a mask first, where none is needed.
        for masked in (False, True) if windows is not None else (True,):
            _trace(model, pad_id, traced, by_token, masked)
            if _same_scores(model, pad_id, traced, longest):
                break
        else:
            raise InputError(f"export: as an ONNX graph this encoder scores windows of {longest} tokens otherwise")
        if windows is not None:
            _quantize(traced, path)
        else:
            shutil.move(traced, path)


def _trace(model: PreTrainedModel, pad_id: int, path: Path, by_token: bool, masked: bool) -> None:
    class Scores(torch.nn.Module):
        """Give the scores alone, where transformers gives a record."""

        def __init__(self, model: torch.nn.Module) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None) -> torch.Tensor:
            """Return logits, (batch, labels) or (batch, length, labels)."""
            logits: torch.Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
            return logits

    torch.nn.Module.to(model, "cpu")
    # Written out step by step, attention is what the runtime knows as one layer.
    model.set_attn_implementation("eager")
    module = Scores(model).eval()
    # Two rows, with a mask of unequal length, lest the exporter takes the batch or the mask for constants.
    taken = INPUTS if masked else INPUTS[:1]
    ids = torch.arange(_TRACED).repeat(2, 1) % (model.config.vocab_size - 1) + 1
    mask = torch.ones_like(ids)
    if masked:
        ids[1, 9:], mask[1, 9:] = pad_id, 0
    inputs = (ids, mask)[: len(taken)]
    axes = {0: "batch", 1: "length"}
    shared: dict[str, Any] = {"input_names": list(taken), "output_names": [OUTPUT], "opset_version": OPSET}
    with torch.no_grad():
        try:
            # The older exporter's graph is the one in which ONNX Runtime finds whole attention layers to fuse.
            dynamic = {**dict.fromkeys(taken, axes), OUTPUT: axes if by_token else {0: "batch"}}
            torch.onnx.export(module, inputs, str(path), dynamo=False, dynamic_axes=dynamic, **shared)
            return
        except Exception as error:  # noqa: BLE001 - it raises of many kinds where an encoder's code is beyond it
            log.debug("not traced (%s); torch.export is tried", error)
        try:
            shapes = tuple({at: torch.export.Dim(axis) for at, axis in axes.items()} for _ in taken)
            torch.onnx.export(
                module, inputs, str(path), dynamo=True, dynamic_shapes=shapes, external_data=False, verbose=False,
                **shared,
            )  # fmt: skip
        except Exception as error:
            reason = str(error).strip().partition("\n")[0]
            raise InputError(f"export: torch cannot write this encoder as an ONNX graph ({reason})") from error


def _same_scores(model: PreTrainedModel, pad_id: int, path: Path, longest: int) -> bool:
    """Return whether a graph gives an encoder's scores for windows longer than the trace."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    taken = [item.name for item in session.get_inputs()]
    words = [number for number in range(min(model.config.vocab_size, 1000)) if number != pad_id]
    for length in {longest, (longest + _TRACED) // 2}:
        ids = torch.tensor([(words * length)[: 7 * length : 7]])
        feed = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        with torch.no_grad():
            wanted = model(**feed).logits.numpy()
        found = session.run([OUTPUT], {name: feed[name].numpy() for name in taken})[0]
        if not np.allclose(found, wanted, rtol=_CLOSE, atol=_CLOSE):
            return False
    return True


def _quantize(source: Path, target: Path) -> None:
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    graph = onnx.load(source).graph
    rows = {weight.name: weight.dims[0] for weight in graph.initializer}
    small = [
        node.name for node in graph.node if node.op_type == "MatMul" and rows.get(node.input[1], SMALLEST) < SMALLEST
    ]
    quantize_dynamic(
        source,
        target,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["MatMul", "Gemm"],
        nodes_to_exclude=small,
        per_channel=True,
        # Seven bits: on processors without VNNI instructions, sums of 8-bit products overflow.
        reduce_range=True,
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's and the quantiser's advice to their own developers off the terminal."""
    names = ("onnxruntime", "onnxscript", "torch.onnx", "onnx_ir", "root")
    loggers = [logging.getLogger(None if name == "root" else name) for name in names]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
