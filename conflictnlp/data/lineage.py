"""What an encoder has read before it is fine-tuned, and whether that tells of what will be scored."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conflictnlp.config import DataConfig
from conflictnlp.data.near_duplicates import normalise
from conflictnlp.errors import InputError
from conflictnlp.files import write_json

log = logging.getLogger(__name__)
PRETRAINING, HASHES = "pretraining.json", "pretraining.hashes"
# A fine-tuned model's, see `bundle`.
_MANIFEST = "manifest.json"
_BYTES = 8
_TOLD = ("data", "fingerprints", "extra_before")


@dataclass(frozen=True)
class Lineage:
    """What an encoder has read, in all its pre-trainings and fine-tunings by this package.

    Attributes:
        hashes: 8-byte hashes of the normalised texts that it was pre-trained on.
        latest_date: of those texts (ISO), or None where none bears a date.
        undated: how many of them have no date.
        models: of each fine-tuned model in it the data's name, fingerprints and `extra_before`.
    """

    hashes: frozenset[bytes] = frozenset()
    latest_date: str | None = None
    undated: int = 0
    models: tuple[dict[str, Any], ...] = ()

    def joined(self, other: Lineage | None) -> Lineage:
        """Return both together."""
        if other is None:
            return self
        dates = [date for date in (self.latest_date, other.latest_date) if date is not None]
        return Lineage(
            self.hashes | other.hashes,
            max(dates, default=None),
            self.undated + other.undated,
            self.models + tuple(model for model in other.models if model not in self.models),
        )

    def shared(self, texts: Iterable[str]) -> int:
        """Return how many of these texts, each counted once, it was pre-trained on."""
        return len({text_hash(normalise(text)) for text in texts} & self.hashes)


def text_hash(normalised: str) -> bytes:
    """Return the first 8 bytes of a normalised text's SHA-256."""
    return hashlib.sha256(normalised.encode()).digest()[:_BYTES]


def write_lineage(folder: Path, lineage: Lineage, facts: Mapping[str, Any]) -> None:
    """Write `pretraining.json`, and beside it the sorted hashes, one after another.

    Args:
        folder: the encoder's.
        lineage: what it has read.
        facts: what else the file tells.
    """
    content = b"".join(sorted(lineage.hashes))
    (folder / HASHES).write_bytes(content)
    values = {
        **facts,
        "latest_date": lineage.latest_date,
        "undated": lineage.undated,
        "models": list(lineage.models),
        "hashes": {"file": HASHES, "bytes": _BYTES, "sha256": hashlib.sha256(content).hexdigest()},
    }
    write_json(folder / PRETRAINING, values)


def read_lineage(folder: Path) -> Lineage | None:
    """Return what an encoder has read, as far as its folder tells.

    Args:
        folder: an encoder's, or a bundle.

    Returns:
        its lineage; None where it was neither pre-trained nor fine-tuned by this package.

    Raises:
        InputError: the record is damaged or incomplete.
    """
    path = folder / PRETRAINING
    if path.is_file():
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            content = (folder / HASHES).read_bytes()
            if hashlib.sha256(content).hexdigest() != values["hashes"]["sha256"]:
                raise ValueError(f"{HASHES} is not what it was")
            return Lineage(
                frozenset(content[at : at + _BYTES] for at in range(0, len(content), _BYTES)),
                values["latest_date"],
                int(values["undated"]),
                tuple(values["models"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path}: damaged ({error}), so what this encoder has read cannot be told; pretrain it again"
            ) from error
    if (folder / _MANIFEST).is_file():
        return Lineage(models=(_model(folder / _MANIFEST),))
    return None


def refuse_leaks(
    encoder: str,
    lineage: Lineage | None,
    data: DataConfig,
    scored: Mapping[str, Sequence[str]],
    fingerprints: Mapping[str, str],
) -> None:
    """Refuse an encoder that has read what the data's tests ask, where the data config sets `extra_before`.

    Texts count as the same by their words alone; a scored sentence inside a longer text is not found.

    Args:
        encoder: its name, for messages.
        lineage: what it has read.
        data: the data config.
        scored: texts of the splits that are scored, by split.
        fingerprints: of the splits, by name.

    Raises:
        InputError: it has read later texts, texts of unknown date, or scored ones, or a model in it was fine-tuned on
            other data.
    """
    if lineage is None:
        return
    before = data.extra_before
    told = f"model.encoder={encoder}:"
    for split, texts in scored.items():
        if count := lineage.shared(texts):
            line = f"{told} it has read {count} texts of the {split} split of data={data.name}"
            if before is not None:
                raise InputError(f"{line}; pretrain without them (pretrain.exclude), or take another encoder")
            log.warning("%s; the score may be better than on news that it has not read", line)
    if before is None:
        return
    rule = f"data={data.name} takes only encoders that read texts from before {before} (data.extra_before)"
    if lineage.undated:
        raise InputError(f"{told} it has read {lineage.undated} texts without a date; {rule}")
    if lineage.latest_date is not None and lineage.latest_date >= before:
        raise InputError(f"{told} it has read texts of up to {lineage.latest_date}; {rule}")
    for model in lineage.models:
        prints = model.get("fingerprints") or {}
        same = all(prints.get(split) == fingerprints.get(split) for split in ("validation", "test"))
        # With the same rule, data and scored splits, that training was held to all of this itself.
        if model.get("data") != data.name or model.get("extra_before") != before or not same:
            raise InputError(
                f"{told} it was fine-tuned on data={model.get('data') or 'unknown'}, which cannot be shown to hold "
                f"nothing that the tests ask; {rule}; take an encoder that was not fine-tuned"
            )


def _model(path: Path) -> dict[str, Any]:
    try:
        training = json.loads(path.read_text(encoding="utf-8"))["training"]
        return {name: training.get(name) for name in _TOLD}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: damaged, so what this model was trained on cannot be told ({error})") from error
