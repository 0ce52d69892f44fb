"""A bundle that ONNX Runtime scores, made from one that torch trained; its tagger of actors goes along."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from conflictnlp.bundle import CARD, METRICS, ONNX, Manifest, load_estimator, seal, versions
from conflictnlp.data.example import Example
from conflictnlp.data.lineage import LEARNT
from conflictnlp.errors import InputError
from conflictnlp.evaluation.card import LIBRARY_NAMES
from conflictnlp.export.graph import LIBRARIES, write_graph
from conflictnlp.export.parity import FinderParity, Parity, compare_finders, compare_models
from conflictnlp.files import atomic_folder, write_json
from conflictnlp.inference.model import Model
from conflictnlp.inference.runtimes.onnx import MODEL, TOKENIZER
from conflictnlp.models.mentions import CONFIG, GRAPH
from conflictnlp.models.tagger import ActorTagger
from conflictnlp.models.transformer import TransformerClassifier

log = logging.getLogger(__name__)
# Rows on which the sizes of what is rounded are measured.
_MEASURED = 64


def export_onnx(source: Model, target: Path, data: str, rows: Sequence[Example], int8: bool = False) -> str:
    """Write a bundle with an ONNX graph; nothing is left where it does not agree with its source.

    Args:
        source: the trained model, loaded on the CPU.
        target: the new bundle's folder.
        data: what to call the rows.
        rows: questions on which the two are compared; for int8 1,000 or more that can be answered.
        int8: whether weights are stored in 8 bits.

    Returns:
        how far the two agree, in words.

    Raises:
        InputError: the encoder has no ONNX form, or the exported model's answers differ too much.
    """
    precision = "int8" if int8 else "float32"
    with atomic_folder(target) as temporary:
        estimator = load_estimator(source.folder, source.manifest, "cpu")
        assert isinstance(estimator, TransformerClassifier)
        few = rows[:: max(1, len(rows) // _MEASURED)][:_MEASURED] if int8 else None
        windows = None if few is None else _windows(estimator, source, few)
        longest = estimator.encoder_windows_.max_length
        write_graph(estimator.model_, estimator.pad_id_, temporary / MODEL, longest, windows)
        if source.finds_actors:
            _write_tagger(source, temporary, estimator.pad_id_, few)
        # As the estimator uses it: without truncation and padding of its own.
        estimator.tokenizer_.backend_tokenizer.save(str(temporary / TOKENIZER))
        if LEARNT in source.manifest.files:
            shutil.copyfile(source.folder / LEARNT, temporary / LEARNT)
        manifest = _manifest(source, estimator, precision)
        seal(temporary, manifest)
        exported = Model(temporary, device="cpu")
        parity = compare_models(source, exported, data, rows)
        compared: dict[str, Parity | FinderParity] = {"parity": parity}
        if source.finds_actors:
            texts = list(dict.fromkeys(row.passage(source.task).text for row in rows))
            compared["tagger_parity"] = compare_finders(source.tagger, exported.tagger, texts)
        for found in compared.values():
            if refusal := found.refusal(precision):
                raise InputError(f"export: {refusal}; nothing was written")
        told = {name: found.to_dict() for name, found in compared.items()}
        seal(temporary, replace(manifest, export={**manifest.export, **told}))
        agreement = "; actors in ".join(map(str, compared.values()))
        _copy_papers(source.folder, temporary, precision, source.fingerprint, agreement)
    return agreement


def _windows(estimator: TransformerClassifier, source: Model, rows: Sequence[Example]) -> list[list[int]]:
    encoded = estimator.encoder_windows_.encode([row.passage(source.task) for row in rows])
    return [window.ids for windows in encoded for window in windows]


def _write_tagger(source: Model, target: Path, pad_id: int, rows: Sequence[Example] | None) -> None:
    tagger = ActorTagger.load(source.folder, "cpu")
    windows = None
    if rows is not None:
        texts = [row.passage(source.task).text for row in rows]
        windows = [window.ids for text in texts for window in tagger.windows.cut(text)]
    write_graph(tagger.model_, pad_id, target / GRAPH, tagger.max_length, windows, by_token=True)
    write_json(target / CONFIG, {"max_length": tagger.max_length})


def _manifest(source: Model, estimator: TransformerClassifier, precision: str) -> Manifest:
    parameters = {
        "max_length": estimator.encoder_windows_.max_length,
        "overlap": estimator.overlap,
        "split_length": estimator.split_length,
        "mask": estimator.mask,
        "background": estimator.background,
        "pad_id": estimator.pad_id_,
        "precision": precision,
    }
    export = {"bundle": source.fingerprint, "libraries": versions(LIBRARIES)}
    return replace(source.manifest, estimator={"kind": ONNX, "parameters": parameters}, export=export)


def _copy_papers(source: Path, target: Path, precision: str, fingerprint: str, agreement: str) -> None:
    """Take the metrics and the card along, and say in the card that they are those of the source."""
    if (source / METRICS).is_file():
        shutil.copyfile(source / METRICS, target / METRICS)
    card = (source / CARD).read_text(encoding="utf-8") if (source / CARD).is_file() else ""
    source_library, library = (f"library_name: {LIBRARY_NAMES[kind]}\n" for kind in ("transformer", ONNX))
    card = card.replace(source_library, library, 1)
    told = (
        f"## Export\n\nAn ONNX graph in {precision}, made from the bundle {fingerprint[:12]}, whose scores are told "
        f"here. Compared with it on {agreement}.\n"
    )
    (target / CARD).write_text(f"{card.rstrip()}\n\n{told}".lstrip(), encoding="utf-8")
