"""What the tests of the importers share: their files, and rows as they are read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conflictnlp.data import read_rows
from conflictnlp.data.importers import ImportResult, Options, import_file
from conflictnlp.errors import InputError

FILES = Path(__file__).parent


def imported(
    form: str, source: Path | str, target: Path, skip_faulty: bool = False, **options: Any
) -> tuple[list[dict[str, Any]], ImportResult]:
    """Import a file, by its name a file of this folder, and read the result back."""
    target = target if target.suffix else target / "rows.jsonl"
    result = import_file(form, FILES / source, target, Options(**options), skip_faulty)
    return [row.values for row in read_rows(target)], result


def refused(form: str, source: Path | str, target: Path, **options: Any) -> str:
    """Return why an import is refused; nothing may be written."""
    target = target if target.suffix else target / "rows.jsonl"
    with pytest.raises(InputError) as raised:
        import_file(form, FILES / source, target, Options(**options))
    assert not target.exists()
    assert not list(target.parent.glob(".tmp-*"))
    return str(raised.value)


def faults(form: str, source: Path | str, target: Path, **options: Any) -> list[str]:
    """Return what is wrong with the rows that are left out, each with its line."""
    _, result = imported(form, source, target, skip_faulty=True, **options)
    return [f"{fault.where.rpartition(':')[2]}: {fault.reason}" for fault in result.left_out]


def write_objects(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path
