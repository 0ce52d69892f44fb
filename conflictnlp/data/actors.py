"""Lists of actors with their aliases, kept in a file for a whole corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from conflictnlp.errors import InputError
from conflictnlp.text import search_key


@dataclass(frozen=True, slots=True)
class Actor:
    """A party to a conflict and what texts call it.

    Attributes:
        name: what records call it.
        aliases: its other names.
        kind: state, rebel, militia, …; for the user's own use.
    """

    name: str
    aliases: tuple[str, ...] = ()
    kind: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The name and its aliases."""
        return (self.name, *self.aliases)


def parse_actor(words: str) -> Actor:
    """Read `NAME|ALIAS|…`.

    Args:
        words: as given with `--actor`.

    Returns:
        the actor.

    Raises:
        InputError: there is no name.
    """
    names = [name.strip() for name in words.split("|") if name.strip()]
    if not names:
        raise InputError(f"--actor {words!r}: an empty name")
    return Actor(names[0], tuple(dict.fromkeys(names[1:])))


def gather_actors(stated: Sequence[str], path: str | Path | None = None) -> list[Actor]:
    """Join the actors of the command line and of a file; an actor that both name is the command line's.

    Args:
        stated: `NAME|ALIAS|…`, each an actor.
        path: an actors file, or None.

    Returns:
        the actors, the stated ones first.

    Raises:
        InputError: there is no name, the file has a fault, or two actors share a name.
    """
    actors = [parse_actor(words) for words in stated]
    _refuse_shared_names(actors, "--actor")
    if path is not None:
        names = {actor.name for actor in actors}
        actors += [actor for actor in read_actors(path) if actor.name not in names]
        _refuse_shared_names(actors, f"--actor and {path}")
    return actors


def read_actors(path: str | Path) -> list[Actor]:
    """Read an actors file: a YAML list of mappings with `name`, `aliases` (a list) and `kind`.

    Args:
        path: the file.

    Returns:
        the actors in the file's order.

    Raises:
        InputError: the file cannot be read, an entry is malformed, or two actors share a name.
    """
    try:
        entries = yaml.safe_load(Path(path).expanduser().read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise InputError(f"{path}: cannot be read as YAML ({' '.join(str(error).split())})") from error
    if not isinstance(entries, list) or not entries:
        raise InputError(f"{path}: must be a list of actors: - name: …, aliases: [ … ], kind: …")
    actors = [_actor(entry, f"{path}: entry {number}") for number, entry in enumerate(entries, 1)]
    _refuse_shared_names(actors, str(path))
    return actors


def _actor(entry: Any, where: str) -> Actor:
    if not isinstance(entry, dict) or set(entry) - {"name", "aliases", "kind"} or "name" not in entry:
        raise InputError(f"{where}: must have name, and may have aliases and kind; it is {entry!r}")
    aliases = entry.get("aliases") or []
    # A text is a sequence too: its letters would become the aliases.
    if not isinstance(aliases, list):
        raise InputError(f"{where}: aliases must be a list, such as [{aliases}]")
    for name in (entry["name"], *aliases):
        if not isinstance(name, str):
            raise InputError(f"{where}: names must be words, not {name!r}; quote those that YAML changes, such as 'NO'")
        if not name.strip() or "|" in name:
            raise InputError(f"{where}: {name!r} is no name; it must hold a word and no '|' (aliases are a list)")
    names = [name.strip() for name in (entry["name"], *aliases)]
    kind = entry.get("kind")
    return Actor(names[0], tuple(dict.fromkeys(names[1:])), str(kind) if kind else None)


def _refuse_shared_names(actors: Sequence[Actor], where: str) -> None:
    owner: dict[str, int] = {}
    for number, actor in enumerate(actors):
        for name in actor.names:
            first = owner.setdefault(search_key(name), number)
            if first != number:
                raise InputError(f"{where}: {name!r} names two actors, {actors[first].name} and {actor.name}")
