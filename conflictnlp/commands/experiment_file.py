"""A composed config as an experiment file, so that its whole meaning is `experiment=<name>`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from conflictnlp.composition import compose_node
from conflictnlp.files import write_text

_GROUPS = ("task", "data", "model", "trainer", "evaluation")
_OWN = ("search", "tracking", "resume", "resume_run", "name")


def write_experiment(path: Path, words: Sequence[str], comment: str) -> None:
    """Write what the words compose to as a file of the group `experiment`.

    Args:
        path: `<folder>/experiment/<name>.yaml`; the folder is for `--config-dir`.
        words: Hydra's words.
        comment: lines for the head of the file.
    """
    import yaml

    node, hydra_node = compose_node(words)
    chosen = {group: hydra_node.runtime.choices[group] for group in _GROUPS}
    search = [word for word in words if word.startswith("hydra.searchpath=")]
    base, _ = compose_node([*search, *(f"{group}={name}" for group, name in chosen.items())])
    values = difference(_plain(node), _plain(base))
    for key in _OWN:
        values.pop(key, None)
    head = {"defaults": [{f"override /{group}": name} for group, name in chosen.items()]}
    lines = ["# @package _global_", *(f"# {line}" for line in comment.splitlines())]
    text = yaml.safe_dump(head, sort_keys=False) + "\n" + (yaml.safe_dump(values, sort_keys=False) if values else "")
    write_text(path, "\n".join(lines) + "\n" + text)


def difference(values: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a nested mapping that differs from another."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            if inner := difference(value, base[key]):
                found[key] = inner
        elif key not in base or base[key] != value:
            found[key] = value
    return found


def _plain(node: Any) -> dict[str, Any]:
    from omegaconf import OmegaConf

    # Unresolved, so that ${seed} still follows the seed.
    values = OmegaConf.to_container(node, resolve=False)
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items()}
