from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest
import torch
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer

from conflictnlp.config import PretrainConfig
from conflictnlp.errors import InputError
from conflictnlp.models.masked_language import MaskedLanguageModel, MaskedLanguageResult, encode_texts
from conflictnlp.models.masked_trainer import MaskedLanguageTrainer as Trainer

# 19 texts in batches of 4: five steps an epoch, of which the fourth is in the middle.
SETTINGS = PretrainConfig(epochs=2, batch_size=4, max_length=32, learning_rate=5e-3, save_steps=2)


def learner(folder: Path, seed: int = 1) -> MaskedLanguageModel:
    return MaskedLanguageModel(folder, seed, "cpu", "float32")


def fit(model: MaskedLanguageModel, texts: list[str], folder: Path, **named) -> MaskedLanguageResult:
    return model.fit(texts[5:], texts[:5], SETTINGS, folder, **named)


def same(first: MaskedLanguageModel, second: MaskedLanguageModel) -> bool:
    other = second.model.state_dict()
    return all(torch.equal(values, other[name]) for name, values in first.model.state_dict().items())


@pytest.fixture(scope="module")
def trained(tiny_encoder, texts, tmp_path_factory) -> tuple[MaskedLanguageModel, MaskedLanguageResult]:
    model = learner(tiny_encoder)
    return model, fit(model, texts, tmp_path_factory.mktemp("checkpoints"))


def test_it_learns_to_guess_masked_words(trained):
    model, result = trained
    assert (result.steps, result.windows, result.new_head) == (10, 19, True)
    # A head that knows nothing guesses among the whole vocabulary.
    assert result.before == pytest.approx(len(model.tokenizer), rel=0.2)
    assert result.after < 0.9 * result.before


def test_one_seed_gives_one_encoder_and_another_another(trained, tiny_encoder, texts, tmp_path):
    again, other = learner(tiny_encoder), learner(tiny_encoder, seed=2)
    assert fit(again, texts, tmp_path / "again") == trained[1]
    fit(other, texts, tmp_path / "other")
    assert same(trained[0], again)
    assert not same(trained[0], other)


def test_one_that_was_killed_goes_on_bit_for_bit(trained, tiny_encoder, texts, tmp_path, monkeypatch):
    compute, calls = Trainer.compute_loss, []

    def killed(self, *words, **named):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return compute(self, *words, **named)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Trainer, "compute_loss", killed)
        fit(learner(tiny_encoder), texts, tmp_path)
    assert [path.name for path in tmp_path.glob("checkpoint-*")] == ["checkpoint-2"]
    steps: list[int] = []
    resumed = learner(tiny_encoder)
    result = fit(resumed, texts, tmp_path, resume=True, log_metrics=lambda _, step: steps.append(step))
    assert result == trained[1]
    assert same(trained[0], resumed)
    assert steps[0] == 5  # The perplexity after the first epoch, of which two steps were not repeated.


def test_what_is_saved_is_an_encoder_to_fine_tune(trained, tiny_encoder, tmp_path):
    trained[0].save(tmp_path)
    model, info = AutoModelForSequenceClassification.from_pretrained(tmp_path, output_loading_info=True)
    assert set(info["missing_keys"]) == {"classifier.weight", "classifier.bias"}
    base = AutoModel.from_pretrained(tiny_encoder).state_dict()
    found = {name.removeprefix("bert."): values for name, values in model.state_dict().items()}
    # The pooler takes no part in guessing words; fine-tuning must find the one that the encoder came with.
    assert torch.equal(found["pooler.dense.weight"], base["pooler.dense.weight"])
    word = "encoder.layer.0.output.dense.weight"
    assert torch.equal(found[word], trained[0].model.state_dict()[f"bert.{word}"])
    assert not torch.equal(found[word], base[word])
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    assert tokenizer.backend_tokenizer.truncation is None
    again = learner(tmp_path)
    assert not again.new_head


def test_no_part_of_a_long_text_is_left_out(tiny_encoder):
    tokenizer = AutoTokenizer.from_pretrained(tiny_encoder)
    text = " ".join(["army", "town", "talks"] * 20)
    windows = encode_texts(tokenizer, ["the army", text], 16)
    assert {len(window["input_ids"]) for window in windows[1:-1]} == {16}
    inner = [
        number
        for window in windows[1:]
        for number, special in zip(window["input_ids"], window["special_tokens_mask"], strict=True)
        if not special
    ]
    assert inner == tokenizer(text, add_special_tokens=False)["input_ids"]


def test_a_batch_without_a_masked_token_changes_nothing_but_is_no_number_lost(tiny_encoder, texts, tmp_path):
    settings = PretrainConfig(max_steps=2, batch_size=1, mask_share=0.05, max_length=32)
    model = learner(tiny_encoder)
    model.fit(texts, texts, settings, tmp_path)
    assert all(bool(values.isfinite().all()) for values in model.model.state_dict().values())


def test_held_out_texts_without_a_token_to_mask_are_told(tiny_encoder, texts, tmp_path):
    settings = PretrainConfig(mask_share=1e-9, max_length=32)
    with pytest.raises(InputError, match=r"pretrain\.validation=0\.05"):
        learner(tiny_encoder).fit(texts, texts[:1], settings, tmp_path)


def test_a_tokenizer_without_a_mask_is_refused(tiny_encoder, tmp_path):
    folder = tmp_path / "encoder"
    shutil.copytree(tiny_encoder, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.mask_token = None
    tokenizer.save_pretrained(folder)
    with pytest.raises(InputError, match="no mask token"):
        learner(folder)


def test_the_perplexity_is_that_of_the_asked_tokens(tiny_encoder):
    model = learner(tiny_encoder)
    ids = torch.tensor([model.tokenizer("the army attacked the town")["input_ids"]])
    labels = torch.full_like(ids, -100)
    labels[0, 2] = ids[0, 2]
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": labels}
    model.model.eval()
    with torch.no_grad():
        chance = model.model(input_ids=ids).logits[0, 2].softmax(-1)[ids[0, 2]].item()
    assert model.perplexity([batch, batch]) == pytest.approx(1 / chance, rel=1e-4)
    assert math.isfinite(model.perplexity([batch]))
