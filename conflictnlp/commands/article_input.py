"""Articles as rows: a file, a folder of texts or standard input."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

from conflictnlp.config import ColumnsConfig
from conflictnlp.data.read import Row, read_file, read_json_lines, suffix_of, text_stream
from conflictnlp.errors import InputError
from conflictnlp.files import open_text


def open_input(source: str, columns: ColumnsConfig) -> tuple[Iterator[Row], bool]:
    """Open an input as records.

    Args:
        source: see `predict`.
        columns: the text's column takes a plain text.

    Returns:
        the records, and whether the input is one single text.

    Raises:
        InputError: it is missing or of an unknown format.
    """
    if source == "-":
        text = text_stream(sys.stdin.buffer.read(), "standard input").read()
        if text.lstrip().startswith("{"):
            # Not splitlines: JSON texts may hold its other line ends, such as U+2028.
            return read_json_lines(text.split("\n"), "standard input"), False
        _refuse_zero_byte(text, "standard input")
        return iter([Row("standard input", {columns.id: "-", columns.text: text})]), True
    if not source.strip():
        # Path takes it for the working folder.
        raise InputError("the input: an empty name; give a file, a folder, or - for standard input")
    path = Path(source).expanduser()
    if path.is_dir():
        found = sorted(path.glob("*.txt"))
        if not found:
            raise InputError(f"{path}: a folder without .txt files")
        return (_text_row(name, columns) for name in found), False
    if not path.exists():
        raise InputError(f"{path}: no such file")
    if suffix_of(path) == ".txt":
        return iter([_text_row(path, columns)]), True
    return read_file(path), False


def _text_row(path: Path, columns: ColumnsConfig) -> Row:
    try:
        with open_text(path) as stream:
            text = stream.read()
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start}); is it a binary file?") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
    _refuse_zero_byte(text, str(path))
    return Row(str(path), {columns.id: path.name, columns.text: text})


def _refuse_zero_byte(text: str, where: str) -> None:
    if "\x00" in text:
        raise InputError(f"{where}: holds a zero byte; this is not a text file")
