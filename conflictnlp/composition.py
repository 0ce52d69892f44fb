"""Where configs are composed and rebuilt; the schema is in `config`, the limits of values in `config_checks`."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from typing import Any

from conflictnlp.config import Config, DataConfig, ModelConfig, TfidfConfig, TransformerConfig
from conflictnlp.config_checks import check_values, refuse_unknown
from conflictnlp.errors import InputError
from conflictnlp.task import Task

CONFIG_MODULE = "conflictnlp.conf"
_MODEL_KINDS: dict[str, type[ModelConfig]] = {"tfidf": TfidfConfig, "transformer": TransformerConfig}
# Lines of Hydra's and OmegaConf's messages that tell a user nothing.
_NOISE = ("full_key:", "object_type=", "reference_type=", "Config search path", "provider=", "See http")


def register() -> None:
    """Tell Hydra the schemas; called once before any composition."""
    import os

    from hydra.core.config_store import ConfigStore
    from omegaconf import OmegaConf

    OmegaConf.register_new_resolver("conflictnlp_pid", os.getpid, replace=True)
    store = ConfigStore.instance()
    store.store(name="schema", node=Config)
    store.store(group="model", name="schema_tfidf", node=TfidfConfig)
    store.store(group="model", name="schema_transformer", node=TransformerConfig)


def to_config(node: Any) -> Config:
    """Turn Hydra's composed node into plain dataclasses and check what types cannot say.

    Args:
        node: the composed DictConfig.

    Returns:
        the config; nothing below the commands sees OmegaConf.

    Raises:
        InputError: a value is missing, not among its choices, or out of its range.
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        config = OmegaConf.to_object(node)
    except OmegaConfBaseException as error:
        raise InputError(f"config: {_first_line(error)}") from error
    assert isinstance(config, Config)
    refuse_unknown(config, "")
    check_values(config)
    return config


def from_dict(values: dict[str, Any]) -> Config:
    """Rebuild a config from the plain mapping that a run stores.

    Args:
        values: the stored mapping; the model's schema is chosen by its `kind`.

    Returns:
        the config.

    Raises:
        InputError: the mapping does not fit this version's schema.
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    kind = (values.get("model") or {}).get("kind")
    if kind not in _MODEL_KINDS:
        raise InputError(f"config: model.kind={kind!r} is unknown; kinds are {sorted(_MODEL_KINDS)}")
    try:
        schema = OmegaConf.structured(Config(model=_MODEL_KINDS[kind]()))
        return to_config(OmegaConf.merge(schema, values))
    except OmegaConfBaseException as error:
        raise InputError(f"config: the stored config does not fit this version: {_first_line(error)}") from error


def compose(overrides: Sequence[str]) -> tuple[Config, Any]:
    """Compose a config as `conflictnlp train` would, without starting a Hydra application.

    Args:
        overrides: Hydra's words, for instance `["task=topic", "model=tfidf"]`.

    Returns:
        the config and Hydra's own node (with `hydra.run.dir`).

    Raises:
        InputError: an override is malformed, mistyped or names a group that does not exist.
    """
    node, hydra_node = compose_node(overrides)
    try:
        return to_config(node), hydra_node
    except Exception as error:
        raise translate(error) from error


def compose_node(overrides: Sequence[str]) -> tuple[Any, Any]:
    """Compose a config and leave its interpolations as they are.

    Args:
        overrides: Hydra's words.

    Returns:
        the config's node and Hydra's own.

    Raises:
        InputError: as `compose`.
    """
    from hydra import compose as hydra_compose
    from hydra import initialize_config_module
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import open_dict

    register()
    try:
        with initialize_config_module(config_module=CONFIG_MODULE, version_base="1.3"):
            node = hydra_compose("config", overrides=list(overrides), return_hydra_config=True)
            HydraConfig.instance().set_config(node)
            hydra_node = node.hydra
            with open_dict(node):
                del node["hydra"]
            return node, hydra_node
    except Exception as error:
        raise translate(error) from error


def translate(error: Exception) -> Exception:
    """Return an InputError with one clear line for Hydra's and OmegaConf's own errors; others unchanged."""
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    # Hydra raises a bare ValueError for `task=null`.
    known = isinstance(error, HydraException | OmegaConfBaseException) or "Config group override" in str(error)
    if isinstance(error, InputError) or not known:
        return error
    lines = [line.strip() for line in str(error).splitlines() if line.strip(" ^")]
    cause = error.__cause__
    if isinstance(cause, OmegaConfBaseException) and str(cause).splitlines()[0].strip() not in lines:
        lines.append(str(cause).splitlines()[0].strip())
    if not any("not in struct" in line for line in lines):
        # Only a mapping takes new keys; one appended to a schema would be refused.
        lines = [line for line in lines if not line.startswith("To append to your")]
    text = "; ".join(line.rstrip(".;") for line in lines if not line.startswith(_NOISE)).replace(":; ", ": ")
    if "Got NoneType" in text:
        text += "; a group=null leaves nothing to run, name one of its options"
    if "hydra/launcher/" in text:
        text += "; the launchers joblib and submitit come with the extra: pip install 'conflictnlp[cluster]'"
    if "LabelConfig" in text:
        text += "; a label is written {name: ..., definition: ...}, best in a task file"
    return InputError(f"config: {text} (`conflictnlp train --cfg job` shows every key, `--help` every group)")


def shipped(group: str) -> dict[str, dict[str, Any]]:
    """Return the shipped configs of a group as plain mappings by name, for messages that list what fits."""
    from omegaconf import OmegaConf

    found: dict[str, dict[str, Any]] = {}
    for entry in sorted(resources.files(CONFIG_MODULE).joinpath(group).iterdir(), key=lambda item: item.name):
        if entry.name.endswith(".yaml"):
            node = OmegaConf.create(entry.read_text(encoding="utf-8"))
            values = OmegaConf.to_container(node, resolve=False)
            assert isinstance(values, dict)
            found[entry.name.removesuffix(".yaml")] = {str(key): value for key, value in values.items()}
    return found


def load_task(name: str) -> Task:
    """Return a shipped task by name, without composing a whole config.

    Args:
        name: a file of conf/task.

    Returns:
        the task.

    Raises:
        InputError: no task of that name ships with the package.
    """
    tasks = shipped("task")
    if name not in tasks:
        raise InputError(f"task={name!r} is unknown; tasks are {', '.join(tasks)}")
    return Task.from_dict({"name": name, **tasks[name]})


def load_data(name: str) -> DataConfig:
    """Return a shipped data config by name, without composing a whole config.

    Args:
        name: a file of conf/data.

    Returns:
        the data config; what is drawn from it is drawn with seed 1.

    Raises:
        InputError: no set of that name ships with the package.
    """
    from omegaconf import OmegaConf

    sets = shipped("data")
    if name not in sets:
        raise InputError(f"data={name!r} is unknown; sets are {', '.join(sets)}")
    node = OmegaConf.create({"seed": 1, "data": OmegaConf.merge(OmegaConf.structured(DataConfig), sets[name])})
    data = OmegaConf.to_object(node.data)
    assert isinstance(data, DataConfig)
    return data


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
