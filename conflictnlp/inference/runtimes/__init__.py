"""What computes a bundle's scores: ONNX Runtime for an exported one, else the estimator that was trained."""

from __future__ import annotations

from pathlib import Path

from conflictnlp.bundle import ONNX, Manifest, load_estimator
from conflictnlp.models.scores import Scorer

__all__ = ["open_runtime"]


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
