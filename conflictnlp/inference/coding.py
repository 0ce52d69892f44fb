"""One joint record for an article: its topic, its event types, and each actor's momentum with the evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from conflictnlp.data.actors import Actor
from conflictnlp.data.example import Example
from conflictnlp.inference.asking import ask_about, beside_found
from conflictnlp.inference.found import asking_about_found
from conflictnlp.inference.model import Model
from conflictnlp.inference.prediction import Prediction
from conflictnlp.inference.records import text_fault

_CHUNK = 64
# An event type other than the most probable one is told above this probability (multi-label: from its threshold on).
_TOLD = 0.2


@dataclass(frozen=True)
class Coder:
    """Models that together code an article; each may be missing.

    Attributes:
        topic: single-label.
        event_type: single- or multi-label.
        momentum: reads a text for one actor.
        actors: asked of every article that names them; without any, the momentum model finds the actors itself.
        find_actors: ask about found actors beside the stated ones.
        abstain_below: a less probable label is left out: None stands for it.
    """

    topic: Model | None = None
    event_type: Model | None = None
    momentum: Model | None = None
    actors: Sequence[Actor] = ()
    find_actors: bool = False
    abstain_below: float | None = None

    def code(self, articles: Iterable[Example]) -> Iterator[dict[str, Any]]:
        """Code articles one by one, in order and in bounded memory.

        Args:
            articles: texts without spans.

        Yields:
            id, date, topic, event_types, actors, models, error; a part whose model is missing is None or empty.
        """
        stream = iter(articles)
        while chunk := list(islice(stream, _CHUNK)):
            yield from self._chunk(chunk)

    def _chunk(self, articles: list[Example]) -> Iterator[dict[str, Any]]:
        topics = _predict(self.topic, articles, self.abstain_below)
        types = _predict(self.event_type, articles)
        questions = self._questions(articles)
        courses: list[list[dict[str, Any]]] = [[] for _ in articles]
        answers = _predict(self.momentum, [asked for _, asked in questions], self.abstain_below)
        for (number, asked), answer in zip(questions, answers, strict=True):
            courses[number].append(_course(asked, answer))
        for number, article in enumerate(articles):
            yield {
                "id": article.id,
                "date": article.date,
                "topic": _topic(topics[number]) if self.topic else None,
                "event_types": self._event_types(types[number]) if self.event_type else [],
                "actors": courses[number],
                "models": self._models(),
                "error": text_fault(article),
            }

    def _questions(self, articles: list[Example]) -> list[tuple[int, Example]]:
        """Return (number of the article, article asked about one actor); stated actors win over found ones."""
        if self.momentum is None:
            return []
        told = [(number, article) for number, article in enumerate(articles) if article.text.strip()]
        names = [actor.names for actor in self.actors]
        stated = [ask_about(article, names) for _, article in told]
        if self.find_actors or not names:
            found = asking_about_found([article for _, article in told], self.momentum)
            stated = [beside_found(own, others) for own, others in zip(stated, found, strict=True)]
        return [(number, asked) for (number, _), own in zip(told, stated, strict=True) for asked in own]

    def _event_types(self, prediction: Prediction) -> list[dict[str, Any]]:
        assert self.event_type is not None
        ranked = sorted(prediction.probabilities.items(), key=lambda item: -item[1])
        is_multi, least = self.event_type.task.is_multi, self.abstain_below or 0
        told = [
            {"label": label, "probability": chance}
            for number, (label, chance) in enumerate(ranked)
            if chance >= least and (number == 0 or (label in prediction.labels if is_multi else chance > _TOLD))
        ]
        return told or [{"label": None, "probability": chance} for _, chance in ranked[:1]]

    def _models(self) -> dict[str, dict[str, str] | None]:
        named = {"topic": self.topic, "event_type": self.event_type, "momentum": self.momentum}
        return {
            task: {"model": model.ref, "bundle": model.fingerprint} if model else None for task, model in named.items()
        }


def _predict(model: Model | None, examples: list[Example], abstain_below: float | None = None) -> list[Prediction]:
    return list(model.predict_examples(examples, abstain_below)) if model else []


def _topic(prediction: Prediction) -> dict[str, Any] | None:
    return None if prediction.error else {"label": prediction.label, "probability": prediction.probability}


def _course(asked: Example, prediction: Prediction) -> dict[str, Any]:
    span = dict(asked.spans)["actor"]
    return {
        "name": span.names[0],
        "mentions": [list(mention) for mention in span.mentions or () if mention[0] >= 0],
        "label": prediction.label,
        "probability": prediction.probability,
        "probabilities": prediction.probabilities,
        "evidence": prediction.to_dict()["evidence"],
    }
