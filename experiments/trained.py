"""The trained models that studies are about: bundles named on the command line, or default recipes trained once."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import conflictnlp

# Shared by all studies, below the folder that they are started in.
KEPT = Path("outputs/experiments")


def bundles(
    description: str, words: Sequence[str] = ("task=momentum", "data=momentum", "model=minilm"), name: str = "momentum"
) -> list[Path]:
    """Return the bundles of a study, one a seed: those that the command line names, else trains what is missing.

    Args:
        description: of the study, for --help.
        words: of `conflictnlp train`, without the seed.
        name: of the recipe, for the folder in which its models are kept.

    Returns:
        their folders.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundles", nargs="*", type=Path, metavar="BUNDLE", help="trained models, one a seed")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3], help="of the models to train without them")
    options = parser.parse_args()
    return options.bundles or [trained(words, name, seed) for seed in options.seeds]


def trained(words: Sequence[str], name: str, seed: int) -> Path:
    """Return the bundle of a recipe and seed; it is trained where it is not kept yet.

    Args:
        words: of `conflictnlp train`, without the seed.
        name: of the recipe.
        seed: of the run.

    Returns:
        its folder.
    """
    folder = KEPT / f"{name}-s{seed}"
    if not (folder / "bundle" / "metrics.json").is_file():
        conflictnlp.train([*words, f"seed={seed}", f"hydra.run.dir={folder}"])
    return folder / "bundle"


def seed_of(bundle: Path) -> str:
    """Return the seed that a bundle was trained with."""
    from conflictnlp.bundle import read_manifest

    return str(read_manifest(bundle).training["seed"])
