"""Finding armed actors with ONNX Runtime: the tagger of an exported bundle, without torch or transformers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from conflictnlp.bundle import Manifest
from conflictnlp.errors import BundleError
from conflictnlp.inference.runtimes.graph import Graph, read_tokenizer
from conflictnlp.inference.runtimes.onnx import TOKENIZER
from conflictnlp.models.mentions import CONFIG, GRAPH, LABELS, MentionFinder, TokenWindows
from conflictnlp.models.scores import Matrix


class OnnxTagger(MentionFinder):
    """Find mentions of armed actors with an exported tagger.

    Args:
        folder: the bundle.
        manifest: as `read_manifest` returned it; the tagger is of the classifier's precision.
        device: as for the classifier.

    Raises:
        BundleError: a file is damaged, unsafe, or does not fit.
        InputError: this ONNX Runtime has no such device.
    """

    def __init__(self, folder: Path, manifest: Manifest, device: str = "auto") -> None:
        try:
            max_length = int(json.loads((folder / CONFIG).read_text(encoding="utf-8"))["max_length"])
        except (OSError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise BundleError(f"{folder / CONFIG}: damaged ({error!r}); export the model again") from error
        self.windows = TokenWindows(read_tokenizer(folder / TOKENIZER), max_length)
        self._graph = Graph(folder / GRAPH, manifest.estimator["parameters"], len(LABELS), device=device, by_token=True)

    def _logits(self, windows: Sequence[Sequence[int]]) -> list[Matrix]:
        return self._graph.logits(windows)
