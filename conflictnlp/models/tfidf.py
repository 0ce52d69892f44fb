"""TF-IDF n-grams into logistic regression: the baseline that every encoder must beat."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from conflictnlp.errors import BundleError, InputError
from conflictnlp.models.auxiliary import AuxiliaryTask
from conflictnlp.models.base import Matrix, TextClassifier, WindowScores, class_numbers
from conflictnlp.models.skops_file import check_archive
from conflictnlp.text import Passage, sentence_spans

FILE = "model.skops"
# Fixed here: a list of trusted types that came with a model would protect nothing.
TRUSTED_TYPES: tuple[str, ...] = ("sklearn.multiclass._ConstantPredictor",)
# A label that training never saw gets a logit that rounds to probability zero.
_NEVER = -20.0


class TfidfClassifier(TextClassifier):
    """Word and character n-grams, weighted by TF-IDF, into logistic regression.

    For marked spans the actor's words are masked in the text, and the words before and after each mention, and of
    the sentences that hold one, are features of their own, so that the model sees an actor's surroundings and not
    its name.

    Args:
        labels: the classes in order; None learns them, sorted, from y.
        multi: whether a text may bear several labels or none.
        spans: roles that the passages mark.
        word_ngrams: longest word n-gram.
        char_ngrams: longest character n-gram (within words, from 3); 0 for none.
        max_features: most n-grams of each kind.
        min_df: a rarer n-gram is left out.
        surroundings: words seen on each side of a mention.
        C: inverse strength of the L2 penalty.
        class_weight: "balanced" or None.
        max_iter: iterations of the solver at most.
        seed: seed of the solver.
    """

    def __init__(
        self,
        labels: Sequence[str] | None = None,
        multi: bool = False,
        spans: Sequence[str] = (),
        word_ngrams: int = 2,
        char_ngrams: int = 5,
        max_features: int = 200_000,
        min_df: int = 1,
        surroundings: int = 8,
        C: float = 10.0,
        class_weight: str | None = "balanced",
        max_iter: int = 1000,
        seed: int = 1,
    ) -> None:
        self.labels = labels
        self.multi = multi
        self.spans = spans
        self.word_ngrams = word_ngrams
        self.char_ngrams = char_ngrams
        self.max_features = max_features
        self.min_df = min_df
        self.surroundings = surroundings
        self.C = C
        self.class_weight = class_weight
        self.max_iter = max_iter
        self.seed = seed

    def _fit(
        self,
        passages: list[Passage],
        targets: NDArray[Any],
        validation: tuple[list[Passage], NDArray[np.int64]] | None,
        extra: tuple[list[Passage], NDArray[Any]] | None,
        auxiliary: Sequence[AuxiliaryTask] = (),
    ) -> None:
        if auxiliary:
            raise InputError("fit: n-grams share nothing between tasks; auxiliary tasks need an encoder")
        if extra is not None:
            passages, targets = passages + extra[0], self._joined(targets, extra[1])
        self.vectorizers_: dict[str, TfidfVectorizer] = {}
        features = []
        for name, view in self._views().items():
            vectorizer = self._vectorizer(name)
            if self._has_terms(vectorizer, map(view, passages)):
                features.append(vectorizer.fit_transform(map(view, passages)))
                self.vectorizers_[name] = vectorizer
        if not features:
            raise InputError(f"fit: no word or n-gram stands in {self.min_df} text(s) or more")
        regression = LogisticRegression(
            C=self.C, class_weight=self.class_weight, max_iter=self.max_iter, random_state=self.seed
        )
        self.classifier_ = OneVsRestClassifier(regression) if self.multi else regression
        # Logistic regression takes no distribution; a teacher's most probable label stands for it.
        self.classifier_.fit(sparse.hstack(features, format="csr"), class_numbers(targets))

    def save(self, folder: Path) -> None:
        """Write `model.skops`."""
        # Imported here: it walks through all of scikit-learn, and loads torch where that is installed.
        import skops.io

        # A vocabulary as one string and an array: skops writes each entry of a dict as a node of its own, which
        # takes minutes for 100,000 n-grams.
        views = {
            name: {"terms": "\n".join(vectorizer.get_feature_names_out()), "idf": vectorizer.idf_}
            for name, vectorizer in self.vectorizers_.items()
        }
        skops.io.dump({"views": views, "classifier": self.classifier_}, folder / FILE)

    def load_weights(self, folder: Path) -> Self:
        """Read `model.skops`, with this package's fixed list of trusted types.

        Args:
            folder: the bundle.

        Returns:
            the estimator itself, ready to score.

        Raises:
            BundleError: the file holds anything but the types this estimator writes.
        """
        import skops.io

        assert self.labels is not None
        check_archive(folder / FILE)
        try:
            parts = skops.io.load(folder / FILE, trusted=list(TRUSTED_TYPES))
            self.classifier_ = parts["classifier"]
            self.vectorizers_ = {name: self._restore(name, view) for name, view in parts["views"].items()}
        except Exception as error:
            # skops raises many kinds; each means the file cannot be trusted.
            reason = str(error).partition("\n")[0]
            raise BundleError(f"{folder / FILE}: refused: {reason}") from error
        if fault := self._fault():
            raise BundleError(f"{folder / FILE}: refused: {fault}")
        self.classes_ = np.array(list(self.labels), dtype=object)
        return self

    def _fault(self) -> str | None:
        """Return why the classifier that was read cannot score what the manifest says, or None."""
        assert self.labels is not None
        found, wanted = self.classifier_, OneVsRestClassifier if self.multi else LogisticRegression
        if not isinstance(found, wanted):
            return f"it holds a {type(found).__name__}, not the {wanted.__name__} of the manifest's kind of task"
        classes = len(found.estimators_) if self.multi else int(np.max(found.classes_)) + 1
        if classes > len(self.labels) or (self.multi and classes != len(self.labels)):
            return f"it scores {classes} labels, not the {len(self.labels)} of the manifest"
        features = sum(len(vectorizer.idf_) for vectorizer in self.vectorizers_.values())
        if not self.vectorizers_.keys() <= self._views().keys() or features != found.n_features_in_:
            return "its n-grams are not those of the manifest's parameters"
        return None

    def _score(self, passages: list[Passage]) -> Iterator[WindowScores]:
        """Score each passage as one window: n-grams have no length limit."""
        views = self._views()
        features = sparse.hstack(
            [vectorizer.transform(map(views[name], passages)) for name, vectorizer in self.vectorizers_.items()],
            format="csr",
        )
        logits = self._all_columns(np.asarray(self.classifier_.decision_function(features), dtype=np.float64))
        for passage, row in zip(passages, logits, strict=True):
            yield WindowScores(row[None, :], ((0, len(passage.text)),), np.ones(1))

    def _all_columns(self, decision: Matrix) -> Matrix:
        if self.multi:
            logits = decision.reshape(-1, len(self.classes_))
            for column, estimator in enumerate(self.classifier_.estimators_):
                # For a label that no or every training text bears, scikit-learn's "decision" is 0 or 1.
                if not isinstance(estimator, LogisticRegression):
                    logits[:, column] = np.where(logits[:, column] > 0.5, -_NEVER, _NEVER)
            return logits
        if decision.ndim == 1:
            decision = np.stack([-decision / 2, decision / 2], axis=1)
        logits = np.full((len(decision), len(self.classes_)), _NEVER)
        logits[:, self.classifier_.classes_] = decision
        return logits

    def _vectorizer(self, view: str) -> TfidfVectorizer:
        shared: dict[str, Any] = {"sublinear_tf": True, "min_df": self.min_df, "max_features": self.max_features}
        if view == "characters":
            return TfidfVectorizer(analyzer="char_wb", ngram_range=(3, self.char_ngrams), **shared)
        # The pattern keeps one-letter words and the tags of words around a mention (`b:`, `a:`).
        return TfidfVectorizer(ngram_range=(1, self.word_ngrams), token_pattern=r"(?u)[ba]?:?\b\w+\b", **shared)

    def _has_terms(self, vectorizer: TfidfVectorizer, texts: Iterable[str]) -> bool:
        """Return whether any n-gram stands in enough texts (a role that no text marks has no words around it)."""
        analyze = vectorizer.build_analyzer()
        counts: Counter[str] = Counter()
        for text in texts:
            terms = set(analyze(text))
            counts.update(terms)
            if any(counts[term] >= self.min_df for term in terms):
                return True
        return False

    def _restore(self, view: str, parts: dict[str, Any]) -> TfidfVectorizer:
        vectorizer = self._vectorizer(view)
        vectorizer.set_params(vocabulary={term: number for number, term in enumerate(parts["terms"].split("\n"))})
        vectorizer.idf_ = parts["idf"]
        return vectorizer

    def _views(self) -> dict[str, Callable[[Passage], str]]:
        views: dict[str, Callable[[Passage], str]] = {"words": self._masked}
        if self.char_ngrams:
            views["characters"] = self._masked
        for number, role in enumerate(self.spans):
            views[f"around_{role}"] = lambda passage, number=number: self._around(passage, number)  # type: ignore[misc]
            views[f"sentences_{role}"] = lambda passage, number=number: self._sentences(passage, number)  # type: ignore[misc]
        return views

    def _masked(self, passage: Passage, start: int = 0, end: int | None = None) -> str:
        end = len(passage.text) if end is None else end
        mentions = sorted((span, role) for role, spans in zip(self.spans, passage.spans, strict=True) for span in spans)
        pieces, position = [], start
        for (first, last), role in mentions:
            if first < end and last > position:
                pieces += [passage.text[position:first] if first >= position else " ", f"x{role}x"]
                position = last
        return "".join([*pieces, passage.text[position:end]])

    def _around(self, passage: Passage, number: int) -> str:
        words = []
        for first, last in passage.spans[number]:
            before = re.findall(r"\w+", self._masked(passage, max(0, first - 200), first))[-self.surroundings :]
            after = re.findall(r"\w+", self._masked(passage, last, last + 200))[: self.surroundings]
            words += [f"b:{word}" for word in before] + [f"a:{word}" for word in after]
        return " ".join(words)

    def _sentences(self, passage: Passage, number: int) -> str:
        mentions = passage.spans[number]
        return "\n".join(
            self._masked(passage, start, end)
            for start, end in sentence_spans(passage.text)
            if any(start <= first < end for first, _ in mentions)
        )
