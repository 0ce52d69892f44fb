"""What computes a bundle's scores: ONNX Runtime for an exported one, else what was trained."""

from __future__ import annotations

from pathlib import Path

from conflictnlp.bundle import ONNX, Manifest, load_estimator
from conflictnlp.models.mentions import GRAPH, WEIGHTS, MentionFinder
from conflictnlp.models.scores import Scorer

__all__ = ["holds_tagger", "open_runtime", "open_tagger"]


def open_runtime(folder: Path, manifest: Manifest, device: str = "auto") -> Scorer:
    """Load what scores with a bundle's weights.

    Args:
        folder: the bundle.
        manifest: as `read_manifest` returned it.
        device: where to compute.

    Returns:
        a scorer. That of an exported bundle imports neither torch nor transformers nor scikit-learn.

    Raises:
        BundleError: the weights or parameters are damaged, unsafe or do not fit this version.
    """
    if manifest.estimator["kind"] == ONNX:
        from conflictnlp.inference.runtimes.onnx import OnnxRuntime

        return OnnxRuntime(folder, manifest, device)
    return load_estimator(folder, manifest, device)


def holds_tagger(manifest: Manifest) -> bool:
    """Return whether a bundle holds a tagger of actors."""
    return not manifest.files.keys().isdisjoint({GRAPH, WEIGHTS})


def open_tagger(folder: Path, manifest: Manifest, device: str = "auto") -> MentionFinder:
    """Load a bundle's tagger of actors.

    Args:
        folder: a bundle that holds one.
        manifest: as `read_manifest` returned it.
        device: where to compute.

    Returns:
        a tagger. That of an exported bundle imports neither torch nor transformers.

    Raises:
        BundleError: its files are damaged, unsafe or do not fit this version.
    """
    if GRAPH in manifest.files:
        from conflictnlp.inference.runtimes.onnx_tagger import OnnxTagger

        return OnnxTagger(folder, manifest, device)
    from conflictnlp.models.tagger import ActorTagger

    return ActorTagger.load(folder, device)
