"""`conflictnlp train` as a Hydra application: words in, two lines a run on stdout."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from conflictnlp import composition, processes
from conflictnlp.commands.cross_validation import CrossValidationResult
from conflictnlp.commands.train import TrainResult, run_training
from conflictnlp.errors import ConflictNLPError, InputError, TrackingError


def main(arguments: Sequence[str]) -> int:
    """Run `conflictnlp train` as a Hydra application, or help the process that does.

    Args:
        arguments: the words after `train`.

    Returns:
        the exit status.
    """
    if processes.count() == 1:
        return _application(arguments)
    if processes.rank() > 0:
        processes.follow()
        return 0
    with processes.leading():
        return _application(arguments)


def _application(arguments: Sequence[str]) -> int:
    import hydra

    from conflictnlp.commands.sweep import install_sweeper

    composition.register()
    install_sweeper()
    signal.signal(signal.SIGTERM, terminated)
    # Hydra then hands its errors to us, instead of ending the process with status 1 itself.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    sys.argv = ["conflictnlp train", *arguments]
    application = hydra.main(version_base="1.3", config_path=f"pkg://{composition.CONFIG_MODULE}", config_name="config")
    refused: list[ConflictNLPError] = []

    def job(node: Any) -> None:
        # Hydra would add lines of its own to an error that is ours and told in one line.
        try:
            _job(node)
        except ConflictNLPError as error:
            refused.append(error)

    _refuse_unknown_flags(arguments)
    try:
        application(job)()
    except Exception as error:
        told = composition.translate(error)
        if told is error:
            raise
        raise told from error
    if refused:
        raise refused[0]
    return 0


def run_job(node: Any) -> TrainResult | CrossValidationResult:
    """Carry out one job of a Hydra application, in the folder that Hydra laid out for it.

    Args:
        node: the composed config.

    Returns:
        as `run_training`.
    """
    from hydra.core.hydra_config import HydraConfig

    hydra_node = HydraConfig.get()
    folder = Path(hydra_node.runtime.output_dir)
    try:
        return run_training(composition.to_config(node), folder, list(hydra_node.overrides.task))
    finally:
        # Hydra lays its folder out before anything is checked; a resumed run lies in its old one.
        from conflictnlp.tracking.folder import discard_unused

        discard_unused(folder)


def _job(node: Any) -> None:
    try:
        result = run_job(node)
    except TrackingError as error:
        # Lost after the work was done, or full before it began.
        if (done := getattr(error, "result", None)) is not None:
            announce(done)
        raise
    announce(result)


def _refuse_unknown_flags(arguments: Sequence[str]) -> None:
    """Refuse flags before Hydra's own parser does, which would print its whole usage."""
    from hydra._internal.utils import get_args_parser

    _, unknown = get_args_parser().parse_known_args(list(arguments))
    if unknown:
        raise InputError(f"train: unknown flag {' '.join(unknown)}; see conflictnlp train --help")


def announce(result: TrainResult | CrossValidationResult) -> None:
    """Write the lines that scripts read from stdout: two a run, and one for the parent of folds."""
    sys.stderr.flush()
    if isinstance(result, CrossValidationResult):
        for fold in result.folds:
            announce(fold)
        print(f"parent_run_id: {result.run_id}", flush=True)
    else:
        print(f"run_id: {result.run_id}\nbundle: {result.bundle}", flush=True)


def terminated(number: int, frame: Any) -> None:
    """End the process on a signal as an exception, so that what is open is closed."""
    raise SystemExit(128 + number)
