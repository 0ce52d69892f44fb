"""What all tests share: an environment that reaches no network, and an encoder small enough to train in a second."""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from conflictnlp.task import Label, Task
from conflictnlp.text import Passage, find_mentions
from tests.known_words import BEGIN, INSIDE, SIZES, KnownWords

# Read when huggingface_hub and mlflow are imported, which test modules do before any fixture runs.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONFLICTNLP_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield


@pytest.fixture(autouse=True)
def _no_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two layers with random weights and a WordPiece vocabulary of the sample's words, as a folder."""
    import torch
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("tiny_encoder")
    tokenizer = _tokenizer()
    tokenizer.save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def topic_task() -> Task:
    return Task("topic", "single", (Label("war", "fighting"), Label("deal", "talks"), Label("never", "in no text")))


@pytest.fixture(scope="session")
def actor_task() -> Task:
    labels = (Label("none", "no course"), Label("losing", "falls back"), Label("gaining", "moves ahead"))
    return Task("momentum", "single", labels, spans=("actor",))


@pytest.fixture(scope="session")
def multi_task() -> Task:
    return Task("acts", "multi", (Label("attack", "fire"), Label("arrest", "custody"), Label("never", "in no text")))


@pytest.fixture(scope="session")
def topic_bundle(tmp_path_factory: pytest.TempPathFactory, topic_task: Task) -> Path:
    """A bundle of TF-IDF without marked actors."""
    texts = ["Shells hit the town.", "Troops stormed the town.", "Envoys signed the truce.", "Envoys met for a truce."]
    return _tfidf_bundle(tmp_path_factory, topic_task, texts, ["war", "war", "deal", "deal"])


@pytest.fixture(scope="session")
def actor_bundle(tmp_path_factory: pytest.TempPathFactory, actor_task: Task) -> Path:
    """A bundle of TF-IDF that reads a text for one actor: it advanced, retreated or met."""
    texts, labels = actor_passages(
        [("IS", "advanced on", "gaining"), ("the army", "retreated from", "losing"), ("FARC", "met near", "none")]
    )
    return _tfidf_bundle(tmp_path_factory, actor_task, texts, labels)


@pytest.fixture(scope="session")
def multi_bundle(tmp_path_factory: pytest.TempPathFactory, multi_task: Task) -> Path:
    """A multi-label bundle of TF-IDF; "arrest" counts from 0.3."""
    texts = ["Rebels shelled it.", "Police held ten.", "Rebels shelled it. Police held ten.", "Rain fell."]
    labels = [["attack"], ["arrest"], ["attack", "arrest"], []]
    return _tfidf_bundle(tmp_path_factory, multi_task, texts, labels, thresholds={"arrest": 0.3})


@pytest.fixture(scope="session")
def encoder_bundle(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path, actor_task: Task) -> Path:
    """A bundle of the tiny encoder, trained for one step, that reads a text for one actor in windows of 32 tokens."""
    from conflictnlp.bundle import save_bundle
    from conflictnlp.models import TransformerClassifier

    texts, labels = actor_passages([("IS", "advanced on", "gaining"), ("FARC", "met near", "none")])
    estimator = TransformerClassifier(
        encoder=str(tiny_encoder),
        labels=actor_task.label_names,
        spans=actor_task.spans,
        max_length=32,
        overlap=8,
        max_steps=1,
        precision="float32",
        device="cpu",
    )
    folder = tmp_path_factory.mktemp("encoder") / "bundle"
    save_bundle(folder, estimator.fit(texts, labels), actor_task, temperature=2.0)
    return folder


@pytest.fixture(scope="session")
def finding_task(actor_task: Task) -> Task:
    return replace(actor_task, finds_actors=True)


@pytest.fixture(scope="session")
def finding_bundle(tmp_path_factory: pytest.TempPathFactory, finding_task: Task) -> Path:
    """A bundle of a tiny encoder whose tagger finds the actors of `tests.known_words`."""
    from transformers import BertConfig, BertModel

    from conflictnlp.bundle import save_bundle
    from conflictnlp.models import TransformerClassifier

    encoder = tmp_path_factory.mktemp("knowing_encoder")
    tokenizer = _tokenizer((*BEGIN, *INSIDE))
    tokenizer.save_pretrained(encoder)
    BertModel(BertConfig(vocab_size=len(tokenizer), max_position_embeddings=128, **SIZES)).save_pretrained(encoder)
    texts, labels = actor_passages([("IS", "advanced on", "gaining"), ("FARC", "met near", "none")])
    estimator = TransformerClassifier(
        encoder=str(encoder),
        labels=finding_task.label_names,
        spans=finding_task.spans,
        max_length=64,
        max_steps=1,
        precision="float32",
        device="cpu",
    )
    folder = tmp_path_factory.mktemp("finding") / "bundle"
    save_bundle(folder, estimator.fit(texts, labels), finding_task, tagger=KnownWords(tokenizer.get_vocab()))
    return folder


