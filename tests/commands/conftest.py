"""Commands run in this process: in an empty working folder with a store, their streams caught."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from mlflow import MlflowClient

from conflictnlp.cli import main
from tests.tracking.conftest import empty_database, store, workplace

__all__ = ["empty_database", "store", "workplace"]
# A model and data that are trained in about a second.
QUICK = ("model=tfidf", "model.max_features=500", "data.limit=60", "evaluation.plots=false", "evaluation.bootstrap=20")

# Texts that the shared bundles know.
WAR, DEAL = "Shells hit the town.", "Envoys signed the truce."
MOVES = "On Monday IS advanced on Ostra. On Monday the army retreated from Velm."


@dataclass(frozen=True)
class Said:
    """What a command left.

    Attributes:
        status: its exit status.
        out: its stdout.
        err: its stderr.
    """

    status: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """The one line that a refused input is told in; anything else fails the test."""
        assert (self.status, self.out) == (2, ""), self
        assert self.err.startswith("conflictnlp: ") and self.err.count("\n") == 1, self.err
        return self.err.removeprefix("conflictnlp: ").rstrip()


def failing_fit(patch: pytest.MonkeyPatch, number: int, error: BaseException) -> list[float]:
    """Let the fit of a TF-IDF model of this number (from 1) fail, and return the list that each fit's C goes into."""
    from conflictnlp.models import TfidfClassifier

    fit = TfidfClassifier.fit
    fitted: list[float] = []

    def failing(self: Any, *arguments: Any, **named: Any) -> Any:
        fitted.append(self.C)
        if len(fitted) == number:
            raise error
        return fit(self, *arguments, **named)

    patch.setattr(TfidfClassifier, "fit", failing)
    return fitted


@dataclass(frozen=True)
class Trained:
    """A training that ended well.

    Attributes:
        folder: where it was started.
        said: what it said.
        run_id: its run.
        bundle: its model.
    """

    folder: Path
    said: Said
    run_id: str
    bundle: Path

    @property
    def client(self) -> MlflowClient:
        """MLflow's view of the store."""
        return MlflowClient(f"sqlite:///{self.folder}/mlflow.db")


Run = Callable[..., Said]


def say(*words: str) -> Said:
    """Run a command."""
    out, err = io.StringIO(), io.StringIO()
    root = logging.getLogger()
    handlers, root.handlers = root.handlers, []  # A process of its own would have none either.
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main(words)
    finally:
        root.handlers = handlers
    return Said(status, out.getvalue(), err.getvalue())


@pytest.fixture
def run(workplace: Path) -> Run:
    return say


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Trained:
    """A topic model of the embedded sample."""
    folder = tmp_path_factory.mktemp("trained")
    shutil.copy(empty_database, folder)
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        said = say("train", "task=topic", *QUICK)
    assert said.status == 0, said.err
    run_id, bundle = (line.partition(": ")[2] for line in said.out.splitlines())
    return Trained(folder, said, run_id, Path(bundle))


@pytest.fixture
def topic(topic_bundle: Path) -> Run:
    """Predict topics."""
    return lambda *words: say("predict", str(topic_bundle), *words)


@pytest.fixture
def momentum(actor_bundle: Path) -> Run:
    """Predict the momentum of actors."""
    return lambda *words: say("predict", str(actor_bundle), *words)


def answers(out: str) -> list[dict[str, Any]]:
    """Return the records of a JSON lines output."""
    return [json.loads(line) for line in out.split("\n") if line]


def write_inputs(folder: Path) -> None:
    """Write two records in every format of a table."""
    rows = [{"id": 7, "text": WAR, "source_url": "a"}, {"id": 8, "text": DEAL, "source_url": None}]
    frame = pd.DataFrame(rows)
    frame.to_csv(folder / "rows.csv", index=False)
    frame.to_csv(folder / "rows.tsv", index=False, sep="\t")
    frame.to_csv(folder / "rows.csv.gz", index=False)
    frame.to_parquet(folder / "rows.parquet", index=False)
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "rows.jsonl").write_text(lines)
    with gzip.open(folder / "rows.jsonl.gz", "wt") as stream:
        stream.write(lines)


def pipe(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Put bytes on standard input."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
