"""A tagger whose weights are set, not learnt: it finds known words and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conflictnlp.files import write_json

# Actors' first words, and words that go on with an actor (or begin one where none stands before).
BEGIN = ("is", "isis", "farc", "islamic", "syrian", "velmarian", "government", "rebels")
INSIDE = ("state", "army", "forces", "troops", "fighters")
SIZES = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}


class KnownWords:
    """What `save_bundle` takes for a tagger."""

    def __init__(self, vocabulary: dict[str, int], positions: int = 128, max_length: int = 32) -> None:
        self.vocabulary = vocabulary
        self.positions = positions
        self.max_length = max_length

    def save(self, folder: Path) -> None:
        """Write weights that tell a token by its embedding alone: attention and feed-forward layers add nothing."""
        import torch
        from safetensors.torch import save_file
        from transformers import BertConfig, BertForTokenClassification

        from conflictnlp.models.tagger import LABELS

        config = BertConfig(
            vocab_size=len(self.vocabulary),
            max_position_embeddings=self.positions,
            id2label=dict(enumerate(LABELS)),
            label2id={label: number for number, label in enumerate(LABELS)},
            **SIZES,
        )
        weights: dict[str, Any] = {
            name: torch.ones_like(value) if name.endswith("LayerNorm.weight") else torch.zeros_like(value)
            for name, value in BertForTokenClassification(config).state_dict().items()
        }
        words = weights["bert.embeddings.word_embeddings.weight"]
        for token, number in self.vocabulary.items():
            words[number, 1 if token in BEGIN else 2 if token in INSIDE else 0] = 5
        for place, label in enumerate(("O", "B-actor", "I-actor")):
            weights["classifier.weight"][LABELS.index(label), place] = 3
        save_file({name: value.half() for name, value in weights.items()}, folder / "tagger.safetensors")
        write_json(folder / "tagger.json", {"max_length": self.max_length, "encoder": config.to_dict()})
