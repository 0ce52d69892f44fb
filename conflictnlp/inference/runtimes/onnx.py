"""Scoring with ONNX Runtime: a bundle that `conflictnlp export` wrote, without torch or transformers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from conflictnlp.bundle import Manifest
from conflictnlp.errors import BundleError, InputError
from conflictnlp.inference.runtimes.graph import Graph, read_tokenizer
from conflictnlp.models.encoding import WindowEncoder, weigh_windows
from conflictnlp.models.scores import Scorer, WindowScores
from conflictnlp.text import Passage

MODEL = "model.onnx"
TOKENIZER = "tokenizer.json"


class OnnxRuntime(Scorer):
    """Score passages with an exported encoder.

    Args:
        folder: the bundle.
        manifest: as `read_manifest` returned it.
        device: auto, cpu, cuda or cuda:N; auto takes a GPU where this ONNX Runtime was built for one.

    Raises:
        BundleError: a file is damaged, unsafe, or does not fit the manifest.
        InputError: this ONNX Runtime has no such device.
    """

    def __init__(self, folder: Path, manifest: Manifest, device: str = "auto") -> None:
        self.spans = manifest.task.spans
        labels = manifest.task.label_names
        settings = manifest.estimator["parameters"]
        try:
            self._background = None if settings["background"] is None else labels.index(settings["background"])
            self._encoder = WindowEncoder(
                read_tokenizer(folder / TOKENIZER),
                self.spans,
                settings["max_length"],
                settings["overlap"],
                settings["split_length"],
                # Bundles of before this setting read the names.
                settings.get("mask"),
            )
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise BundleError(f"{folder}: the manifest's parameters are damaged ({error})") from error
        self._graph = Graph(folder / MODEL, settings, len(labels), device)

    def _score(self, passages: list[Passage]) -> Iterator[WindowScores]:
        encoded = self._encoder.encode(passages)
        logits = self._graph.logits([window.ids for windows in encoded for window in windows])
        yield from weigh_windows(encoded, np.array(logits, dtype=np.float64), self._background)
