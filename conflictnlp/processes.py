"""Training in several processes that `torchrun` or `accelerate launch` started: one leads, the others follow.

The leader (rank 0) carries out the whole command: it reads the data, keeps the run, writes the files. Only a fit is
shared: the leader sends the estimator's parameters and the examples to the followers, and all of them fit it together
(torch's DistributedDataParallel averages their gradients). Followers wait for the next fit, or to be sent home.
"""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

from conflictnlp.errors import InputError

log = logging.getLogger(__name__)
Value = TypeVar("Value")
# A follower waits for as long as the leader reads, validates or scores.
_WAIT = timedelta(days=7)
# What an estimator is told by the one process that keeps the run.
_LEADERS_OWN = frozenset({"log"})


class _Group:
    """The processes of this command, once they have met.

    Attributes:
        handle: torch's process group for what they tell each other; None before they have met.
        broken: whether a fit ended on the leader while the followers may still be at it.
    """

    handle: Any = None
    broken = False


def count() -> int:
    """Return how many processes a launcher started for this command (1 without one)."""
    return int(os.environ["WORLD_SIZE"]) if {"WORLD_SIZE", "RANK", "LOCAL_RANK"} <= os.environ.keys() else 1


def rank() -> int:
    """Return this process's number; 0 leads."""
    return int(os.environ["RANK"]) if count() > 1 else 0


def local_rank() -> int:
    """Return this process's number among those on its machine: also that of its GPU."""
    return int(os.environ["LOCAL_RANK"]) if count() > 1 else 0


def local_count() -> int:
    """Return how many processes were started on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1")) if count() > 1 else 1


def have_met() -> bool:
    """Return whether the other processes wait for this one's orders, or are at work with it."""
    return _Group.handle is not None


def refuse_several(what: str) -> None:
    """Refuse what every process of several would do anew.

    Args:
        what: it, as a user calls it.

    Raises:
        InputError: a launcher started several processes.
    """
    if count() > 1:
        raise InputError(
            f"{what}: runs in one process, and the launcher started {count()}; start it without torchrun or "
            "accelerate launch (several processes train one model with: torchrun ... -m conflictnlp train ...)"
        )


@contextmanager
def leading() -> Iterator[None]:
    """Lead the other processes while the block lasts, then send them home."""
    _meet()
    try:
        yield
    finally:
        # In the midst of a fit they hear nothing; that this process ends ends them too.
        if not _Group.broken:
            _share(None)
            _part()


def follow() -> None:
    """Fit what the leader fits until it sends this process home."""
    import torch

    _meet()
    while (order := _share(None)) is not None:
        kind, parameters, threads, arguments, named = order
        torch.set_num_threads(threads)
        try:
            kind(**parameters).fit(*arguments, **named)
        except InputError as error:
            # The leader met the same fault, or was told of it (`agreed`), and says so.
            log.debug("process %d: %s", rank(), error)
    _part()


def fit_together(estimator: Any, *arguments: Any, **named: Any) -> None:
    """Fit an estimator, in all processes if there are several.

    Args:
        estimator: its parameters are the names of its constructor's arguments.
        *arguments: for `fit`.
        **named: for `fit`.

    Raises:
        InputError: the estimator's own faults of the input; or an earlier fit failed, and the followers are lost.
    """
    if _Group.handle is None:
        estimator.fit(*arguments, **named)
        return
    import torch

    if _Group.broken:
        raise InputError("an earlier fit failed, and the other processes with it; start the command again")
    kind = type(estimator)
    parameters = {name: getattr(estimator, name) for name in inspect.signature(kind).parameters}
    parameters = {name: value for name, value in parameters.items() if name not in _LEADERS_OWN}
    _share((kind, parameters, torch.get_num_threads(), arguments, named))
    try:
        estimator.fit(*arguments, **named)
    except InputError:
        raise
    except BaseException:
        _Group.broken = True
        raise


def led(action: Callable[[], Value]) -> Value:
    """Return what the leader's action returns, in every process: so that all decide alike.

    Args:
        action: called by the leader alone, or where there is but one process.

    Returns:
        its result.
    """
    if _Group.handle is None:
        return action()
    found: Value = _share(action() if rank() == 0 else None)
    return found


@contextmanager
def agreed() -> Iterator[None]:
    """Let all processes leave the block, or none: where one meets a fault of the input, all raise it.

    Raises:
        InputError: this process or another met one.
    """
    own: InputError | None = None
    try:
        yield
    except InputError as error:
        own = error
    if _Group.handle is not None:
        import socket

        from torch import distributed

        told: list[str | None] = [None] * count()
        mine = own and f"process {rank()} on {socket.gethostname()}: {own}"
        distributed.all_gather_object(told, mine, group=_Group.handle)
        others = [fault for fault in told if fault]
        if others and own is None:
            raise InputError(others[0])
    if own is not None:
        raise own


def _meet() -> None:
    from torch import distributed

    distributed.init_process_group()
    _Group.handle = distributed.new_group(backend="gloo", timeout=_WAIT)


def _part() -> None:
    from torch import distributed

    distributed.barrier(group=_Group.handle)
    _Group.handle = None
    distributed.destroy_process_group()


def _share(value: Any) -> Any:
    """Return the leader's value."""
    from torch import distributed

    held = [value]
    distributed.broadcast_object_list(held, src=0, group=_Group.handle)
    return held[0]
