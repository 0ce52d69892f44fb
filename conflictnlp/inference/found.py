"""Articles asked about the actors that a model finds in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from conflictnlp.config import ColumnsConfig
from conflictnlp.data.example import Example, make_passage
from conflictnlp.data.read import Row
from conflictnlp.inference.asking import ask
from conflictnlp.inference.model import Model
from conflictnlp.inference.records import article_of

_CHUNK = 64


def asking_about_found(articles: Sequence[Example], model: Model) -> list[list[Example]]:
    """Find the actors that each article names, and ask it about each of them.

    Args:
        articles: texts without spans.
        model: its tagger finds the actors.

    Returns:
        for each article one example an actor, in the order of their first mentions; none where nobody is found.

    Raises:
        InputError: the model's bundle holds no tagger.
    """
    passages = [make_passage(article.text, article.title, {}, ()) for article in articles]
    asked = []
    for article, passage, parties in zip(
        articles, passages, model.find_actors([passage.text for passage in passages]), strict=True
    ):
        asked.append([ask(article, (one.name, *one.aliases), one.mentions, passage.offset) for one in parties])
    return asked


def found_questions(rows: Iterable[Row], model: Model, columns: ColumnsConfig) -> Iterator[tuple[Row, Example]]:
    """Ask every row about the actors that the model finds in it.

    Args:
        rows: the input's records, without actors.
        model: its tagger finds the actors.
        columns: names of the input's columns.

    Yields:
        (row, question); a row in which nobody is found comes once, with an actor that is not in its text.
    """
    stream = iter(rows)
    while chunk := list(islice(stream, _CHUNK)):
        articles = [article_of(row, model.task, columns) for row in chunk]
        for row, article, asked in zip(chunk, articles, asking_about_found(articles, model), strict=True):
            yield from ((row, question) for question in asked or [article])
