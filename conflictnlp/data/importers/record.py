"""What every importer takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from conflictnlp.data.read import Row


@dataclass(frozen=True, slots=True)
class Options:
    """What the user says of a source that the source does not say itself.

    Attributes:
        labels: names for the source's numbered classes, in order of the numbers.
        multi: write the list `labels` instead of the one `label`.
        text_field: the field that holds the text.
        control: whose codes are the labels, where annotators were asked several things.
    """

    labels: tuple[str, ...] = ()
    multi: bool = False
    text_field: str | None = None
    control: str | None = None

    def given(self) -> list[str]:
        """Return the names of the options that are set."""
        return [name for name in ("labels", "multi", "text_field", "control") if getattr(self, name)]


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that cannot be used.

    Attributes:
        where: file and line.
        reason: what is wrong with it.
    """

    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was done on the way and is counted for the user; nothing is wrong."""

    what: str


Imported = Row | Fault | Note


@dataclass(frozen=True, slots=True)
class Format:
    """One format that can be imported.

    Attributes:
        name: its name on the command line.
        summary: one line for `--help`.
        read: yields a file's rows with this package's columns.
        options: names of the `Options` that it uses.
    """

    name: str
    summary: str
    read: Callable[[Path, Options], Iterator[Imported]]
    options: frozenset[str] = field(default_factory=frozenset)


def stem(path: Path) -> str:
    """Return a file's name without its suffixes, to tell its rows from another file's."""
    return path.name.removesuffix(".gz").rsplit(".", 1)[0]


def class_name(number: int, names: tuple[str, ...]) -> str | None:
    """Return the name of a numbered class.

    Args:
        number: counted from 0.
        names: the user's, or none.

    Returns:
        the user's name for it; `c<number>` without any; None if the user named fewer.
    """
    if not names:
        return f"c{number}"
    return names[number] if number < len(names) else None
