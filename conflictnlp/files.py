"""Files written whole or not at all, and opened by their suffix."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


def user_cache() -> Path:
    """Return the folder for derived data that may be deleted at any time (`CONFLICTNLP_CACHE` sets it)."""
    named = os.environ.get("CONFLICTNLP_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "conflictnlp"


def share(path: Path) -> None:
    """Give a file the mode that the user's umask gives to new files."""
    umask = os.umask(0)
    os.umask(umask)
    path.chmod(0o666 & ~umask)


@contextmanager
def atomic_path(target: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside `target` and rename it there when the block ends without an error.

    Args:
        target: the file that shall appear; its folder is made.

    Yields:
        a path in the same folder, with the same suffixes, to write to.
    """
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".tmp-", suffix="".join(target.suffixes[-2:]), dir=target.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        share(temporary)  # mkstemp makes the file private.
        yield temporary
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def durable_path(target: Path, temporary: Path | None = None) -> Iterator[Path]:
    """Yield a path to write to; when the block ends without an error it is on the disk and bears the target's name.

    A killed process leaves no more than the temporary file, which the next one overwrites; a power cut takes neither
    the file nor its name back.

    Args:
        target: the file that shall appear; its folder exists.
        temporary: the path to write to, on the same file system; None for one beside the target.

    Yields:
        the temporary path.
    """
    temporary = temporary or target.with_name(f".tmp-{target.name}")
    try:
        yield temporary
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.replace(target)
        if os.name == "posix":  # Elsewhere a folder cannot be opened.
            folder = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(target: Path | str) -> Iterator[Path]:
    """Yield a temporary folder beside `target` and rename it there when the block ends without an error.

    Args:
        target: the folder that shall appear; an older one of that name is replaced.

    Yields:
        a folder to fill.
    """
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".tmp-{target.name}-", dir=target.parent))
    try:
        temporary.chmod(0o755)
        yield temporary
        if target.exists():
            old = Path(tempfile.mkdtemp(prefix=f".old-{target.name}-", dir=target.parent))
            target.replace(old / target.name)
            temporary.replace(target)
            shutil.rmtree(old)
        else:
            temporary.replace(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_text(path: Path | str, text: str) -> None:
    """Write UTF-8 text to a temporary name and rename it."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path | str, value: Any) -> None:
    """Write indented UTF-8 JSON to a temporary name and rename it; NaN is refused, since JSON has none."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def open_text(path: Path | str, mode: str = "rt") -> IO[str]:
    """Open a UTF-8 text file, gzip-compressed if its name ends in `.gz`; a byte order mark is skipped."""
    encoding = "utf-8-sig" if "r" in mode else "utf-8"
    if str(path).lower().endswith(".gz"):
        return gzip.open(path, mode, encoding=encoding, newline="")  # type: ignore[return-value]
    return Path(path).open(mode.replace("t", ""), encoding=encoding, newline="")


def open_bytes(path: Path | str) -> IO[bytes]:
    """Open a file's bytes, decompressed if its name ends in `.gz`."""
    if str(path).lower().endswith(".gz"):
        return gzip.open(path, "rb")  # type: ignore[return-value]
    return Path(path).open("rb")


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as 64 hex digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def sha256_json(value: Any) -> str:
    """Return the SHA-256 of a value's canonical JSON as 64 hex digits."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
