"""Rows out of files: JSON lines, CSV, TSV and Parquet, gzipped too, and globs of them."""

from __future__ import annotations

import csv
import glob
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from conflictnlp.data.parquet import read_values
from conflictnlp.errors import InputError
from conflictnlp.files import open_bytes, open_text

SUFFIXES = (".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")


@dataclass(frozen=True, slots=True)
class Row:
    """One record and where it stands, for messages.

    Attributes:
        where: for instance `train.csv:17`.
        values: the fields by column name.
    """

    where: str
    values: dict[str, Any]


def suffix_of(path: Path | str) -> str:
    """Return the suffix that tells the format, in lower case and without `.gz`."""
    name = Path(path).name.lower().removesuffix(".gz")
    return Path(name).suffix


def find_files(source: str | Path, root: str | Path | None = None) -> list[Path]:
    """Return the files that a path or glob names, sorted.

    Args:
        source: a path or a glob (`**` too).
        root: the folder that a relative path starts from; None for the working folder.

    Returns:
        existing files.

    Raises:
        InputError: nothing is there, or it is a folder.
    """
    path = Path(root or ".") / Path(source).expanduser()
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name its files, for instance '{path}/*.jsonl'")
    if path.exists():
        return [path]
    # The root may hold a glob's signs itself.
    names = glob.glob(str(Path(source).expanduser()), root_dir=root, recursive=True)  # noqa: PTH207 (absolute too)
    found = sorted(file for name in names if (file := Path(root or ".") / name).is_file())
    if not found:
        raise InputError(f"{path}: no such file; check the path (relative ones start at {Path(root or '.').resolve()})")
    return found


def read_file(path: Path) -> Iterator[Row]:
    """Read one file by its suffix.

    Args:
        path: a file.

    Yields:
        its rows.

    Raises:
        InputError: the file is missing, not UTF-8, damaged or of an unknown format; the message says where.
    """
    readers = {".jsonl": _read_json, ".ndjson": _read_json, ".csv": _read_csv, ".tsv": _read_csv}
    suffix = suffix_of(path)
    if suffix == ".parquet":
        yield from (Row(f"{path}:{number}", values) for number, values in enumerate(read_values(path), 1))
    elif suffix in readers:
        with _faults_told(path), open_text(path) as stream:
            yield from readers[suffix](stream, path)
    else:
        raise InputError(f"{path}: unknown format {suffix or '(no suffix)'}; use one of {', '.join(SUFFIXES)} (or .gz)")


@contextmanager
def _faults_told(path: Path) -> Iterator[None]:
    """Tell where a text file cannot be read, and how to mend it."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}:{_undecodable_line(path)}: not UTF-8 text (byte 0x{error.object[error.start]:02x}: "
            f"{error.reason}); is it a binary file? else convert it, for instance: iconv -f WINDOWS-1252 -t UTF-8"
        ) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{path}: the gzip file is damaged or cut short ({error})") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error


def read_lines(path: Path) -> Iterator[str]:
    """Read a text file's lines with their ends, whatever its suffix; a byte order mark is skipped.

    Args:
        path: a file, gzip-compressed if its name ends in `.gz`.

    Yields:
        the lines.

    Raises:
        InputError: the file is not UTF-8, damaged, or holds a zero byte; the message says where.
    """
    with _faults_told(path), open_text(path) as stream:
        yield from _without_zero_bytes(stream, path)


def read_json_lines(stream: Iterable[str], name: str) -> Iterator[Row]:
    """Read JSON objects, one a line; empty lines are skipped.

    Args:
        stream: the lines.
        name: what to call the stream in messages.

    Yields:
        the rows.

    Raises:
        InputError: a line is not a JSON object.
    """
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        _refuse_zero_byte(line, f"{name}:{number}")
        try:
            values = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(f"{name}:{number}: not JSON ({error.msg}, column {error.colno})") from error
        except (ValueError, RecursionError) as error:
            raise InputError(f"{name}:{number}: not JSON that can be read ({error})") from error
        if not isinstance(values, dict):
            raise InputError(f"{name}:{number}: a JSON {type(values).__name__} where an object {{...}} is needed")
        yield Row(f"{name}:{number}", without_half_characters(values) if "\\ud" in line.lower() else values)


def without_half_characters(values: dict[str, Any]) -> dict[str, Any]:
    """Put a question mark for each lone surrogate (half an emoji, cut off), which no file can hold."""
    whole: dict[str, Any] = json.loads(json.dumps(values, ensure_ascii=False).encode(errors="replace"))
    return whole


def _refuse_zero_byte(line: str, where: str) -> None:
    if "\x00" in line:
        raise InputError(f"{where}: holds a zero byte; this is not a text file")


def _undecodable_line(path: Path) -> int:
    with open_bytes(path) as stream:
        for number, line in enumerate(stream, 1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return 1


def _read_json(stream: IO[str], path: Path) -> Iterator[Row]:
    return read_json_lines(stream, str(path))


def _read_csv(stream: IO[str], path: Path) -> Iterator[Row]:
    # Articles exceed csv's default limit of 131,072 characters a field.
    csv.field_size_limit(1 << 30)
    delimiter = "\t" if suffix_of(path) == ".tsv" else ","
    reader = csv.DictReader(_without_zero_bytes(stream, path), delimiter=delimiter, restkey="", strict=True)
    last = 0
    try:
        if reader.fieldnames is not None and len(set(reader.fieldnames)) < len(reader.fieldnames):
            raise InputError(f"{path}:1: a column name stands twice in the header {reader.fieldnames}")
        last = reader.line_num
        for values in reader:
            last = reader.line_num
            where = f"{path}:{last}"
            if "" in values and isinstance(values[""], list):
                fields = len(reader.fieldnames or [])
                raise InputError(f"{where}: more fields than the header's {fields}; quote the text")
            # An empty cell is a missing value, "NA" is not: a label or an actor may be spelt so.
            yield Row(where, {key: (value if value != "" else None) for key, value in values.items()})
    except csv.Error as error:
        raise InputError(
            f"{path}:{last + 1}: the row that begins here is not valid CSV ({error}); "
            "a field that holds a quote must be quoted and its own quotes doubled"
        ) from error


def _without_zero_bytes(stream: Iterable[str], path: Path) -> Iterator[str]:
    for number, line in enumerate(stream, 1):
        _refuse_zero_byte(line, f"{path}:{number}")
        yield line


def text_stream(data: bytes, name: str) -> io.StringIO:
    """Decode bytes from standard input as UTF-8.

    Args:
        data: the bytes.
        name: what to call them in messages.

    Returns:
        a text stream.

    Raises:
        InputError: they are not UTF-8.
    """
    try:
        return io.StringIO(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: not UTF-8 text (byte {error.start})") from error
