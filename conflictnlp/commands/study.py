"""The Optuna study of a search: in a file of its own, shared by workers, and whole again after a kill."""

from __future__ import annotations

import logging
import os
import uuid
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from conflictnlp.config import SearchConfig
from conflictnlp.errors import InputError

if TYPE_CHECKING:
    import optuna

log = logging.getLogger(__name__)
FILE = "study.db"
_KILLED, _WORKER = "killed", "worker"
# Seeds of neighbouring studies must not overlap with the numbers of trials.
_STRIDE = 100_003


class Study:
    """A study that several processes work on, one trial each at a time.

    Args:
        folder: where the study's file and locks lie; it is made.
        space: Optuna's distributions by name.
        config: trials, pruning and startup trials.
        seed: of the sampler.
    """

    def __init__(
        self, folder: Path, space: Mapping[str, optuna.distributions.BaseDistribution], config: SearchConfig, seed: int
    ) -> None:
        self.folder = folder
        self.lock = FileLock(folder / ".study.lock")
        self._space = dict(space)
        self._config = config
        self._seed = seed
        self._name = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        workers = folder / "workers"
        workers.mkdir(parents=True, exist_ok=True)
        # Held while this process lives, however it ends: a trial whose worker's lock is free was cut off.
        self._alive = FileLock(workers / f"{self._name}.lock")
        self._alive.acquire()
        with self.lock:
            self.optuna = self._open()

    def _open(self) -> optuna.Study:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        storage = optuna.storages.RDBStorage(
            f"sqlite:///{self.folder / FILE}", engine_kwargs={"connect_args": {"timeout": 120}}
        )
        pruner: optuna.pruners.BasePruner = optuna.pruners.NopPruner()
        if self._config.prune:
            pruner = optuna.pruners.MedianPruner(n_startup_trials=self._config.startup_trials, n_warmup_steps=1)
        return optuna.create_study(
            storage=storage, study_name="search", direction="maximize", pruner=pruner, load_if_exists=True
        )

    def next_trial(self) -> optuna.Trial | None:
        """Return a new trial, or one that was cut off anew; None once there are as many as wanted.

        Returns:
            Optuna's trial; its `params` are drawn.
        """
        import optuna

        with self.lock:
            self._recover()
            if len(self.ended()) + len(self._running()) >= self._config.trials:
                return None
            # A seed of its own for each trial: a search that was cut off draws what it would have drawn, and two
            # workers do not draw the same.
            number = len(self.optuna.trials)
            self.optuna.sampler = optuna.samplers.TPESampler(
                n_startup_trials=self._config.startup_trials, seed=(self._seed * _STRIDE + number) % 2**32
            )
            trial = self.optuna.ask(self._space)
            trial.set_user_attr(_WORKER, self._name)
            return trial

    def ended(self) -> list[optuna.trial.FrozenTrial]:
        """Return the trials that came to an end of their own: complete, pruned, or failed by themselves."""
        killed = set(self.optuna.user_attrs.get(_KILLED, []))
        return [trial for trial in self.optuna.trials if trial.state.is_finished() and trial.number not in killed]

    def others_at_work(self) -> bool:
        """Whether another living process is in a trial."""
        return any(trial.user_attrs.get(_WORKER) != self._name for trial in self._running() if self._is_alive(trial))

    def best(self) -> optuna.trial.FrozenTrial | None:
        """Return the best complete trial, or None if there is none."""
        import optuna

        done = self.optuna.get_trials(states=(optuna.trial.TrialState.COMPLETE,))
        return max(done, key=lambda trial: (trial.value or 0.0, -trial.number), default=None)

    def counts(self) -> dict[str, float]:
        """Return how many trials came to each end, as metrics."""
        ended = Counter(trial.state.name.lower() for trial in self.ended())
        return {f"search/{name}": float(ended[name]) for name in ("complete", "pruned", "fail")}

    def to_list(self) -> list[dict[str, Any]]:
        """Return plain JSON values of every trial, in order; one that was cut off says so."""
        killed = set(self.optuna.user_attrs.get(_KILLED, []))
        return [
            {
                "number": trial.number,
                "state": "CUT_OFF" if trial.number in killed else trial.state.name,
                "val/macro_f1": trial.value if trial.values else None,
                "evaluations": list(trial.intermediate_values.values()),
                "params": trial.params,
                "run_id": trial.user_attrs.get("run_id"),
                "error": trial.user_attrs.get("error"),
            }
            for trial in self.optuna.trials
        ]

    def close(self) -> None:
        """Let go of what says that this process is at work."""
        self._alive.release()
        Path(self._alive.lock_file).unlink(missing_ok=True)

    def _recover(self) -> None:
        """Fail the trials of processes that are gone, and queue their values again."""
        import optuna

        for trial in self._running():
            if self._is_alive(trial):
                continue
            killed = self.optuna.user_attrs.get(_KILLED, [])
            self.optuna.set_user_attr(_KILLED, [*killed, trial.number])
            self.optuna.tell(trial.number, state=optuna.trial.TrialState.FAIL, skip_if_finished=True)
            if trial.params:
                self.optuna.enqueue_trial(trial.params)
            log.info("trial %d was cut off; its values are tried again", trial.number)

    def _running(self) -> list[optuna.trial.FrozenTrial]:
        import optuna

        return self.optuna.get_trials(states=(optuna.trial.TrialState.RUNNING,))

    def _is_alive(self, trial: optuna.trial.FrozenTrial) -> bool:
        name = trial.user_attrs.get(_WORKER)
        if name == self._name:
            return True
        path = self.folder / "workers" / f"{name}.lock"
        if name is None or not path.is_file():
            return False
        try:
            with FileLock(path).acquire(timeout=0):
                return False
        except Timeout:
            return True


def require_optuna() -> None:
    """Refuse a search where Optuna is not installed.

    Raises:
        InputError: it is not; names the extra.
    """
    try:
        import optuna  # noqa: F401
    except ImportError as error:
        raise InputError("search: needs Optuna; pip install 'conflictnlp[search]'") from error
