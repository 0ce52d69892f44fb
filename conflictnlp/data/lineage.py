"""What a model has read, as hashes beside its weights, and whether that tells of what is scored."""

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
LEARNT = "training.hashes"
_MANIFEST = "manifest.json"
_BYTES = 8
_TOLD = ("data", "fingerprints", "extra_before")


@dataclass(frozen=True)
class Lineage:
    """What an encoder has read, in all its pre-trainings and fine-tunings by this package.

    Attributes:
        hashes: 8-byte hashes of the normalised texts that it was pre-trained or fine-tuned on.
        latest_date: of the texts that it was pre-trained on (ISO), or None where none bears a date.
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
        """Return how many of these texts, each counted once, it has read."""
        return len(text_hashes(texts) & self.hashes)


def text_hash(normalised: str) -> bytes:
    """Return the first 8 bytes of a normalised text's SHA-256."""
    return hashlib.sha256(normalised.encode()).digest()[:_BYTES]


def text_hashes(texts: Iterable[str]) -> frozenset[bytes]:
    """Return the hashes of texts as they are written, each once; those without a word are no texts."""
    return frozenset(text_hash(words) for text in set(texts) if (words := normalise(text)))


def write_learnt(folder: Path, hashes: Iterable[bytes]) -> None:
    """Write `training.hashes`: the sorted hashes of what a model has seen in training, one after another.

    Args:
        folder: the bundle's; its manifest then names the file and its SHA-256.
        hashes: of the texts.
    """
    (folder / LEARNT).write_bytes(b"".join(sorted(hashes)))


def read_learnt(folder: Path, files: Mapping[str, str]) -> frozenset[bytes] | None:
    """Return the hashes of what a bundle's model has seen in training.

    Args:
        folder: the bundle.
        files: SHA-256 of its files, as its manifest tells.

    Returns:
        the hashes; None where the manifest names no such file, as at first none did.

    Raises:
        InputError: the file is missing or damaged.
    """
    if LEARNT not in files:
        return None
    try:
        return _hashes((folder / LEARNT).read_bytes(), files[LEARNT], LEARNT)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{folder / LEARNT}: damaged ({error}), so what this model was trained on cannot be told; "
            "train or download the bundle again"
        ) from error


def count_seen(ref: str, learnt: frozenset[bytes] | None, data: DataConfig, texts: Sequence[str]) -> int | None:
    """Count the scored texts that a model has seen in training; the rule of `extra_before` takes none.

    Args:
        ref: the model, for messages.
        learnt: hashes of what it has seen, or None where it does not tell.
        data: the data config.
        texts: those that are scored.

    Returns:
        how many of the texts, each counted once, it has seen; None where it does not tell.

    Raises:
        InputError: there are some, and the data config sets `extra_before`.
    """
    ruled = data.extra_before is not None
    if learnt is None:
        level = logging.WARNING if ruled else logging.INFO
        log.log(level, "%s: no %s in the bundle, so whether it has seen these texts is not known", ref, LEARNT)
        return None
    scored = text_hashes(texts)
    if seen := len(scored & learnt):
        line = f"{ref} has seen in training {seen} of the {len(scored)} texts that data={data.name} scores"
        if ruled:
            raise InputError(
                f"evaluate: {line}; train it without them or score other texts "
                "(data.extra_before=null makes this a warning)"
            )
        log.warning("%s; the score may be better than on texts that it has not seen", line)
    return seen


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
            return Lineage(
                _hashes(content, values["hashes"]["sha256"], HASHES),
                values["latest_date"],
                int(values["undated"]),
                tuple(values["models"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path}: damaged ({error}), so what this encoder has read cannot be told; pretrain it again"
            ) from error
    if (folder / _MANIFEST).is_file():
        model, files = _manifest(folder / _MANIFEST)
        return Lineage(read_learnt(folder, files) or frozenset(), models=(model,))
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
        # What a model in it was stopped by, not fitted to; the hashes do not tell the two apart.
        if split == "validation" and any(_has_same(model, fingerprints, (split,)) for model in lineage.models):
            continue
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
        same = _has_same(model, fingerprints, ("validation", "test"))
        # With the same rule, data and scored splits, that training was held to all of this itself.
        if model.get("data") != data.name or model.get("extra_before") != before or not same:
            raise InputError(
                f"{told} it was fine-tuned on data={model.get('data') or 'unknown'}, which cannot be shown to hold "
                f"nothing that the tests ask; {rule}; take an encoder that was not fine-tuned"
            )


def _has_same(model: Mapping[str, Any], fingerprints: Mapping[str, str], splits: Sequence[str]) -> bool:
    prints = model.get("fingerprints") or {}
    return all(prints.get(split) == fingerprints.get(split) for split in splits)


def _hashes(content: bytes, digest: str, name: str) -> frozenset[bytes]:
    if len(content) % _BYTES or hashlib.sha256(content).hexdigest() != digest:
        raise ValueError(f"{name} is not what it was")
    return frozenset(content[at : at + _BYTES] for at in range(0, len(content), _BYTES))


def _manifest(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what a bundle tells of its training, and the SHA-256 of its files."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return {name: values["training"].get(name) for name in _TOLD}, dict(values.get("files", {}))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: damaged, so what this model was trained on cannot be told ({error})") from error
