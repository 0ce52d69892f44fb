"""An exported graph, opened by ONNX Runtime: windows of token ids in, scores out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from conflictnlp.errors import BundleError, InputError
from conflictnlp.inference.runtimes.onnx_file import read_model
from conflictnlp.models.encoding import batches
from conflictnlp.models.scores import Matrix

if TYPE_CHECKING:
    from tokenizers import Tokenizer

INPUTS, OUTPUT = ("input_ids", "attention_mask"), "logits"
# Padded tokens of a batch at most: on CPUs small batches stay in the cache.
_TOKENS = 512
_CUDA = "CUDAExecutionProvider"
# On CPUs the fused layer takes longer than its parts: an int8 encoder is 13% faster without.
SLOW_FUSIONS = ["SkipLayerNormFusion"]


class Graph:
    """Score windows with an exported encoder.

    Args:
        path: the file.
        settings: what the manifest says of the export: `pad_id` and `precision`.
        labels: that are scored.
        device: auto, cpu, cuda or cuda:N; auto takes a GPU where this ONNX Runtime was built for one.
        by_token: whether each token is scored, rather than each window.

    Raises:
        BundleError: the file is damaged, unsafe, or gives something else.
        InputError: this ONNX Runtime has no such device.
    """

    def __init__(
        self, path: Path, settings: dict[str, Any], labels: int, device: str = "auto", by_token: bool = False
    ) -> None:
        try:
            self._pad_id = int(settings["pad_id"])
            # The scale of an int8 matrix is taken over the whole batch: alone, a window's score is its own.
            self._tokens = 1 if settings["precision"] == "int8" else _TOKENS
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(f"{path.parent}: the manifest's parameters are damaged ({error!r})") from error
        # Batches side by side, each by one thread, wait for each other less than threads within a batch.
        self._threads = _threads()
        self._path = path
        self._session = _open_session(path, device)
        self._check_shape(path, labels, 3 if by_token else 2)

    def logits(self, windows: Sequence[Sequence[int]]) -> list[Matrix]:
        """Score windows of token ids.

        Args:
            windows: of any lengths.

        Returns:
            scores of each in order: array (n_labels,), or (n_ids, n_labels) where each token is scored.

        Raises:
            BundleError: the graph cannot score a window: one that is too long, or a token that it does not know.
        """
        found: list[Matrix] = [np.empty(0)] * len(windows)
        grouped = list(batches([len(ids) for ids in windows], self._tokens))
        with ThreadPoolExecutor(self._threads) as pool:
            scored = pool.map(self._run, ([windows[row] for row in rows] for rows in grouped))
            for rows, matrix in zip(grouped, scored, strict=True):
                for row, values in zip(rows, matrix, strict=True):
                    found[row] = values if values.ndim == 1 else values[: len(windows[row])]
        return found

    def _run(self, windows: Sequence[Sequence[int]]) -> Matrix:
        shape = len(windows), max(map(len, windows))
        input_ids, mask = np.full(shape, self._pad_id, np.int64), np.zeros(shape, np.int64)
        for row, ids in enumerate(windows):
            input_ids[row, : len(ids)] = ids
            mask[row, : len(ids)] = 1
        feed = dict(zip(self._inputs, (input_ids, mask), strict=False))
        try:
            logits: Matrix = self._session.run([OUTPUT], feed)[0]
        except Exception as error:
            # ONNX Runtime's exceptions share no base class but this one.
            raise BundleError(f"{self._path}: ONNX Runtime cannot score with it ({_first_line(error)})") from error
        return logits

    def _check_shape(self, path: Path, labels: int, axes: int) -> None:
        taken = {item.name for item in self._session.get_inputs()}
        given = {item.name: item.shape for item in self._session.get_outputs()}
        # Windows that are scored one by one need no mask.
        self._inputs = INPUTS[:1] if self._tokens == 1 and INPUTS[1] not in taken else INPUTS
        if taken != set(self._inputs) or OUTPUT not in given:
            names = ", ".join(sorted(taken))
            raise BundleError(f"{path}: takes {names} and gives {', '.join(given)}; not an exported encoder")
        if len(given[OUTPUT]) != axes or given[OUTPUT][-1] not in (labels, None):
            raise BundleError(f"{path}: its scores have the shape {given[OUTPUT]}; they must be of {labels} labels")


def read_tokenizer(path: Path) -> Tokenizer:
    """Read a bundle's tokenizer.

    Args:
        path: the file.

    Returns:
        the tokenizer.

    Raises:
        BundleError: the file is damaged.
    """
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:
        # tokenizers raises bare exceptions.
        raise BundleError(f"{path}: the tokenizer cannot be read ({_first_line(error)})") from error


def _first_line(error: Exception) -> str:
    """Return what an error says first."""
    return str(error).strip().partition("\n")[0]


def _open_session(path: Path, device: str) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise InputError(
            f"{path}: an exported model needs ONNX Runtime, which is not installed: pip install onnxruntime"
        ) from error
    providers = _providers(device, onnxruntime.get_available_providers())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    content = read_model(path)
    try:
        return onnxruntime.InferenceSession(content, options, providers=providers, disabled_optimizers=SLOW_FUSIONS)
    except Exception as error:
        # ONNX Runtime's exceptions share no base class but this one.
        raise BundleError(f"{path}: ONNX Runtime cannot load it ({_first_line(error)})") from error


def _providers(device: str, available: Sequence[str]) -> list[Any]:
    kind, _, number = device.partition(":")
    if kind == "cpu" or (kind == "auto" and _CUDA not in available):
        return ["CPUExecutionProvider"]
    if kind in ("auto", "cuda") and _CUDA in available:
        return [(_CUDA, {"device_id": int(number or 0)}), "CPUExecutionProvider"]
    raise InputError(
        f"device={device}: not available here (this ONNX Runtime has {', '.join(available)}); use device=cpu"
    )


def _threads() -> int:
    """Return the threads to compute with: what OMP_NUM_THREADS says, as torch reads it, else the process's cores."""
    wanted = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    if wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
