"""Lists of actors with their aliases, kept in a file for a whole corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from conflictnlp.errors import InputError


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
        entries = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path}: cannot be read as YAML ({' '.join(str(error).split())})") from error
    if not isinstance(entries, list) or not entries:
        raise InputError(f"{path}: must be a list of actors: - name: …, aliases: [ … ], kind: …")
    actors = []
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict) or set(entry) - {"name", "aliases", "kind"} or "name" not in entry:
            raise InputError(f"{path}: entry {number}: must have name, and may have aliases and kind; it is {entry!r}")
        aliases = entry.get("aliases") or []
        if not isinstance(entry["name"], str) or not all(isinstance(alias, str) for alias in aliases):
            raise InputError(
                f"{path}: entry {number}: names must be words; quote those that YAML changes, such as 'NO'"
            )
        kind = entry.get("kind")
        actors.append(
            Actor(entry["name"].strip(), tuple(alias.strip() for alias in aliases), str(kind) if kind else None)
        )
    _refuse_shared_names(actors, str(path))
    return actors


def _refuse_shared_names(actors: Sequence[Actor], where: str) -> None:
    owner: dict[str, str] = {}
    for actor in actors:
        for name in actor.names:
            if owner.setdefault(name, actor.name) != actor.name:
                raise InputError(f"{where}: {name!r} names both {owner[name]} and {actor.name}")
