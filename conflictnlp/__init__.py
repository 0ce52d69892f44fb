"""Train, track and apply article classifiers for research on armed conflict."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conflictnlp.commands.load import load
    from conflictnlp.commands.train import TrainResult, train
    from conflictnlp.errors import BundleError, ConflictNLPError, InputError, TrackingError
    from conflictnlp.inference import Evidence, Model, Prediction

# Public name -> where it lives; imported on first use, so that `import conflictnlp` needs no torch or mlflow.
_PUBLIC = {
    "BundleError": "conflictnlp.errors",
    "ConflictNLPError": "conflictnlp.errors",
    "Evidence": "conflictnlp.inference",
    "InputError": "conflictnlp.errors",
    "Model": "conflictnlp.inference",
    "Prediction": "conflictnlp.inference",
    "TrackingError": "conflictnlp.errors",
    "TrainResult": "conflictnlp.commands.train",
    "load": "conflictnlp.commands.load",
    "train": "conflictnlp.commands.train",
}
__all__ = [
    "BundleError",
    "ConflictNLPError",
    "Evidence",
    "InputError",
    "Model",
    "Prediction",
    "TrackingError",
    "TrainResult",
    "__version__",
    "load",
    "train",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return metadata.version("conflictnlp")
    if name in _PUBLIC:
        import importlib

        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
