"""What every estimator shares: labels in order, and probabilities out of scores by window."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from conflictnlp.errors import InputError
from conflictnlp.models.auxiliary import AuxiliaryTask
from conflictnlp.models.scores import Matrix, Scorer, WindowScores, sigmoid, softmax
from conflictnlp.text import Passage

__all__ = ["Matrix", "TextClassifier", "WindowScores", "class_numbers", "sigmoid", "softmax"]


def class_numbers(targets: NDArray[Any]) -> NDArray[np.int64]:
    """Return class numbers (n,) of single-label targets: themselves, or the most probable of distributions."""
    return targets.argmax(axis=1) if targets.dtype.kind == "f" else targets


class TextClassifier(ClassifierMixin, BaseEstimator, Scorer):
    """Base of the estimators.

    X is a sequence of texts, or of `Passage` where actors are marked; y holds label names, or for `multi` lists of
    them (or an indicator matrix in the order of `labels`). A label may also be a teacher's distribution: a tuple with
    the probability of each class.
    """

    labels: Sequence[str] | None
    multi: bool
    spans: Sequence[str]

    def fit(
        self,
        X: Sequence[Any],
        y: Any,
        validation: tuple[Sequence[Any], Any] | None = None,
        extra: tuple[Sequence[Any], Any] | None = None,
        auxiliary: Sequence[AuxiliaryTask] = (),
    ) -> Self:
        """Learn from labelled texts.

        Args:
            X: texts or passages.
            y: their labels.
            validation: (X, y) for early stopping, where the estimator stops early.
            extra: (X, y) of other sets; an estimator that learns in stages takes them first, and ends with X alone.
            auxiliary: other tasks, for an estimator whose encoder can learn them beside its own.

        Returns:
            the estimator itself.

        Raises:
            InputError: the labels are unknown or of one class.
        """
        passages = self._passages(X)
        if len(passages) != len(y):
            raise InputError(f"fit: {len(passages)} texts but {len(y)} labels")
        if not passages:
            raise InputError("fit: no texts")
        self.classes_ = np.array(list(self.labels) if self.labels is not None else self._labels_in(y), dtype=object)
        targets = self._targets(y)
        numbers = class_numbers(targets)
        if not self.multi and len(np.unique(numbers)) < 2:
            raise InputError(f"fit: all labels are {self.classes_[numbers[0]]!r}; two classes or more are needed")
        checked = None
        if validation is not None:
            checked = (self._passages(validation[0]), class_numbers(self._targets(validation[1])))
        further = None
        if extra is not None and len(extra[0]):
            further = (self._passages(extra[0]), self._targets(extra[1]))
        self._fit(passages, targets, checked, further, auxiliary)
        return self

    def decision_function(self, X: Iterable[Any]) -> Matrix:
        """Return pooled logits, array (n_texts, n_labels), columns in the order of `classes_`."""
        rows = [scores.pooled() for scores in self.window_scores(X)]
        return np.vstack(rows) if rows else np.zeros((0, len(self.classes_)))

    def predict_proba(self, X: Iterable[Any]) -> Matrix:
        """Return probabilities, array (n_texts, n_labels), columns in the order of `classes_`."""
        logits = self.decision_function(X)
        return sigmoid(logits) if self.multi else softmax(logits)

    def predict(self, X: Iterable[Any]) -> Any:
        """Return label names, array (n_texts,), or for `multi` an indicator matrix (n_texts, n_labels)."""
        probabilities = self.predict_proba(X)
        if self.multi:
            return (probabilities >= 0.5).astype(int)
        return self.classes_[probabilities.argmax(axis=1)]

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the fitted weights into a folder, without pickle."""

    @abstractmethod
    def _fit(
        self,
        passages: list[Passage],
        targets: NDArray[Any],
        validation: tuple[list[Passage], NDArray[np.int64]] | None,
        extra: tuple[list[Passage], NDArray[Any]] | None,
        auxiliary: Sequence[AuxiliaryTask] = (),
    ) -> None:
        """Learn from checked passages; targets are as `_targets` made them."""

    def _joined(self, one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
        """Join targets of two sets, class numbers as certain distributions where the other has distributions."""
        if not self.multi and one.ndim != other.ndim:
            certain = np.eye(len(self.classes_), dtype=np.float32)
            one, other = (part if part.ndim == 2 else certain[part] for part in (one, other))
        return np.concatenate([one, other])

    def _passages(self, X: Iterable[Any]) -> list[Passage]:
        return [self._passage(item) for item in X]

    def _labels_in(self, y: Any) -> list[str]:
        if not self.multi:
            if any(isinstance(label, tuple) for label in y):
                raise InputError("fit: distributions need the classes in order; give labels=[...]")
            return sorted({str(label) for label in y})
        if isinstance(y, np.ndarray) and y.ndim == 2:
            return [str(number) for number in range(y.shape[1])]
        return sorted({str(label) for labels in y for label in labels})

    def _targets(self, y: Any) -> NDArray[Any]:
        """Return class numbers (n,), for `multi` an indicator matrix, with a teacher's a distribution (n, n_labels)."""
        column = {label: number for number, label in enumerate(self.classes_)}
        try:
            if not self.multi:
                if any(isinstance(label, tuple) for label in y):
                    return self._distributions(y, column)
                return np.array([column[str(label)] for label in y], dtype=np.int64)
            if isinstance(y, np.ndarray) and y.ndim == 2:
                if y.shape[1] != len(column):
                    raise InputError(f"fit: {y.shape[1]} columns of labels; declared are {', '.join(column)}")
                return y.astype(np.int64)
            matrix = np.zeros((len(y), len(column)), dtype=np.int64)
            for row, labels in enumerate(y):
                for label in labels:
                    matrix[row, column[str(label)]] = 1
            return matrix
        except KeyError as error:
            raise InputError(f"fit: unknown label {error}; declared are {', '.join(column)}") from error

    def _distributions(self, y: Any, column: dict[str, int]) -> Matrix:
        certain = np.eye(len(column))
        rows = [np.array(label) if isinstance(label, tuple) else certain[column[str(label)]] for label in y]
        if any(len(row) != len(column) for row in rows):
            raise InputError(f"fit: a distribution must have {len(column)} probabilities, one for each label")
        return np.vstack(rows).astype(np.float32)
