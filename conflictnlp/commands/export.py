"""`conflictnlp export`: a trained model with a faster runtime, or as a folder for a model hub."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from conflictnlp.bundle import ONNX, read_manifest
from conflictnlp.commands.load import locate
from conflictnlp.errors import InputError
from conflictnlp.inference.model import Model

log = logging.getLogger(__name__)
# As SPDX and the hubs spell them.
_LICENSE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,63}")


def export(
    ref: str,
    output: str,
    format: str = "onnx",
    quantize: str | None = None,
    check: str | None = None,
    license: str | None = None,
) -> Path:
    """Export a trained encoder.

    Args:
        ref: the model.
        output: a folder that is not there yet.
        format: `onnx` for a bundle that needs neither torch nor transformers, `hub` for a folder to push.
        quantize: `int8` for weights of 8 bits (onnx only).
        check: what the exported model is compared with its source on (onnx only): a data set of conf/data, or a
            file; None for the embedded sample. For int8 fewer than 1,000 rows are filled up from the sample.
        license: a hub's identifier (hub only); None for `other`.

    Returns:
        the folder.

    Raises:
        InputError: the model or an option does not fit, or the exported model answers differently.
    """
    for option, value, where in (
        ("--quantize", quantize, "onnx"),
        ("--check", check, "onnx"),
        ("--license", license, "hub"),
    ):
        if value is not None and format != where:
            raise InputError(f"export: {option} goes with --format {where} alone")
    if license is not None and not _LICENSE.fullmatch(license):
        raise InputError(f"--license {license!r}: is no licence's identifier; give one such as apache-2.0 or cc-by-4.0")
    target = Path(output).expanduser().absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputError(f"--output {output}: is there already; name a folder that is not")
    folder = locate(ref)
    kind = read_manifest(folder).estimator["kind"]
    if kind == ONNX:
        raise InputError(f"{ref}: is an exported bundle already; export the one that was trained")
    if kind != "transformer":
        raise InputError(f"{ref}: a {kind} model has no encoder to export; it loads and scores fast as it is")
    if format == "hub":
        from conflictnlp.export.hub import OTHER, export_hub

        export_hub(Model(folder, device="cpu", ref=ref), target, (license or OTHER).lower())
        return target
    from conflictnlp.export.bundle import export_onnx
    from conflictnlp.export.graph import check_libraries
    from conflictnlp.export.parity import ENOUGH
    from conflictnlp.export.rows import check_rows

    check_libraries()
    source = Model(folder, device="cpu", ref=ref)
    data, rows = check_rows(source.task, check, ENOUGH if quantize else 0)
    log.info("exporting; the result is compared with %s on %d rows", ref, len(rows))
    agreement = export_onnx(source, target, data, rows, quantize == "int8")
    size = sum(path.stat().st_size for path in target.iterdir()) / 2**20
    before = sum(path.stat().st_size for path in folder.iterdir()) / 2**20
    log.info("compared on %s", agreement)
    log.info("%s, %.0f MiB (the source: %.0f MiB)", target, size, before)
    return target
