"""A bar on stderr for every training, and its numbers under the names that runs use."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from tqdm import tqdm
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

LogFunction = Callable[[dict[str, float], int], None]


class ProgressBar(TrainerCallback):
    """A bar on stderr, and every log line handed on (the stock bar writes its logs to stdout).

    Args:
        log: takes (metrics, step); None for nobody.
        before: steps of earlier stages, from which the count goes on.
    """

    def __init__(self, log: LogFunction | None, before: int = 0) -> None:
        self._log = log
        self._before = before
        self._bar: tqdm | None = None

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Open the bar where the run stands."""
        self._bar = tqdm(
            total=state.max_steps,
            initial=state.global_step,
            desc="training",
            unit="step",
            file=sys.stderr,
            disable=not (state.is_world_process_zero and sys.stderr.isatty()),
        )

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Move the bar."""
        assert self._bar is not None
        self._bar.update(state.global_step - self._bar.n)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Hand numbers on under the names that runs use: train/… and val/…"""
        if self._log is None or not logs:
            return
        kept = {name: value for name, value in logs.items() if isinstance(value, int | float) and name != "epoch"}
        named = {
            f"val/{name.removeprefix('eval_')}" if name.startswith("eval_") else f"train/{name}": float(value)
            for name, value in kept.items()
            if not name.startswith(("train_", "total_flos"))
        }
        if named:
            self._log(named, self._before + state.global_step)

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.close()
