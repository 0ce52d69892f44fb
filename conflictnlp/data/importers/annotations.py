"""What annotators marked and chose in a text, as rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conflictnlp.data.importers.record import Fault, Imported, Note, Options
from conflictnlp.data.read import Row
from conflictnlp.errors import InputError

# Fields of a text that this package's rows have too.
CARRIED = ("id", "title", "date", "group", "split")
_ROLES = {"source", "target"}


@dataclass(frozen=True, slots=True)
class Marked:
    """Words that an annotator marked.

    Attributes:
        start: first character in the text.
        end: character after the last.
        labels: what the words were marked as.
        choices: what was chosen for these words alone.
    """

    start: int
    end: int
    labels: tuple[str, ...]
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Coded:
    """One text as an annotator left it.

    Attributes:
        where: file and line.
        known: the row's fields but for actors and labels; `text` among them.
        choices: what was chosen for the whole text.
        spans: what was marked in it.
    """

    where: str
    known: dict[str, Any]
    choices: tuple[str, ...] = ()
    spans: tuple[Marked, ...] = field(default=())


def rows_of(texts: Sequence[Coded | Fault | Note], path: Path, options: Options) -> Iterator[Imported]:
    """Turn coded texts into rows.

    Where nothing is marked in any text, a text is a row with what was chosen for it. Else each marked span is a row
    of its own, its words the actor; its label is what was chosen for the span, else for the text, or in a file without
    any choice, what the words were marked as. Spans marked `source` and `target` make one row together.

    Args:
        texts: a file's texts; faults and notes are handed on.
        path: the file, for messages.
        options: `multi` writes lists of labels.

    Yields:
        the rows.

    Raises:
        InputError: a span could be labelled by what it was marked as or by what was chosen for its text.
    """
    coded = [text for text in texts if isinstance(text, Coded)]
    marked_as = {label for text in coded for span in text.spans for label in span.labels}
    by_choice = any(text.choices or any(span.choices for span in text.spans) for text in coded)
    in_roles = bool(marked_as) and {label.casefold() for label in marked_as} <= _ROLES
    if len(marked_as) > 1 and not in_roles and not options.control and any(text.choices for text in coded):
        raise InputError(
            f"{path}: both the marked words ({', '.join(sorted(marked_as))}) and choices for the whole text could be "
            "the labels; name the one that is with --control"
        )
    for text in texts:
        if not isinstance(text, Coded):
            yield text
        elif not text.known["text"].strip():
            yield Fault(text.where, "the text is empty")
        elif not marked_as:
            yield _labelled(text, {}, text.choices, options)
        elif not text.spans:
            yield Note("texts in which nothing is marked, left out")
        elif in_roles:
            yield _directed(text, options)
        else:
            for span in text.spans:
                labels = (span.choices or text.choices) if by_choice else span.labels
                yield _labelled(text, _place(text, span, "actor"), labels, options)


def _directed(text: Coded, options: Options) -> Row | Fault:
    marks: dict[str, Any] = {}
    for role in ("source", "target"):
        found = [span for span in text.spans if role in {label.casefold() for label in span.labels}]
        if len(found) > 1 or (role == "source" and not found):
            return Fault(text.where, f"{len(found)} spans are marked {role}, where one is needed")
        if found:
            marks |= _place(text, found[0], role)
    return _labelled(text, marks, text.choices, options)


def _place(text: Coded, span: Marked, role: str) -> dict[str, Any]:
    prefix = "" if role == "actor" else f"{role}_"
    words = text.known["text"][span.start : span.end]
    return {role: words, f"{prefix}start": span.start, f"{prefix}end": span.end}


def _labelled(text: Coded, marks: dict[str, Any], labels: Sequence[str], options: Options) -> Row | Fault:
    if barred := next((role for role in ("actor", *_ROLES) if "|" in str(marks.get(role) or "")), None):
        return Fault(text.where, f"the {barred} {marks[barred]!r} holds a bar, which separates an actor's names")
    if options.multi:
        return Row(text.where, {**text.known, **marks, "labels": list(labels)})
    if len(labels) != 1:
        told = f"{len(labels)} labels ({', '.join(labels)})" if labels else "no label"
        return Fault(text.where, f"{told} where one is needed; --multi writes lists of labels")
    return Row(text.where, {**text.known, **marks, "label": labels[0]})


def locate(text: str, start: Any, end: Any, words: Any) -> tuple[int, int] | str:
    """Find marked words by their stated offsets.

    Offsets count Unicode characters, or where these are other words than the marked ones, UTF-16 units, as browsers
    count (https://github.com/HumanSignal/label-studio/issues/1347); blanks at the ends are left out.

    Args:
        text: the text.
        start: stated offset of the first character.
        end: stated offset behind the last.
        words: the marked words if known, else None.

    Returns:
        (start, end) in characters, or what is wrong with them.
    """
    if not isinstance(start, int) or not isinstance(end, int) or isinstance(start, bool) or isinstance(end, bool):
        return f"offsets {start!r} to {end!r} are no whole numbers"
    units = text.encode("utf-16-le")
    sides = [(start, end)]
    if words is not None and 0 <= start < end <= len(units) // 2:
        sides.append(tuple(len(units[: 2 * side].decode("utf-16-le", "ignore")) for side in (start, end)))  # type: ignore[arg-type]
    for first, last in sides:
        held = text[first:last] if 0 <= first < last <= len(text) else ""
        if held.strip() and (words is None or _plain(held) == _plain(str(words))):
            return first + len(held) - len(held.lstrip()), last - len(held) + len(held.rstrip())
    held = text[start:end] if 0 <= start < end else ""
    told = f", not {str(words)[:40]!r}" if words is not None else ", no words"
    return f"characters {start} to {end} hold {held[:40]!r}{told}"


def _plain(words: str) -> str:
    # Label Studio writes a new line inside of marked words as a backslash and an n.
    return " ".join(words.replace("\\n", " ").split())


def carried(values: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a text that this package's rows have too."""
    return {name: str(values[name]) for name in CARRIED if values.get(name) not in (None, "", [], {})}
