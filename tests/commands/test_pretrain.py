from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from conflictnlp.commands.pretrain import pretrain
from conflictnlp.data.lineage import read_learnt, read_lineage
from conflictnlp.models import masked_language
from conflictnlp.models.masked_trainer import MaskedLanguageTrainer
from conflictnlp.tracking.store import Store
from tests.commands.conftest import Run, Said, say

PLACES = ("Ostra", "Velm", "Karth", "Dhal", "Sorr", "Tirk")
TRAINING = (
    *("model=encoder", "model.name=tiny", "trainer.max_steps=1", "trainer.batch_size=8", "trainer.precision=float32"),
    *("model.max_length=32", "evaluation.plots=false", "evaluation.bootstrap=10", "tagger.train=false"),
)


def rows(year: int, verb: str, label: str) -> list[dict[str, Any]]:
    return [
        {"text": f"Rebels {verb} {place}.", "date": f"{year}-05-0{n}", "label": label}
        for n, place in enumerate(PLACES, 1)
    ]


def write(name: str, *parts: list[dict[str, Any]]) -> None:
    Path(name).write_text("".join(json.dumps(row) + "\n" for part in parts for row in part))


@pytest.fixture
def words(workplace: Path, tiny_encoder: Path) -> list[str]:
    """The words of a quick pre-training; among its texts stand those of the test and of the validation."""
    write("train.jsonl", rows(2010, "shelled", "armed_conflict"), rows(2010, "voted in", "politics"))
    write("validation.jsonl", rows(2011, "stormed", "armed_conflict"), rows(2011, "met in", "politics"))
    write("test.jsonl", rows(2012, "took", "armed_conflict"), rows(2012, "ruled in", "politics"))
    write("late.jsonl", rows(2020, "left", "armed_conflict"))
    write("texts.jsonl", rows(2013, "held", ""), rows(2012, "TOOK", ""), rows(2011, "stormed", ""))
    return [
        *("task=topic", "data=files", "data.train=train.jsonl", "data.validation=validation.jsonl"),
        *("data.test=test.jsonl", "data.extra_before=2016-01-01"),
        *("model=encoder", "model.name=tiny", f"model.encoder={tiny_encoder}", "trainer.precision=float32"),
        *("pretrain.texts=[texts.jsonl,train.jsonl]", "pretrain.max_steps=2", "pretrain.batch_size=4"),
        *("pretrain.max_length=32", "pretrain.save_steps=1"),
    ]


def encoder_of(said: Said) -> Path:
    assert said.status == 0, said.err
    names, values = zip(*(line.split(": ") for line in said.out.splitlines()), strict=True)
    assert names == ("run_id", "encoder")
    return Path(values[1])


def train_on(encoder: Path, words: list[str], *more: str) -> Said:
    data = [word for word in words if word.startswith(("task=", "data"))]
    return say("train", *data, *TRAINING, f"model.encoder={encoder}", *more)


def test_the_encoder_trains_and_nothing_that_is_scored_was_read(run: Run, words, monkeypatch) -> None:
    read: list[str] = []
    encode = masked_language.encode_texts

    def spy(tokenizer, texts, length):
        read.extend(texts)
        return encode(tokenizer, texts, length)

    monkeypatch.setattr(masked_language, "encode_texts", spy)
    said = run("pretrain", *words)
    encoder = encoder_of(said)
    own = [
        row["text"]
        for part in (rows(2013, "held", ""), rows(2010, "shelled", ""), rows(2010, "voted in", ""))
        for row in part
    ]
    assert sorted(read) == sorted(own)

    values = json.loads((encoder / "pretraining.json").read_text())
    assert values["sources"] == {"texts.jsonl": 18, "train.jsonl": 12}
    assert values["dropped"] == {"excluded": 12}
    assert (values["texts"], values["held_out_texts"], values["steps"]) == (17, 1, 2)
    assert (values["latest_date"], values["undated"], values["new_head"]) == ("2013-05-06", 0, True)
    assert values["config"]["before"] == "2016-01-01"
    assert len((encoder / "pretraining.hashes").read_bytes()) == 8 * len(own)
    assert "new one was trained from random values" in (encoder / "README.md").read_text()
    assert not (encoder.parent / "checkpoints").exists()
    AutoTokenizer.from_pretrained(encoder)

    client = Store().client
    tracked = client.get_run(values["run_id"])
    assert client.get_experiment(tracked.info.experiment_id).name == "pretrain"
    assert (tracked.info.status, tracked.info.run_name) == ("FINISHED", "pretrain-tiny-s1")
    assert tracked.data.tags["command"] == shlex.join(["conflictnlp", "pretrain", *words])
    assert tracked.data.metrics["pretrain/perplexity_after"] == values["perplexity"]["after"]
    assert {item.path for item in client.list_artifacts(values["run_id"])} >= {"pretraining.json", "config.json"}

    done = train_on(encoder, words)
    assert done.status == 0, done.err
    bundle = Path(done.out.splitlines()[1].partition(": ")[2])
    manifest = json.loads((bundle / "manifest.json").read_text())
    # The model has seen what its encoder has read.
    assert read_learnt(bundle, manifest["files"]) > read_lineage(encoder).hashes
    facts = manifest["training"]
    assert (facts["base_model"], facts["extra_before"]) == (str(encoder), "2016-01-01")
    assert "was fine-tuned on data=files" in refused(train_on(bundle, words, "data.name=other"))
    assert f"start it again: {tracked.data.tags['command']}" in run("rerun", values["run_id"]).refusal


