"""The space of a search: names of the config and the values that they may take, as YAML says them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from conflictnlp.errors import InputError

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

KINDS = ("tfidf", "transformer")
_FORMS = "{type: float or int, low: …, high: …, log: true or false} or {choices: […]}"
_KEYS = {"type", "low", "high", "log", "step", "choices"}


def read_space(values: Mapping[str, Any], kind: str) -> dict[str, BaseDistribution]:
    """Turn `search.space` into Optuna's distributions.

    Args:
        values: specifications by name; a section named for a kind of model counts for that kind alone.
        kind: the model's kind.

    Returns:
        distributions by name.

    Raises:
        InputError: a specification cannot be read, or nothing is left to vary.
    """
    specs: dict[str, Any] = {}
    for name, spec in values.items():
        if name not in KINDS:
            specs[name] = spec
        elif not isinstance(spec, Mapping):
            raise InputError(f"search.space.{name}: must map names to {_FORMS}")
        elif name == kind:
            specs |= spec
    if not specs:
        raise InputError(
            f"search.space: names nothing to vary for a {kind} model; choose a file with search=…, or give "
            "'+search.space={model.C: {type: float, low: 0.1, high: 10}}'"
        )
    return {str(name): _distribution(f"search.space.{name}", spec) for name, spec in specs.items()}


def _distribution(where: str, spec: Any) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if not isinstance(spec, Mapping) or not set(spec) <= _KEYS:
        raise InputError(f"{where}={spec!r}: must be {_FORMS}")
    try:
        if "choices" in spec:
            if set(spec) - {"type", "choices"} or not spec["choices"]:
                raise ValueError("choices stand alone and are at least one")
            return CategoricalDistribution(list(spec["choices"]))
        low, high, log, step = spec["low"], spec["high"], bool(spec.get("log", False)), spec.get("step")
        given = spec.get("type", "int" if isinstance(low, int) and isinstance(high, int) else "float")
        if given == "int":
            return IntDistribution(low, high, log=log, step=step or 1)
        if given == "float":
            return FloatDistribution(float(low), float(high), log=log, step=step)
    except KeyError as error:
        raise InputError(f"{where}: no {error.args[0]!r}; must be {_FORMS}") from error
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: {error}") from error
    raise InputError(f"{where}: type={given!r}; must be float or int, or give choices")


def ends(values: BaseDistribution) -> list[Any]:
    """Return the lowest and the highest value of a range, or all choices."""
    choices = getattr(values, "choices", None)
    return list(choices) if choices is not None else [values.low, values.high]  # type: ignore[attr-defined]


def to_words(params: Mapping[str, Any]) -> list[str]:
    """Return a trial's values as Hydra's words."""
    # JSON is a value in Hydra's grammar; strings are quoted by it.
    return [f"{name}={json.dumps(value)}" for name, value in params.items()]
