"""Look into a skops file before skops opens it: a zip archive of a schema and arrays, stored as they are."""

from __future__ import annotations

import zipfile
from pathlib import Path

from conflictnlp.errors import BundleError

_SCHEMA = "schema.json"
# The vocabularies stand in the schema.
_LARGEST_SCHEMA = 1 << 28


def check_archive(path: Path) -> None:
    """Refuse an archive that could unpack to more than it is, or that holds what this package does not write.

    Args:
        path: the file.

    Raises:
        BundleError: an entry is packed, too large, of an unknown kind, or overlaps another; or it is no archive.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError) as error:
        raise BundleError(f"{path}: refused: damaged, or no skops file ({error})") from error
    if fault := _fault(entries, path.stat().st_size):
        raise BundleError(f"{path}: refused: {fault}; nothing was loaded")


def _fault(entries: list[zipfile.ZipInfo], size: int) -> str | None:
    for entry in entries:
        name = entry.filename[:80]
        if entry.filename != _SCHEMA and not entry.filename.endswith(".npy"):
            return f"its entry {name!r} is neither {_SCHEMA} nor an array"
        # Arrays are written as they are; a packed entry may be a thousand times what it seems.
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
            return f"its entry {name!r} is packed, and would unpack to {entry.file_size} bytes"
        if entry.filename == _SCHEMA and entry.file_size > _LARGEST_SCHEMA:
            return f"its {_SCHEMA} of {entry.file_size} bytes is beyond what such a file can need"
    # Entries that share bytes of the file may be more, together, than the file.
    if sum(entry.file_size for entry in entries) > size:
        return "its entries are together larger than the file"
    return None
