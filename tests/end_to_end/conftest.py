"""The real commands, each in a process of its own, in an empty folder."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

COMMAND = str(Path(sys.executable).with_name("conflictnlp"))
PLAIN = ("evaluation.plots=false", "evaluation.bootstrap=20")
Done = subprocess.CompletedProcess[str]
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)


@pytest.fixture
def conflictnlp(tmp_path: Path) -> Callable[..., Done]:
    """Run a command to its end."""

    def run(*words: str, **settings: str) -> Done:
        return subprocess.run(
            [COMMAND, *words], cwd=tmp_path, env={**os.environ, **settings}, capture_output=True, text=True, timeout=280
        )

    return run


@contextmanager
def started(folder: Path, *words: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """Start a command and leave no process of it behind; its streams go to `out` and `err` in the folder."""
    with (folder / "out").open("w") as out, (folder / "err").open("w") as err:
        process = subprocess.Popen(
            words,
            cwd=folder,
            env={**os.environ, **settings},
            stdout=out,
            stderr=err,
            text=True,
            start_new_session=True,
            # A shell that runs the tests in the background leaves SIGINT ignored, and its children inherit that.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def chromium() -> Iterator[Any]:
    """Start the browser without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        # Chromium's own sandbox does not start for root.
        own = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = player.chromium.launch(executable_path=CHROMIUM, args=own)
        yield browser
        browser.close()


@contextmanager
def server(folder: Path, backend: str | None = None) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run an MLflow server on a database, by default SQLite in the folder; yields its address and its process."""
    folder.mkdir()
    port = free_port()
    words = ["--backend-store-uri", backend or f"sqlite:///{folder}/server.db"]
    words += ["--artifacts-destination", f"{folder}/artifacts"]
    words += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    no_jobs = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with started(folder, sys.executable, "-m", "mlflow", "server", *words, **no_jobs) as process:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}"), process, folder)
        yield f"http://127.0.0.1:{port}", process


def wait_for(condition: Callable[[], object], process: subprocess.Popen[str], folder: Path) -> None:
    """Return once the condition holds; fail if the process ends before."""
    while not condition():
        assert process.poll() is None, (folder / "err").read_text()
        time.sleep(0.05)


def answers(url: str) -> bool:
    """Whether a server answers a request for its health."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def told(done: Done) -> tuple[str, Path]:
    """Return run id and bundle of a training that ended well."""
    assert done.returncode == 0, done.stderr
    return read_told(done.stdout)


def read_told(out: str) -> tuple[str, Path]:
    """Return run id and bundle from the two lines on stdout."""
    run_id, bundle = (line.partition(": ")[2] for line in out.splitlines())
    return run_id, Path(bundle)
