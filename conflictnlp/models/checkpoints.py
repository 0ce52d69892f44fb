"""Where a training that was cut off goes on."""

from __future__ import annotations

import json
from pathlib import Path


def last_checkpoint(folder: Path) -> Path | None:
    """Return the newest complete checkpoint, or None."""
    return next(iter(checkpoints_in(folder)), None)


def checkpoints_in(folder: Path) -> list[Path]:
    """Return complete checkpoints, the newest first.

    The trainer's state is written last, so a checkpoint without a readable one was cut off by a kill.

    Args:
        folder: where they lie.

    Returns:
        their folders.
    """
    complete = []
    steps = {path: path.name.removeprefix("checkpoint-") for path in folder.glob("checkpoint-*")}
    found = [path for path, step in steps.items() if step.isdecimal()]
    for path in sorted(found, key=lambda path: int(steps[path]), reverse=True):
        try:
            json.loads((path / "trainer_state.json").read_text())
        except (OSError, ValueError):
            continue
        complete.append(path)
    return complete
