"""Load a trained model by any of its names."""

from __future__ import annotations

from pathlib import Path

from conflictnlp.inference.model import Model


def load(ref: str | Path, device: str = "auto") -> Model:
    """Load a trained model.

    Args:
        ref: a bundle folder, an MLflow model folder, a run id, `runs:/<id>/model`, `models:/<name>/<version>`,
            `models:/<name>@<alias>` or `models:/m-…`.
        device: auto, cpu, cuda, cuda:N or mps.

    Returns:
        the model, ready to predict.

    Raises:
        InputError: nothing of that name is found.
        BundleError: the bundle is damaged, unsafe or of a newer format.
    """
    folder = Path(ref).expanduser()
    if not (folder / "manifest.json").is_file():
        from conflictnlp.tracking.references import find_bundle

        folder = find_bundle(ref)
    return Model(folder, device=device, ref=str(ref))
