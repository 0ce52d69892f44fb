"""What a bundle's configs may say: no key that runs code, and parameters of the right types."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_type_hints

from conflictnlp.config import TfidfConfig, TrainerConfig, TransformerConfig
from conflictnlp.errors import BundleError

# Keys by which a config could make a library run code: its own, or what it fetches from a hub (kernels, quantisers).
_UNSAFE_KEYS = frozenset({"_target_", "auto_map", "custom_pipelines", "quantization_config"}) | {
    f"{private}{kind}_implementation" for private in ("", "_") for kind in ("attn", "experts")
}


def check_parameters(parameters: Mapping[str, Any]) -> None:
    """Refuse an estimator's parameters of wrong types, which would fail while texts are scored.

    Args:
        parameters: by name, as a manifest stores them; unknown ones are those of another version.

    Raises:
        ValueError: one is of another type than the config of its name.
    """
    for name, value in parameters.items():
        types = _types().get(name)
        if types is not None and type(value) not in types:
            raise ValueError(f"{name}={value!r}")


@cache
def _types() -> dict[str, tuple[type, ...]]:
    """Return the types that a parameter may have, by name."""
    found: dict[str, tuple[type, ...]] = {"pad_id": (int,), "background": (str, type(None))}
    for config in (TrainerConfig, TransformerConfig, TfidfConfig):
        for name, hint in get_type_hints(config).items():
            types = get_args(hint) if isinstance(hint, UnionType) else (hint,)
            found[name] = (*types, int) if float in types else types
    return found


def check_configs(folder: Path, names: Iterable[str]) -> None:
    """Refuse a config that names code.

    Args:
        folder: the bundle.
        names: of its configs; one that is not there is passed over.

    Raises:
        BundleError: a config is damaged, or holds a key by which a library could run code.
    """
    for name in names:
        path = folder / name
        if path.is_file():
            try:
                found = _keys(json.loads(path.read_text(encoding="utf-8"))) & _UNSAFE_KEYS
            except (ValueError, RecursionError) as error:
                raise BundleError(f"{path}: damaged ({error})") from error
            if found:
                raise BundleError(f"{path}: holds {', '.join(sorted(found))}, which could run code; nothing was loaded")


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        named = {key for key, item in value.items() if item is not None}
        return named.union(*(_keys(item) for item in value.values()))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return set().union(*(_keys(item) for item in value))
    return set()
