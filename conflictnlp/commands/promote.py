"""`conflictnlp promote`: let an alias name the model of a finished run."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from conflictnlp.bundle import MANIFEST
from conflictnlp.tracking.store import Store

if TYPE_CHECKING:
    from conflictnlp.tracking.registry import Promotion

log = logging.getLogger(__name__)


def promote(ref: str, name: str | None = None, alias: str = "champion", force: bool = False) -> Promotion:
    """Register a finished run's model and let an alias name it.

    Args:
        ref: the run: its id, the beginning of it, or its unique name; or a bundle's folder, exported or not, of which
            the store has the run.
        name: the registered model; None for the run's task.
        alias: the alias.
        force: set it even if the run scores below the alias's present bearer, or cannot be compared with it.

    Returns:
        what the alias names now, and what it named before.

    Raises:
        InputError: the run is not found or has no model, the name is another task's, or the bearer is not beaten.
        TrackingError: the registry failed on the way.
    """
    from conflictnlp.tracking.references import find_run
    from conflictnlp.tracking.registry import register, run_of_bundle

    store = Store(create=False)
    folder = Path(ref).expanduser()
    if (folder / MANIFEST).is_file():
        promotion = register(store, run_of_bundle(store, folder), name, alias, force, folder)
    else:
        promotion = register(store, find_run(ref, store), name, alias, force)
    log.info("models:/%s@%s is version %d now", promotion.name, promotion.alias, promotion.version)
    return promotion
