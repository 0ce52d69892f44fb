"""`conflictnlp pretrain`: an encoder goes on learning masked words from texts without labels."""

from __future__ import annotations

import logging
import shlex
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from conflictnlp.commands.pretrain_card import encoder_card
from conflictnlp.commands.resume import unfinished_run
from conflictnlp.commands.train import log_file, set_threads
from conflictnlp.composition import compose
from conflictnlp.config import Config, TransformerConfig
from conflictnlp.data.lineage import PRETRAINING, Lineage, read_lineage, text_hash, write_lineage
from conflictnlp.data.unlabelled import UnlabelledTexts, load_unlabelled
from conflictnlp.errors import InputError
from conflictnlp.files import atomic_folder, sha256_json, write_json, write_text

log = logging.getLogger(__name__)
KIND, ENCODER = "pretrain", "encoder"
_FOLDER = "hydra.run.dir='outputs/pretrain/${model.name}-s${seed}/${now:%Y-%m-%d_%H-%M-%S-%f}-${conflictnlp_pid:}'"


@dataclass(frozen=True)
class PretrainResult:
    """What a finished pre-training left.

    Attributes:
        run_id: MLflow's, 32 hex digits.
        encoder: a folder for `model.encoder`.
        metrics: perplexities, sizes and costs by name.
    """

    run_id: str
    encoder: Path
    metrics: dict[str, float]


def pretrain(overrides: Sequence[str] = ()) -> PretrainResult:
    """Train `model.encoder` on the masked words of `pretrain.texts`.

    Args:
        overrides: Hydra's words, for instance `["model=minilm", "pretrain.texts=[corpus.jsonl]"]`; `resume=true` goes
            on with one that was cut off.

    Returns:
        run id, the encoder's folder and metrics.

    Raises:
        InputError: the config, the encoder or the texts cannot be used; nothing was done.
        TrackingError: the store was lost on the way; the encoder lies in the run's folder.
    """
    from conflictnlp.models.device import resolve_device
    from conflictnlp.models.weights import find_encoder
    from conflictnlp.tracking.folder import discard_unused
    from conflictnlp.tracking.run import TrackedRun
    from conflictnlp.tracking.store import Store, check_store

    started = time.time()
    config, hydra_node = compose([_FOLDER, *overrides])
    model = config.model
    if not isinstance(model, TransformerConfig):
        raise InputError(f"pretrain: model={model.name} is no encoder; choose one, for instance model=minilm")
    set_threads(config)
    check_store(config.tracking)
    resolve_device(config.device)
    base = find_encoder(model.encoder, model.revision)
    inherited = read_lineage(base)
    texts = load_unlabelled(config.pretrain, config.data, config.to_task(), config.seed)
    store = Store(config.tracking)
    record = _record(config, model, texts, overrides)
    folder = Path(hydra_node.run.dir).absolute()
    run_id = None
    if config.resume:
        run_id, old = unfinished_run(config, store, record)
        folder = old or folder
        config = replace(config, resume=run_id is not None)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with log_file(folder), TrackedRun(store, folder, record, run_id) as run:
            write_json(folder / "config.json", asdict(config))
            metrics = _train(config, base, texts, inherited, folder, run, started)
            shutil.rmtree(folder / "checkpoints", ignore_errors=True)
            run.end("FINISHED")
    finally:
        discard_unused(folder)
    return PretrainResult(run.run_id, folder / ENCODER, metrics)


def _train(
    config: Config,
    base: Path,
    texts: UnlabelledTexts,
    inherited: Lineage | None,
    folder: Path,
    run: Any,
    started: float,
) -> dict[str, float]:
    """Train, and write the encoder whole."""
    from conflictnlp.models.masked_language import MaskedLanguageModel

    learner = MaskedLanguageModel(base, config.seed, config.device, config.trainer.precision)
    result = learner.fit(
        texts.train, texts.held_out, config.pretrain, folder / "checkpoints", config.resume, run.log_metrics
    )
    log.info("perplexity of masked tokens: %.2f before, %.2f after", result.before, result.after)
    lineage = Lineage(frozenset(map(text_hash, texts.keys)), texts.latest_date, texts.undated).joined(inherited)
    facts = {
        "run_id": run.run_id,
        "base_model": getattr(config.model, "encoder", None),
        "revision": getattr(config.model, "revision", None),
        "new_head": result.new_head,
        "sources": texts.sources,
        "dropped": texts.dropped,
        "texts": len(texts.train),
        "held_out_texts": len(texts.held_out),
        "windows": result.windows,
        "tokens": result.tokens,
        "steps": result.steps,
        "fingerprint": texts.fingerprint,
        "perplexity": {"before": result.before, "after": result.after},
        "seed": config.seed,
        "config": asdict(config.pretrain),
    }
    with atomic_folder(folder / ENCODER) as temporary:
        learner.save(temporary)
        write_lineage(temporary, lineage, facts)
        write_text(temporary / "README.md", encoder_card(facts, lineage, config.model.name))
    # The store takes the folder's files; the weights stay here.
    shutil.copy(folder / ENCODER / PRETRAINING, folder / PRETRAINING)
    metrics = {
        "pretrain/perplexity_before": result.before,
        "pretrain/perplexity_after": result.after,
        "pretrain/tokens": float(result.tokens),
        "duration_seconds": time.time() - started,
    }
    run.log_metrics(metrics, result.steps)
    return metrics


def _record(
    config: Config, model: TransformerConfig, texts: UnlabelledTexts, overrides: Sequence[str]
) -> dict[str, Any]:
    settings = asdict(config.pretrain)
    # How often it is saved changes nothing of what it learns.
    settings.pop("save_steps")
    known = [model.encoder, model.revision, config.trainer.precision, config.device, config.seed, settings]
    return {
        "experiment": config.tracking.experiment or KIND,
        "name": config.name or f"pretrain-{model.name}-s{config.seed}",
        "note": f"Continued masked-language training of `{model.encoder}`.",
        "tags": {
            "task": KIND,
            "kind": KIND,
            "model": model.name,
            "seed": str(config.seed),
            "command": shlex.join(["conflictnlp", "pretrain", *overrides]),
            "identity": sha256_json([KIND, known, texts.fingerprint]),
            **config.tracking.tags,
        },
        "params": {
            "model.encoder": model.encoder,
            "seed": config.seed,
            "texts": len(texts.train),
            **{f"pretrain.{key}": value for key, value in settings.items()},
        },
        "log_model": False,
        "datasets": [
            {
                "name": "texts",
                "split": "train",
                "fingerprint": texts.fingerprint,
                "source": ", ".join(texts.sources),
                "rows": len(texts.train),
                "labels": {},
            }
        ],
    }
