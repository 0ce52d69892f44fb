"""What lies in a run's folder: its record, its history, and what was laid out for it before it began."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

HISTORY = "history.jsonl"
RECORD = "run.json"
LOCK = ".lock"
TAG_IDENTITY = "identity"


def identity_of(record: Mapping[str, Any]) -> str:
    """Return what names a run's config and data."""
    return str(record["tags"].get(TAG_IDENTITY, ""))


def identity_in(folder: Path) -> str | None:
    """Return the identity of the run that a folder holds: of its config and data; None if it holds none."""
    path = folder / RECORD
    if not path.is_file():
        return None
    return identity_of(json.loads(path.read_text(encoding="utf-8")))


def last_entry(folder: Path) -> dict[str, Any] | None:
    """Return the last entry of a run's history: step, time and metrics; None if there is none."""
    history = read_history(folder)
    return history[-1] if history else None


def read_history(folder: Path) -> list[dict[str, Any]]:
    """Return the entries of a run's history in order; none where it has none."""
    path = folder / HISTORY
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def discard_unused(folder: Path) -> None:
    """Remove what was laid out for a run that never began, and the folders that are empty then.

    Args:
        folder: the run's folder; one that holds a run, or files of the user's, stays.
    """
    if (folder / RECORD).is_file():
        return
    shutil.rmtree(folder / ".hydra", ignore_errors=True)
    for name in (LOCK, "job.log"):
        (folder / name).unlink(missing_ok=True)
    here = Path.cwd()
    with suppress(OSError):
        folder.rmdir()
        for parent in folder.parents:
            if here not in parent.parents:
                break
            parent.rmdir()
