"""The tagger that finds actors where nobody names them: fitted beside a classifier, kept in its bundle."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import TYPE_CHECKING

from conflictnlp import processes
from conflictnlp.config import Config, TransformerConfig
from conflictnlp.data import Splits
from conflictnlp.data.example import Example
from conflictnlp.data.tagged import TaggedText, tagged_examples, tagger_texts
from conflictnlp.task import Task

if TYPE_CHECKING:
    from conflictnlp.models.mentions import MentionFinder
    from conflictnlp.models.tagger import ActorTagger

log = logging.getLogger(__name__)


def gather_texts(config: Config, task: Task, splits: Splits) -> list[TaggedText] | None:
    """Read what a tagger learns from, before a run is made: a fault in it shall not cost a training.

    Args:
        config: its `tagger`, `data` and `model` parts.
        task: the task.
        splits: checked data.

    Returns:
        the texts; None where the task finds no actors, the model is no encoder, or no tagger is wanted.

    Raises:
        InputError: a source is missing or faulty.
    """
    if not (task.finds_actors and config.tagger.train and isinstance(config.model, TransformerConfig)):
        return None
    return tagger_texts(config.data, task, [*splits.train, *splits.extra], [*splits.validation, *splits.test])


def fit_tagger(config: Config, texts: list[TaggedText]) -> ActorTagger:
    """Fit a tagger on texts in which actors are marked.

    Args:
        config: its `tagger` part, with the model's encoder.
        texts: as `gather_texts` returned them.

    Returns:
        the fitted tagger.
    """
    from conflictnlp.models.tagger import ActorTagger

    assert isinstance(config.model, TransformerConfig)
    settings = asdict(config.tagger)
    settings.pop("train")
    if config.trainer.batch_size is not None:
        settings["batch_size"] = config.trainer.batch_size
    log.info("fitting the tagger of actors on %d texts", len(texts))
    tagger = ActorTagger(
        config.model.encoder,
        config.model.revision,
        **settings,
        max_steps=config.trainer.max_steps,
        device=config.device,
        precision=config.trainer.precision,
    )
    processes.fit_together(tagger, texts)
    return tagger


def score_tagger(tagger: MentionFinder, examples: list[Example], task: Task, prefix: str) -> dict[str, float]:
    """Score found mentions against the marked ones of a split.

    Coders mark each actor once per text, so that a mention by another name counts as wrong here: precision is
    understated.

    Args:
        tagger: as read from the saved bundle.
        examples: the split's rows.
        task: the task.
        prefix: of the metrics' names, `val` or `test`.

    Returns:
        metrics by name, for instance `test/actor_spans_f1`; `overlap` counts a shared character as a match.
    """
    from conflictnlp.evaluation.spans import score_spans

    texts = tagged_examples(examples, task)
    found = [[(m.start, m.end) for m in mentions] for mentions in tagger.find([text.text for text in texts])]
    metrics: dict[str, float] = {}
    for name, overlap in (("actor_spans", False), ("actor_spans_overlap", True)):
        scores = score_spans([text.spans for text in texts], found, overlap)
        metrics |= {
            f"{prefix}/{name}_f1": scores.f1,
            f"{prefix}/{name}_precision": scores.precision,
            f"{prefix}/{name}_recall": scores.recall,
        }
    return metrics