def refused(said: Said) -> str:
    """Return the line of a refusal, which follows warnings of the data."""
    assert (said.status, said.out) == (2, ""), said
    return said.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (["pretrain.texts=[late.jsonl]", "pretrain.before=null"], "texts of up to 2020-05-06"),
        (["pretrain.exclude=[test.jsonl]"], "6 texts of the validation split of data=files"),
    ],
)
def test_train_refuses_an_encoder_that_has_read_too_much(run: Run, words, change, line) -> None:
    encoder = encoder_of(run("pretrain", *words, *change))
    assert line in refused(train_on(encoder, words))
    assert len(Store().client.search_runs(["1", "2"])) == 1  # The pre-training's: nothing was begun.


def test_an_encoder_has_read_what_the_one_it_began_from_has(run: Run, words) -> None:
    late = encoder_of(run("pretrain", *words, "pretrain.texts=[late.jsonl]", "pretrain.before=null"))
    again = encoder_of(run("pretrain", *words, f"model.encoder={late}"))
    first, second = read_lineage(late), read_lineage(again)
    assert first is not None
    assert second is not None
    assert (len(second.hashes), second.latest_date) == (6 + 18, "2020-05-06")
    assert second.hashes > first.hashes
    # In a cross-validation every row is scored.
    on_train = encoder_of(run("pretrain", *words))
    assert "12 texts of the test split" in refused(train_on(on_train, words, "evaluation.folds=2"))


def test_one_that_was_killed_is_gone_on_with(run: Run, words, monkeypatch) -> None:
    whole = encoder_of(run("pretrain", *words, "seed=3"))
    compute, calls = MaskedLanguageTrainer.compute_loss, []

    def killed(self, *given, **named):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return compute(self, *given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(MaskedLanguageTrainer, "compute_loss", killed)
        assert run("pretrain", *words, "seed=3").status == 130
    (cut,) = (found for found in Store().client.search_runs(["1"]) if found.info.status == "KILLED")
    said = run("pretrain", *words, "seed=3", "resume=true", "pretrain.save_steps=7")
    resumed = encoder_of(said)
    assert said.out.startswith(f"run_id: {cut.info.run_id}\n")
    assert str(resumed.parent) == cut.data.tags["run_folder"]
    weights = [(folder / "model.safetensors").read_bytes() for folder in (whole, resumed)]
    assert weights[0] == weights[1]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (["pretrain.texts=[]"], "pretrain.texts: name the texts"),
        (["pretrain.texts=[none.jsonl]"], "none.jsonl: no such file"),
        (["pretrain.before=soon"], "pretrain.before=soon: must be a date"),
        (["pretrain.mask_share=1.5"], "pretrain.mask_share=1.5: must be a share"),
        (["pretrain.warmup=2"], "pretrain.warmup=2.0: is a share"),
        (["pretrain.epochs=0"], "pretrain.epochs=0.0: must be above zero"),
        (["pretrain.speed=9"], "speed"),
        (["model=tfidf", "model.encoder=x"], "encoder"),
        (["model.encoder=nowhere/at-all"], "model.encoder=nowhere/at-all: not found"),
    ],
)
def test_a_wrong_word_is_told_in_one_line_and_leaves_nothing(run: Run, words, workplace: Path, change, line) -> None:
    assert line in run("pretrain", *words, *change).refusal
    assert not (workplace / "outputs").exists()


def test_a_classifier_of_words_is_no_encoder(run: Run, words) -> None:
    others = [word for word in words if not word.startswith(("model", "trainer"))]
    assert "model=tfidf is no encoder" in run("pretrain", *others, "model=tfidf").refusal


def test_it_can_be_called_from_python(words) -> None:
    result = pretrain([*words, "pretrain.max_steps=1"])
    assert (result.encoder / "config.json").is_file()
    assert set(result.metrics) >= {"pretrain/perplexity_before", "pretrain/perplexity_after", "pretrain/tokens"}