@pytest.fixture(scope="session")
def tagger_bundle(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path, encoder_bundle: Path) -> Path:
    """The encoder bundle with a tagger of actors, trained for a few steps; it reads windows of 24 tokens."""
    from conflictnlp.bundle import read_manifest, seal
    from conflictnlp.data.tagged import TaggedText
    from conflictnlp.models.tagger import ActorTagger

    actors = ("IS", "the army", "FARC")
    told = ("advanced on Ostra", "fled from Velm", "met near Karth")
    joined = [
        f"On Monday {one} {first}. On Tuesday {other} {second}. Rain fell on Velm all day."
        for one, other, first, second in product(actors, actors, told, told)
    ]
    texts = [TaggedText(text, tuple(sorted(find_mentions(text, actors)))) for text in joined]
    tagger = ActorTagger(str(tiny_encoder), max_length=24, learning_rate=1e-3, max_steps=100, device="cpu").fit(texts)
    folder = shutil.copytree(encoder_bundle, tmp_path_factory.mktemp("tagger") / "bundle")
    manifest = read_manifest(folder)
    tagger.save(folder)
    seal(folder, manifest)
    return folder


@pytest.fixture(scope="session")
def onnx_bundle(tmp_path_factory: pytest.TempPathFactory, encoder_bundle: Path) -> Path:
    """The encoder bundle, exported."""
    return _exported(tmp_path_factory, encoder_bundle, int8=False)


@pytest.fixture(scope="session")
def int8_bundle(tmp_path_factory: pytest.TempPathFactory, encoder_bundle: Path) -> Path:
    """The encoder bundle, exported with weights of 8 bits."""
    return _exported(tmp_path_factory, encoder_bundle, int8=True)


@pytest.fixture(scope="session")
def onnx_tagger_bundle(tmp_path_factory: pytest.TempPathFactory, tagger_bundle: Path) -> Path:
    """The bundle with a tagger, exported."""
    return _exported(tmp_path_factory, tagger_bundle, int8=False)


def _exported(factory: pytest.TempPathFactory, source: Path, int8: bool) -> Path:
    from conflictnlp.data.example import Example, Span
    from conflictnlp.export.bundle import export_onnx
    from conflictnlp.inference import Model

    folder = factory.mktemp("exported") / "bundle"
    row = Example("row 1", "1", "On Monday IS advanced on Ostra.", spans=(("actor", Span("IS")),))
    export_onnx(Model(source, device="cpu"), folder, "one row", [row] * (1000 if int8 else 1), int8)
    return folder


def actor_passages(courses: list[tuple[str, str, str]]) -> tuple[list[Passage], list[str]]:
    """Return passages on each (actor, course, label) in a few places, and their labels."""
    places = ("Ostra", "Velm", "Karth", "Dhal")
    passages, labels = [], []
    for actor, course, label in courses:
        for place in places:
            text = f"On Monday {actor} {course} {place}."
            passages.append(Passage(text, (tuple(find_mentions(text, [actor])),)))
            labels.append(label)
    return passages, labels


def _tfidf_bundle(
    factory: pytest.TempPathFactory, task: Task, texts: list[Any], labels: list[Any], **calibration: Any
) -> Path:
    from conflictnlp.bundle import save_bundle
    from conflictnlp.models import TfidfClassifier

    estimator = TfidfClassifier(labels=task.label_names, multi=task.is_multi, spans=task.spans)
    folder = factory.mktemp(task.name) / "bundle"
    save_bundle(folder, estimator.fit(texts, labels), task, **calibration)
    return folder


def _tokenizer(further: Sequence[str] = ()) -> Any:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    from conflictnlp.data.sample import sample_texts

    counts = Counter(word for row in sample_texts("train") for word in re.findall(r"[a-z]+", row["text"].lower()))
    words = sorted(counts, key=lambda word: (-counts[word], word))[:1000]
    characters = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    vocabulary = dict.fromkeys(
        [*SPECIAL_TOKENS, *characters, *(f"##{c}" for c in characters if c.isalnum()), *words, *further]
    )
    numbers = {token: number for number, token in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(numbers, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    ends = [(token, numbers[token]) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", "[CLS] $A [SEP] $B [SEP]", ends)
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), SPECIAL_TOKENS, strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=128, **names)
