"""`conflictnlp train -m`: several jobs under one parent run, whichever launcher carries them out."""

from __future__ import annotations

import logging
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.plugins import Plugins
from hydra.types import HydraContext, TaskFunction

from conflictnlp import composition, processes
from conflictnlp.commands.cross_validation import CrossValidationResult
from conflictnlp.commands.record import PARENT_RUN, about, settings_in
from conflictnlp.commands.sweep_again import FinishedSweep, finished_sweep
from conflictnlp.commands.train import TrainResult
from conflictnlp.config import Config
from conflictnlp.errors import ConflictNLPError, IncompleteError, InputError
from conflictnlp.files import sha256_json

log = logging.getLogger(__name__)
_SEED = re.compile(r"\+*seed=")
_SWEEPER = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"
_LAUNCHER = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"
# Hydra loads its plugins anew when it looks for them; these are the classes that it will use.
BasicSweeper: Any = Plugins.instance().class_name_to_class[_SWEEPER]
BasicLauncher: Any = Plugins.instance().class_name_to_class[_LAUNCHER]


@dataclass
class Job:
    """One combination of a sweep.

    Attributes:
        words: Hydra's words.
        label: those of them that vary, but the seed; it names a configuration.
        config: what they compose to; None if they do not.
        result: what the run left, once it is done.
        fault: why there is none.
    """

    words: list[str]
    label: str
    config: Config | None = None
    result: TrainResult | CrossValidationResult | None = None
    fault: BaseException | None = None


def install_sweeper() -> None:
    """Let Hydra's own sweeper be ours: same words, but one parent run, and no job lost for another's failure."""
    # Hydra takes plugins from its own namespace alone, which is no place for a package's command.
    Plugins.instance().class_name_to_class[_SWEEPER] = RunSweeper


def sweep_job(node: Any) -> TrainResult | CrossValidationResult:
    """Carry out one job, in whatever process the launcher chose; the launching process announces it."""
    from conflictnlp.commands.application import run_job

    return run_job(node)


