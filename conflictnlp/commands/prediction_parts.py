"""The durable parts of an output that is not finished: a killed run goes on from them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from conflictnlp.commands.prediction_output import Table, Write, join_parts, part_writer
from conflictnlp.errors import InputError
from conflictnlp.files import durable_path

log = logging.getLogger(__name__)
_PLAN, _PROGRESS, _LOCK = "plan.json", "progress.json", "lock"
_OWN = (_PLAN, _PROGRESS, "part-*", "joined*", ".tmp-*")


@dataclass(frozen=True)
class Progress:
    """What lies on the disk for good.

    Attributes:
        parts: finished parts.
        records: in them.
        errors: records that carry an error.
        size: bytes of the parts together.
    """

    parts: int = 0
    records: int = 0
    errors: int = 0
    size: int = 0


class Parts:
    """The folder `<output>.parts`.

    Args:
        output: the file that the parts shall become.
        table: its columns.
        done: what an earlier run finished.
    """

    def __init__(self, output: Path, table: Table, done: Progress) -> None:
        self.folder = parts_folder(output)
        self.done = done
        self._output = output
        self._table = table

    @contextmanager
    def next_part(self) -> Iterator[Write]:
        """Write the next part; it counts once it is whole and on the disk.

        Yields:
            a function that writes one record.
        """
        records = errors = 0
        path = self._path(self.done.parts)
        with (
            durable_path(path) as temporary,
            part_writer(temporary, self._table, first=self.done.parts == 0) as write_record,
        ):

            def write(values: dict[str, Any]) -> None:
                nonlocal records, errors
                write_record(values)
                records += 1
                errors += values["error"] is not None

            yield write
        done = self.done
        self.done = Progress(
            done.parts + 1, done.records + records, done.errors + errors, done.size + path.stat().st_size
        )
        _write_json(self.folder / _PROGRESS, asdict(self.done))

    def join(self) -> None:
        """Make the output of the parts and remove them."""
        joined = self.folder / ("joined" + "".join(self._output.suffixes[-2:]))
        with durable_path(self._output, joined) as temporary:
            join_parts([self._path(number) for number in range(self.done.parts)], temporary, self._table)
        clear(self.folder)

    def check(self) -> None:
        """Refuse parts that are not as they were written.

        Raises:
            InputError: one is missing, or their size has changed.
        """
        paths = [self._path(number) for number in range(self.done.parts)]
        if not all(path.is_file() for path in paths) or sum(path.stat().st_size for path in paths) != self.done.size:
            raise InputError(f"{self.folder}: a part is missing or was changed; start without --resume to replace them")

    def _path(self, number: int) -> Path:
        return self.folder / f"part-{number:06d}{''.join(self._output.suffixes[-2:])}"


def parts_folder(output: Path) -> Path:
    """Return the folder of an output's parts."""
    return output.with_name(output.name + ".parts")


@contextmanager
def open_parts(output: Path, table: Table, plan: Mapping[str, Any], resume: bool) -> Iterator[Parts]:
    """Open the parts of an output for one process alone.

    Args:
        output: the file that they shall become.
        table: its columns.
        plan: all that the records depend on, by a name for messages.
        resume: go on with the parts that are there; else they are replaced.

    Yields:
        the parts; without a finished one nothing is left of them when the block fails.

    Raises:
        InputError: the parts cannot be gone on with, or another process writes them.
    """
    folder = parts_folder(output)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file where a folder for parts is needed; move it away or name another output")
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise InputError(f"{folder}: another process is writing this output; wait for it or name another one") from None
    try:
        parts = Parts(output, table, _earlier(folder, plan) if resume else Progress())
        parts.check()
        if not parts.done.parts:
            _begin(folder, plan, resume)
        try:
            yield parts
        except BaseException:
            if parts.done.parts:
                log.warning("%d records are kept in %s; --resume goes on with them", parts.done.records, folder)
            else:
                clear(folder)
            raise
    finally:
        lock.release()
        _tidy(folder)


def clear(folder: Path) -> None:
    """Remove an output's parts, and nothing else that may lie beside them."""
    # The progress first: without it no half of the parts is ever taken for the whole.
    for pattern in (_PROGRESS, *_OWN):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)


def _begin(folder: Path, plan: Mapping[str, Any], resume: bool) -> None:
    if (folder / _PROGRESS).exists():
        log.warning("%s: the parts of an earlier run are replaced (--resume would go on with them)", folder)
    elif resume:
        log.info("%s: no finished part; starting from the first row", folder)
    clear(folder)
    _write_json(folder / _PLAN, dict(plan))


def _earlier(folder: Path, plan: Mapping[str, Any]) -> Progress:
    """Return what an earlier run with the same plan finished."""
    if not (folder / _PROGRESS).exists():
        return Progress()
    try:
        earlier = json.loads((folder / _PLAN).read_text(encoding="utf-8"))
        progress = Progress(**json.loads((folder / _PROGRESS).read_text(encoding="utf-8")))
        other = [name for name in plan if earlier.get(name) != json.loads(json.dumps(plan[name]))]
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{folder}: cannot be gone on with ({error}); start without --resume to replace it") from error
    if other:
        raise InputError(
            f"{folder}: holds parts made with another {' and another '.join(other)}; "
            "give the same again, start without --resume to replace them, or name another --output"
        )
    return progress


def _write_json(path: Path, value: Any) -> None:
    with durable_path(path) as temporary:
        temporary.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _tidy(folder: Path) -> None:
    """Remove the lock, and the folder if nothing else is in it, unless there are parts."""
    if any(path for pattern in _OWN for path in folder.glob(pattern)):
        return
    with suppress(OSError):  # Another process may have begun here.
        (folder / _LOCK).unlink(missing_ok=True)
        folder.rmdir()
