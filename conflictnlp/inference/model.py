"""A loaded bundle: texts in, predictions out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from conflictnlp.bundle import Manifest, read_manifest
from conflictnlp.data.example import Example
from conflictnlp.dependencies import missing_libraries_told
from conflictnlp.errors import InputError
from conflictnlp.inference.arguments import make_examples
from conflictnlp.inference.evidence import Scored, find_evidence
from conflictnlp.inference.prediction import Evidence, Prediction
from conflictnlp.inference.records import frame_with_predictions, text_fault
from conflictnlp.inference.runtimes import holds_tagger, open_runtime, open_tagger
from conflictnlp.models.scores import Matrix, WindowScores, sigmoid, softmax
from conflictnlp.task import Task
from conflictnlp.text import Party, Passage, merge_mentions

if TYPE_CHECKING:
    import pandas as pd

    from conflictnlp.models.mentions import MentionFinder

# Texts scored together.
_CHUNK = 256
NO_ACTOR = "actor not in text"


class Model:
    """A trained classifier with its calibration.

    Args:
        folder: the bundle; it is verified before anything in it is loaded.
        device: auto, cpu, cuda, cuda:N or mps.
        ref: what the user called the model by; the folder if None.
    """

    def __init__(self, folder: Path | str, device: str = "auto", ref: str | None = None) -> None:
        self.folder = Path(folder)
        self.manifest: Manifest = read_manifest(self.folder)
        self.ref = ref or str(self.folder)
        self.fingerprint = self.manifest.fingerprint
        self.device = device
        with missing_libraries_told(self.ref):
            self._runtime = open_runtime(self.folder, self.manifest, device)

    def __repr__(self) -> str:
        return f"Model(task={self.task.name!r}, labels={self.labels}, ref={self.ref!r})"

    @property
    def task(self) -> Task:
        """The task: name, kind, labels with their definitions, marked spans."""
        return self.manifest.task

    @property
    def labels(self) -> list[str]:
        """The labels in their declared order."""
        return list(self.manifest.task.label_names)

    @overload
    def predict(self, texts: str, **marks: Any) -> Prediction: ...

    @overload
    def predict(self, texts: Sequence[str], **marks: Any) -> list[Prediction]: ...

    def predict(self, texts: str | Sequence[str], **marks: Any) -> Prediction | list[Prediction]:
        """Classify one text or many.

        Args:
            texts: a text, or a list of them.
            **marks: `actor="IS|Islamic State"` (or `source`, `target`) for one text, `actors=[…]` (`sources`,
                `targets`) for many: the names that stand in the text, aliases after `|`; `title` or `titles`;
                `abstain_below=P` leaves a prediction of lower probability without a label.

        Returns:
            a Prediction, or a list of them in the order of the texts. A text that cannot be classified (missing,
            empty, or without its actor) gets one with `error`.

        Raises:
            InputError: the task marks actors and none is given, a text is no str, or the lists differ in length.
        """
        abstain_below = marks.pop("abstain_below", None)
        predictions = list(self.predict_examples(make_examples(self.task, texts, marks), abstain_below))
        return predictions[0] if isinstance(texts, str) else predictions

    def predict_proba(self, texts: str | Sequence[str], **marks: Any) -> Matrix:
        """Return calibrated probabilities, array (n_texts, n_labels), columns in the order of `labels`.

        Args:
            texts: a text, or a list of them.
            **marks: as for `predict`.

        Returns:
            the array; a row that cannot be classified is NaN.

        Raises:
            InputError: as `predict`.
        """
        examples = make_examples(self.task, texts, marks)
        chances = np.full((len(examples), len(self.labels)), np.nan)
        for row, (_, _, scores) in zip(chances, self.score_examples(examples), strict=True):
            if not isinstance(scores, str):
                row[:] = self._chances(scores)
        return chances

    @property
    def finds_actors(self) -> bool:
        """Whether the bundle holds a tagger of actors."""
        return holds_tagger(self.manifest)

    @cached_property
    def tagger(self) -> MentionFinder:
        """The tagger that finds armed actors; raises InputError if the bundle holds none."""
        if not self.finds_actors:
            raise InputError(f"{self.ref}: this model finds no actors by itself; name them (actor=..., --actor NAME)")
        return open_tagger(self.folder, self.manifest, self.device)

    def find_actors(self, texts: Sequence[str]) -> list[list[Party]]:
        """Find the armed actors that texts name, each with all its mentions.

        Args:
            texts: any texts.

        Returns:
            for each text its actors in the order of their first mention.

        Raises:
            InputError: the bundle holds no tagger.
        """
        found = self.tagger.find(texts)
        return [
            merge_mentions(text, [(mention.start, mention.end) for mention in mentions])
            for text, mentions in zip(texts, found, strict=True)
        ]

    def predict_frame(self, frame: pd.DataFrame, abstain_below: float | None = None) -> pd.DataFrame:
        """Classify the rows of a data frame.

        Args:
            frame: with a column `text`, for tasks that mark actors `actor` (or `source`, `target`); optional
                `title`, `start`, `end`. A `datasets.Dataset` or Arrow table is turned into a data frame.
            abstain_below: as for `predict`.

        Returns:
            a copy with the columns that `conflictnlp predict` writes, the same rows, order and index.

        Raises:
            InputError: a column is missing, or one already bears an output column's name.
        """
        return frame_with_predictions(self, frame, abstain_below)

    def predict_examples(self, examples: Iterable[Example], abstain_below: float | None = None) -> Iterator[Prediction]:
        """Classify examples one by one, in order and in bounded memory.

        Args:
            examples: texts with their marked actors.
            abstain_below: as for `predict`.

        Yields:
            a prediction for each.
        """
        stream = self.score_examples(examples)
        while chunk := list(islice(stream, _CHUNK)):
            chances = [self._chances(scores) if not isinstance(scores, str) else np.empty(0) for _, _, scores in chunk]
            evidence = find_evidence(self, chunk, chances)
            for (example, passage, scores), own, found in zip(chunk, chances, evidence, strict=True):
                if isinstance(scores, str):
                    yield Prediction(None, actor=_actor(example), error=scores)
                else:
                    yield self._prediction(example, passage, own, found, abstain_below)

    def score_examples(self, examples: Iterable[Example]) -> Iterator[Scored]:
        """Score examples by window; what cannot be scored comes with its reason instead.

        Args:
            examples: texts with their marked actors.

        Yields:
            (example, passage, scores or reason) in order.
        """
        waiting: list[tuple[Example, Passage, str | None]] = []
        for example in examples:
            waiting.append(self._question(example))
            if len(waiting) == _CHUNK:
                yield from self._flush(waiting)
                waiting = []
        yield from self._flush(waiting)

    def logits(self, examples: Sequence[Example]) -> Matrix:
        """Compute pooled logits before calibration.

        Args:
            examples: each of which the model can read.

        Returns:
            array (n, n_labels).

        Raises:
            InputError: an example cannot be scored.
        """
        rows = []
        for example, _, scores in self.score_examples(examples):
            if isinstance(scores, str):
                raise InputError(f"{example.where}: {scores}")
            rows.append(scores.pooled(self.manifest.temperature))
        return np.array(rows).reshape(len(rows), len(self.labels))

    def probabilities(self, logits: Matrix) -> Matrix:
        """Return calibrated probabilities of pooled logits."""
        scaled = logits / self.manifest.temperature
        return sigmoid(scaled) if self.task.is_multi else softmax(scaled)

    def _chances(self, scores: WindowScores) -> Matrix:
        return self.probabilities(scores.pooled(self.manifest.temperature)[None, :])[0]

    def passage_probabilities(self, passages: Iterable[Passage]) -> Iterator[Matrix]:
        """Return calibrated probabilities of bare passages, each an array (n_labels,), in order."""
        for scores in self._runtime.window_scores(passages):
            yield self._chances(scores)

    def thresholds(self) -> Matrix:
        """Return each label's threshold (multi-label), array (n_labels,)."""
        return np.array([self.manifest.thresholds.get(label, 0.5) for label in self.labels])

    def _question(self, example: Example) -> tuple[Example, Passage, str | None]:
        if fault := text_fault(example):
            return example, Passage(""), fault
        for role, span in example.spans:
            if span.start is not None and not 0 <= span.start < (span.end or 0) <= len(example.text):
                return example, Passage(""), f"{role}'s offsets {span.start} to {span.end} lie outside the text"
        passage = example.passage(self.task)
        for role, mentions in zip(self.task.spans, passage.spans, strict=True):
            if not mentions and role not in self.task.optional_spans:
                return example, passage, NO_ACTOR if role == "actor" else f"{role} not in text"
        return example, passage, None

    def _flush(self, waiting: list[tuple[Example, Passage, str | None]]) -> Iterator[Scored]:
        scored = self._runtime.window_scores(passage for _, passage, error in waiting if error is None)
        for example, passage, error in waiting:
            yield example, passage, next(scored) if error is None else error

    def _prediction(
        self,
        example: Example,
        passage: Passage,
        chances: Matrix,
        evidence: tuple[Evidence, ...],
        abstain_below: float | None,
    ) -> Prediction:
        best = int(chances.argmax())
        if self.task.is_multi:
            chosen = tuple(label for label, p, t in zip(self.labels, chances, self.thresholds(), strict=True) if p >= t)
        else:
            chosen = (self.labels[best],)
        abstained = abstain_below is not None and float(chances[best]) < abstain_below
        place = self._place(example, passage)
        return Prediction(
            label=None if abstained or not chosen else max(chosen, key=lambda name: chances[self.labels.index(name)]),
            labels=() if abstained else chosen,
            probability=float(chances[best]),
            probabilities=self._by_label(chances),
            actor=_actor(example),
            start=place[0],
            end=place[1],
            evidence=evidence,
            abstained=abstained,
        )

    def _place(self, example: Example, passage: Passage) -> tuple[int | None, int | None]:
        """Return the asked actor's stated offsets, else its first mention in the text (the title has no offsets)."""
        role = next((role for role, _ in example.spans if role in ("actor", "source")), None)
        if role is None:
            return None, None
        span = dict(example.spans)[role]
        if span.start is not None:
            return span.start, span.end
        mentions = passage.spans[self.task.spans.index(role)]
        inside = (
            (first - passage.offset, last - passage.offset) for first, last in mentions if first >= passage.offset
        )
        return next(inside, (None, None))

    def _by_label(self, row: Matrix) -> dict[str, float]:
        return {label: float(value) for label, value in zip(self.labels, row, strict=True)}


def _actor(example: Example) -> str | None:
    return next((span.names[0] for role, span in example.spans if role in ("actor", "source") and span.names), None)
