"""Which runs are of one configuration: those that differ in nothing but their seed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conflictnlp.config import Config
from conflictnlp.files import sha256_json

# More differences would make a name that no table holds.
_NAMED = 3


@dataclass(frozen=True)
class RunFacts:
    """What tells a run's configuration.

    Attributes:
        run_id: the run.
        name: the run's name.
        config: the stored one; None if there is none, so that the run stands for itself.
        fingerprints: of the data, by split.
    """

    run_id: str
    name: str
    config: Config | None
    fingerprints: Mapping[str, str]


def name_configurations(runs: Sequence[RunFacts]) -> dict[str, str]:
    """Find the runs that differ in nothing but their seed, and name what they have in common.

    Args:
        runs: what was run.

    Returns:
        by run id the configuration's name: `<model>-<data>`, and what sets it apart from others of that name.
    """
    keys = {run.run_id: _key(run) for run in runs}
    _tell_splits(runs, keys)
    groups: dict[str, list[RunFacts]] = defaultdict(list)
    for run in runs:
        groups[sha256_json(keys[run.run_id])].append(run)
    namesakes: dict[str, list[list[RunFacts]]] = defaultdict(list)
    for group in groups.values():
        namesakes[_base_name(group[0])].append(group)
    names = {}
    for base, parts in namesakes.items():
        values = [_flat(keys[part[0].run_id]) for part in parts]
        every = dict.fromkeys(key for value in values for key in value)
        apart = [key for key in every if len({str(value.get(key)) for value in values}) > 1]
        for part, value in zip(parts, values, strict=True):
            told = ", ".join(f"{key}={value.get(key)}" for key in apart[:_NAMED])
            if len(apart) > _NAMED:
                told += f", … {sha256_json(keys[part[0].run_id])[:6]}"
            for run in part:
                names[run.run_id] = f"{base} ({told})" if apart else base
    return names


def _key(run: RunFacts) -> dict[str, Any]:
    if run.config is None:
        return {"run": run.run_id[:8]}
    values = run.config.identity()
    values.pop("seed")
    values["data"]["split"].pop("seed")
    return values


def _tell_splits(runs: Sequence[RunFacts], keys: dict[str, dict[str, Any]]) -> None:
    """Add to the keys what the splits hang on: a seed of their own or the run's, and the rows themselves.

    Most data sets cut the validation with the run's seed (`data.split.seed=${seed}`): this does not part runs, though
    their rows differ. Runs that cut with one seed must have the same rows, or the data was changed in between.
    """
    alike: dict[str, list[tuple[RunFacts, Config]]] = defaultdict(list)
    for run in runs:
        if run.config is not None:
            alike[sha256_json(keys[run.run_id])].append((run, run.config))
    for group in alike.values():
        fixed = {config.data.split.seed for _, config in group if config.data.split.seed != config.seed}
        versions: dict[int, list[dict[str, str]]] = defaultdict(list)
        for run, config in group:
            seed = config.data.split.seed
            rows = {split: digest for split, digest in run.fingerprints.items() if split != "test"}
            if rows not in versions[seed]:
                versions[seed].append(rows)
            own = seed if seed in fixed else "seed"
            keys[run.run_id]["data"] |= {"split.seed": own, "version": versions[seed].index(rows)}


def _base_name(run: RunFacts) -> str:
    if run.config is None:
        return run.name
    return run.config.run_name.removesuffix(f"-s{run.config.seed}")


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat
