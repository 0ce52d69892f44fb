"""What a process knows of the others that a launcher started, and what a single one does without them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from conflictnlp import processes
from conflictnlp.commands.train import train
from conflictnlp.errors import InputError
from conflictnlp.models.device import resolve_device
from tests.commands.conftest import say


@pytest.fixture
def second_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """What torchrun sets for the second of two processes on one machine."""
    for name, value in {"WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)


class Fitted:
    """An estimator that keeps what it was fitted on."""

    def fit(self, *arguments: Any, **named: Any) -> None:
        self.seen = arguments, named


def test_without_a_launcher_there_is_one_process() -> None:
    assert (processes.count(), processes.rank(), processes.local_rank(), processes.local_count()) == (1, 0, 0, 1)


def test_a_size_that_another_program_left_in_the_environment_counts_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "8")
    assert processes.count() == 1


@pytest.mark.usefixtures("second_of_two")
def test_a_launcher_says_how_many_there_are_and_which_this_is() -> None:
    assert (processes.count(), processes.rank(), processes.local_rank(), processes.local_count()) == (2, 1, 1, 2)


def test_one_process_fits_and_decides_by_itself() -> None:
    estimator = Fitted()
    processes.fit_together(estimator, [1], validation=[2])
    assert estimator.seen == (([1],), {"validation": [2]})
    assert processes.led(lambda: 7) == 7
    assert not processes.have_met()


def test_a_fault_is_told_where_nobody_else_must_hear_of_it() -> None:
    with pytest.raises(InputError, match="no such encoder"), processes.agreed():
        raise InputError("no such encoder")


@pytest.mark.usefixtures("second_of_two")
@pytest.mark.parametrize("words", [("runs",), ("learning-curve", "task=topic"), ("search",), ("evaluate", "x")])
def test_a_command_that_each_process_would_carry_out_is_refused(words: tuple[str, ...]) -> None:
    said = say(*words)
    assert said.status == 2
    assert said.err.startswith(f"conflictnlp: conflictnlp {words[0]}: runs in one process, and the launcher started 2")


@pytest.mark.usefixtures("second_of_two")
def test_the_function_is_refused_as_each_process_would_call_it() -> None:
    with pytest.raises(InputError, match=r"conflictnlp\.train: runs in one process"):
        train(["task=topic", "model=tfidf"])


@pytest.mark.usefixtures("second_of_two")
def test_each_process_has_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch, "empty", lambda *_, **__: None)
    assert resolve_device("auto") == torch.device("cuda", 1)
    with pytest.raises(InputError, match="device=cuda:0: each of several processes takes a GPU of its own"):
        resolve_device("cuda:0")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(InputError, match="2 processes but 1 GPUs on this machine"):
        resolve_device("auto")
