"""Estimators that follow scikit-learn: `TfidfClassifier` and `TransformerClassifier`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conflictnlp.models.tfidf import TfidfClassifier
    from conflictnlp.models.transformer import TransformerClassifier

__all__ = ["TfidfClassifier", "TransformerClassifier"]


def __getattr__(name: str) -> Any:
    # Lazy: the TF-IDF half must not need torch.
    if name == "TfidfClassifier":
        from conflictnlp.models.tfidf import TfidfClassifier

        return TfidfClassifier
    if name == "TransformerClassifier":
        from conflictnlp.models.transformer import TransformerClassifier

        return TransformerClassifier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
