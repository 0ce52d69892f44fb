"""Finding armed actors in a text: token classification with an encoder, trained by the transformers Trainer."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import torch
import transformers
from transformers import AutoConfig, AutoModelForTokenClassification, DataCollatorForTokenClassification

from conflictnlp import processes
from conflictnlp.data.tagged import TaggedText
from conflictnlp.errors import BundleError, InputError
from conflictnlp.files import write_json
from conflictnlp.models.amounts import passes
from conflictnlp.models.batching import PAD_TO
from conflictnlp.models.classifier import read_tokenizer
from conflictnlp.models.cpu_layers import fast_on_cpu
from conflictnlp.models.device import resolve_device
from conflictnlp.models.encoders import LOCAL_ONLY, quiet, reach_of, training_arguments, window_logits
from conflictnlp.models.mentions import CONFIG, LABELS, WEIGHTS, MentionFinder, TokenWindow, TokenWindows
from conflictnlp.models.progress import ProgressBar
from conflictnlp.models.scores import Matrix
from conflictnlp.models.weights import find_encoder

log = logging.getLogger(__name__)
_IGNORED = -100


class ActorTagger(MentionFinder):
    """Find mentions of armed actors.

    Args:
        encoder: hub name or folder.
        revision: of the hub repository.
        max_length: tokens read at once; longer texts are cut at sentence borders.
        learning_rate: peak learning rate.
        epochs: passes over the data; None takes `examples_seen` / windows, within 2 and 20.
        examples_seen: see epochs.
        max_steps: stop after this many optimiser steps; -1 for no limit.
        batch_size: windows of a batch.
        seed: seeds weights, dropout and order.
        device: auto, cpu, cuda, cuda:N or mps.
        precision: auto, float32 or bfloat16.
    """

    def __init__(
        self,
        encoder: str,
        revision: str | None = None,
        max_length: int = 128,
        learning_rate: float = 3e-4,
        epochs: float | None = None,
        examples_seen: int = 4_000,
        max_steps: int = -1,
        batch_size: int = 32,
        seed: int = 1,
        device: str = "auto",
        precision: str = "auto",
    ) -> None:
        self.encoder = encoder
        self.revision = revision
        self.max_length = max_length
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.examples_seen = examples_seen
        self.max_steps = max_steps
        self.batch_size = batch_size
        self.seed = seed
        self.device = device
        self.precision = precision

    def fit(self, texts: Sequence[TaggedText]) -> Self:
        """Learn from marked texts.

        Args:
            texts: with and without parties.

        Returns:
            the tagger itself.

        Raises:
            InputError: no text marks an armed actor.
        """
        if not any(text.spans for text in texts if text.kind == "actor"):
            raise InputError("tagger: no training text marks an armed actor; tagger.train=false leaves the tagger out")
        with processes.agreed():
            device = resolve_device(self.device)
            folder = find_encoder(self.encoder, self.revision)
        transformers.set_seed(self.seed)
        self._load_tokenizer(folder)
        config = AutoConfig.from_pretrained(
            folder,
            num_labels=len(LABELS),
            id2label=dict(enumerate(LABELS)),
            label2id={label: number for number, label in enumerate(LABELS)},
            **LOCAL_ONLY,
        )
        with quiet():
            self.model_ = AutoModelForTokenClassification.from_pretrained(
                folder, config=config, dtype=torch.float32, use_safetensors=True, **LOCAL_ONLY
            )
        self.max_length = min(self.max_length, reach_of(self.model_))
        self.windows = TokenWindows(self.tokenizer_.backend_tokenizer, self.max_length)
        self.model_.get_input_embeddings().requires_grad_(False)
        rows = [
            {"input_ids": window.ids, "labels": self._labels(window, text)}
            for text in texts
            for window in self.windows.cut(text.text)
        ]
        checkpoints = Path(tempfile.mkdtemp(prefix="conflictnlp-tagger-"))
        trainer = transformers.Trainer(
            model=self.model_,
            args=self._arguments(checkpoints, device, len(rows)),
            train_dataset=rows,
            data_collator=DataCollatorForTokenClassification(self.tokenizer_, pad_to_multiple_of=PAD_TO),
            callbacks=[ProgressBar(None)],
        )
        trainer.remove_callback(transformers.PrinterCallback)
        try:
            with quiet(), fast_on_cpu(self.model_, device):
                trainer.train()
        finally:
            shutil.rmtree(checkpoints, ignore_errors=True)
        self.model_.eval()
        marked = [text for text in texts if text.kind == "actor"]
        self.texts_ = {
            "with armed actors": sum(bool(text.spans) for text in marked),
            "without": sum(not text.spans for text in marked),
            "with source and target": len(texts) - len(marked),
        }
        return self

    def save(self, folder: Path) -> None:
        """Write `tagger.safetensors` (in half precision) and `tagger.json`; the tokenizer is the classifier's."""
        from safetensors.torch import save_file

        weights = {name: value.half().contiguous().cpu() for name, value in self.model_.state_dict().items()}
        save_file(weights, folder / WEIGHTS)
        encoder = self.model_.config.to_dict()
        # The encoder's folder on this machine is no property of the model.
        encoder.pop("_name_or_path", None)
        write_json(folder / CONFIG, {"max_length": self.max_length, "encoder": encoder})

    @classmethod
    def load(cls, folder: Path, device: str = "auto") -> ActorTagger:
        """Read what `save` wrote.

        Args:
            folder: the bundle.
            device: where to compute.

        Returns:
            a tagger that is ready to find.

        Raises:
            BundleError: the files are damaged or do not fit.
        """
        import json

        from safetensors.torch import load_file

        try:
            values = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
            config = AutoConfig.for_model(**values["encoder"])
            if config.id2label != dict(enumerate(LABELS)):
                raise ValueError(f"its labels {config.id2label} are not a tagger's")
            tagger = cls(str(folder), max_length=int(values["max_length"]), device=device)
            tagger._load_tokenizer(folder)
            with quiet():
                tagger.model_ = AutoModelForTokenClassification.from_config(config)
            weights = {name: value.float() for name, value in load_file(folder / WEIGHTS).items()}
            tagger.model_.load_state_dict(weights)
        except Exception as error:
            # transformers, torch and safetensors raise many kinds for damaged files.
            reason = str(error).partition("\n")[0]
            raise BundleError(f"{folder}: the tagger of actors cannot be read ({reason})") from error
        tagger.model_.eval()
        return tagger

    def facts(self) -> dict[str, Any]:
        """Return how the tagger was trained, for the manifest."""
        names = ("encoder", "max_length", "learning_rate", "epochs", "examples_seen", "batch_size", "seed")
        return {**{name: getattr(self, name) for name in names}, "texts": self.texts_}

    def _load_tokenizer(self, folder: Path) -> None:
        self.tokenizer_ = read_tokenizer(folder)
        self.windows = TokenWindows(self.tokenizer_.backend_tokenizer, self.max_length)

    def _logits(self, windows: Sequence[Sequence[int]]) -> list[Matrix]:
        device = resolve_device(self.device)
        self.model_.to(device)
        return window_logits(self.model_, windows, self.tokenizer_.pad_token_id, self.batch_size, device)

    def _labels(self, window: TokenWindow, text: TaggedText) -> list[int]:
        labels = []
        for start, end in window.places:
            inside = next((span for span in text.spans if span[0] <= start and end <= span[1]), None)
            if inside is None:
                labels.append(0)
            else:
                labels.append(LABELS.index(f"{'B' if start == inside[0] else 'I'}-{text.kind}"))
        after = len(window.ids) - window.lead - len(labels)
        return [_IGNORED] * window.lead + labels + [_IGNORED] * after

    def _arguments(self, folder: Path, device: torch.device, examples: int) -> transformers.TrainingArguments:
        return training_arguments(
            folder,
            device,
            self.precision,
            self.seed,
            num_train_epochs=passes(examples, self.examples_seen, 2, 20) if self.epochs is None else self.epochs,
            max_steps=self.max_steps,
            per_device_train_batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            warmup_steps=0.1,
            train_sampling_strategy="group_by_length",
            eval_strategy="no",
            save_strategy="no",
            logging_strategy="no",
        )