class RunSweeper(BasicSweeper):
    """Hydra's basic sweeper with a parent run."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: Any) -> None:
        """Prepare the launcher, as Hydra asks, with a job that returns its result."""
        super().setup(hydra_context=hydra_context, task_function=sweep_job, config=config)

    def sweep(self, arguments: list[str]) -> list[TrainResult | CrossValidationResult]:
        """Run all combinations under one parent.

        Args:
            arguments: Hydra's words, with the choices to sweep over.

        Returns:
            the results of the jobs that were done.

        Raises:
            InputError: jobs failed, each by a fault of the input.
            IncompleteError: jobs failed, not all by the input.
        """
        from omegaconf import OmegaConf

        from conflictnlp.commands.application import announce
        from conflictnlp.commands.sweep_summary import summarise
        from conflictnlp.tracking.parents import open_parent
        from conflictnlp.tracking.store import Store

        assert self.config is not None
        processes.refuse_several("train -m")
        jobs = self._jobs(arguments)
        first = next((job.config for job in jobs if job.config), None)
        if first is None:
            raise _failure(jobs)
        store = Store(first.tracking)
        record = self._record(first, jobs)
        if done := finished_sweep([job.config for job in jobs], record, store):
            return _tell_finished(done)
        folder = Path(str(self.config.hydra.sweep.dir)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        OmegaConf.save(self.config, folder / "multirun.yaml")
        with open_parent(store, folder / "summary", record) as parent:
            for job in self._launch([job for job in jobs if job.config], folder, parent.run_id):
                if job.result is not None:
                    announce(job.result)
            summarise(jobs, parent, store, first.evaluation)
            failed = [job for job in jobs if job.fault]
            for job in failed:
                log.error("failed: %s (%s)", " ".join(job.words), _reason(job))
            if failed:
                parent.end("FAILED", {"error": str(_failure(jobs))[:4000]})
            else:
                parent.end("FINISHED")
        print(f"parent_run_id: {parent.run_id}", flush=True)
        if failed:
            raise _failure(jobs)
        return [job.result for job in jobs if job.result]

    def _jobs(self, arguments: Sequence[str]) -> list[Job]:
        """Compose every combination; one that cannot be composed is a failed job, not the end of the sweep."""
        from hydra.core.override_parser.overrides_parser import OverridesParser

        assert self.hydra_context is not None
        parser = OverridesParser.create(config_loader=self.hydra_context.config_loader)
        overrides = parser.parse_overrides([*self._parse_config(), *arguments])
        combinations: list[list[str]] = self.split_arguments(overrides, None)[0]
        varying = [len(set(words)) > 1 for words in zip(*combinations, strict=True)]
        jobs = []
        for words in combinations:
            shown = [word for word, varies in zip(words, varying, strict=True) if varies and not _SEED.match(word)]
            job = Job(words, " ".join(shown))
            try:
                job.config = self._compose(words)
            except InputError as error:
                job.fault = error
            else:
                job.label = job.label or f"{job.config.model.name}-{job.config.data.name}"
            jobs.append(job)
        return jobs

    def _compose(self, words: Sequence[str]) -> Config:
        from omegaconf import open_dict

        assert self.hydra_context is not None and self.config is not None
        try:
            node = self.hydra_context.config_loader.load_sweep_config(self.config, list(words))
            with open_dict(node):
                del node["hydra"]
            return composition.to_config(node)
        except Exception as error:
            raise composition.translate(error) from error

    def _record(self, first: Config, jobs: Sequence[Job]) -> dict[str, Any]:
        """Say what the parent is; a sweep is known by the configs of its jobs, however they were worded."""
        assert self.config is not None
        own = [word for word in self.config.hydra.overrides.hydra if not word.startswith("hydra.mode=")]
        words = ["conflictnlp", "train", "-m", *own, *self.config.hydra.overrides.task]
        known = [job.config.identity() if job.config else job.words for job in jobs]
        names = list(dict.fromkeys(job.config.data.name for job in jobs if job.config))
        models = list(dict.fromkeys(job.config.model.name for job in jobs if job.config))
        settings = settings_in(self.config.hydra.overrides.task)
        return {
            "experiment": first.tracking.experiment or first.task.name,
            "about": about(first.to_task()),
            "name": f"sweep-{'-'.join([*models, *names])}-{len(jobs)}",
            "note": f"{len(jobs)} jobs; scores over seeds stand here once they are done.",
            "tags": {
                **first.tracking.tags,
                "task": first.task.name,
                "model": ",".join(models),
                "data": ",".join(names),
                "kind": "sweep",
                **({"settings": settings} if settings else {}),
                "command": shlex.join(words),
                "identity": sha256_json(["sweep", known]),
            },
            "params": {"jobs": len(jobs), "configurations": len({job.label for job in jobs})},
            "datasets": [],
        }

    def _launch(self, jobs: Sequence[Job], folder: Path, parent_id: str) -> Iterator[Job]:
        """Carry jobs out; yields each once it has a result or a fault."""
        assert self.launcher is not None
        # Given as words, so that they reach jobs in other processes and on other machines.
        quoted = str(folder).replace("\\", "\\\\").replace("'", "\\'")
        own = [f"hydra.sweep.dir='{quoted}'", f"+hydra.job.env_set.{PARENT_RUN}='{parent_id}'"]
        # One after another anyway, so each is told when it is done.
        size = 1 if isinstance(self.launcher, BasicLauncher) else self.max_batch_size
        waiting = [list(chunk) for chunk in self.split_overrides_to_chunks(list(jobs), size)]
        number = 0
        while waiting:
            chunk: list[Any] = waiting.pop(0)
            try:
                returns = self.launcher.launch([[*job.words, *own] for job in chunk], initial_job_idx=number)
            except Exception as error:
                if len(chunk) > 1:
                    # A worker died and took the others' answers with it; those that are done will say so at once.
                    log.warning("the launcher failed; going on with one job at a time", exc_info=True)
                    waiting = [[job] for job in chunk] + waiting
                else:
                    log.warning("the launcher failed", exc_info=True)
                    chunk[0].fault = error
                    yield chunk[0]
                continue
            finally:
                number += len(chunk)
            for job, returned in zip(chunk, returns, strict=True):
                _take(job, returned)
                yield job


def _tell_finished(done: FinishedSweep) -> list[TrainResult | CrossValidationResult]:
    from conflictnlp.commands.application import announce

    summary = done.folder / "summary.md"
    log.info("already finished: %s\n%s", done.folder, summary.read_text("utf-8") if summary.is_file() else "")
    for result in done.results:
        announce(result)
    print(f"parent_run_id: {done.run_id}", flush=True)
    return done.results


def _take(job: Job, returned: Any) -> None:
    """Note a job's result, or its exception, which Hydra would raise."""
    answer = returned._return_value
    if not isinstance(answer, BaseException):
        job.result = answer
        return
    told = composition.translate(answer) if isinstance(answer, Exception) else answer
    job.fault = told
    # A store that was lost after the work was done.
    job.result = getattr(answer, "result", None)
    if not isinstance(told, ConflictNLPError):
        log.error("job %s failed", " ".join(job.words), exc_info=answer)


def _reason(job: Job) -> str:
    own = isinstance(job.fault, ConflictNLPError)
    return " ".join(f"{'' if own else f'{type(job.fault).__name__}: '}{job.fault}".split())


def _failure(jobs: Sequence[Job]) -> ConflictNLPError:
    failed = [job for job in jobs if job.fault]
    kind = InputError if all(isinstance(job.fault, InputError) for job in failed) else IncompleteError
    told = "; ".join(f"{' '.join(job.words)}: {_reason(job)}" for job in failed)
    return kind(f"sweep: {len(failed)} of {len(jobs)} jobs failed: {told}")
