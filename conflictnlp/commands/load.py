"""Load a trained model by any of its names."""

from __future__ import annotations

from pathlib import Path

from conflictnlp.errors import InputError
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
    return Model(locate(ref), device=device, ref=str(ref))


def locate(ref: str | Path) -> Path:
    """Return the bundle folder that a REF names, without a tracking store where it is a folder itself.

    Args:
        ref: as for `load`.

    Returns:
        the folder.

    Raises:
        InputError: nothing of that name is found, or the libraries to look for it are not installed.
    """
    folder = Path(ref).expanduser()
    if (folder / "manifest.json").is_file():
        return folder
    try:
        from conflictnlp.tracking.references import find_bundle

        return find_bundle(ref)
    except ModuleNotFoundError as error:
        # An exported bundle is used without the tracking store's libraries.
        raise InputError(
            f"model {str(ref)!r}: no bundle folder, and no tracking store can be asked: {error.name} is not installed"
        ) from error
