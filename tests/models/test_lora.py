"""Low-rank updates: what is trained, what stays, and that nothing of them is left in the end."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sklearn.base import clone
from transformers import AutoModelForSequenceClassification, BertModel, RobertaConfig, RobertaModel

from conflictnlp.bundle import save_bundle
from conflictnlp.errors import InputError
from conflictnlp.inference import Model
from conflictnlp.models import TransformerClassifier
from conflictnlp.models.classifier import new_classifier
from conflictnlp.models.lora import LowRankUpdates
from conflictnlp.text import Passage, find_mentions
from tests.models.helpers import cut_off

LABELS = ["war", "never", "deal"]


@pytest.fixture
def peft():
    return pytest.importorskip("peft", reason="needs the extra lora")


@pytest.fixture
def settings(tiny_settings) -> dict:
    return {**tiny_settings, "labels": LABELS, "lora_rank": 2, "learning_rate": 1e-2}


def weights(model: TransformerClassifier) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.model_.state_dict().items()}


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def changed(model: TransformerClassifier) -> set[str]:
    """The encoder's weights that are not those of its folder."""
    before = BertModel.from_pretrained(model.encoder).state_dict()
    after = model.model_.base_model.state_dict()
    assert before.keys() == after.keys()
    return {name for name in before if not torch.equal(before[name], after[name])}


def linear_weights(model: TransformerClassifier, *endings: str) -> set[str]:
    names = {f"{name}.weight" for name, m in model.model_.base_model.named_modules() if isinstance(m, torch.nn.Linear)}
    return {name for name in names if not endings or name.split(".")[-2] in endings}


@pytest.mark.parametrize("rank", [16, 1])
def test_without_peft_the_extra_is_named(monkeypatch, tiny_settings, texts, labels, rank):
    monkeypatch.setitem(sys.modules, "peft", None)
    told = f"model.lora_rank={rank}: needs peft, which is not installed: pip install 'conflictnlp[lora]'"
    with pytest.raises(InputError) as raised:
        TransformerClassifier(**tiny_settings, lora_rank=rank).fit(texts, labels)
    assert str(raised.value) == told


def test_without_a_rank_no_peft_is_needed(monkeypatch, tiny_settings, texts, labels):
    monkeypatch.setitem(sys.modules, "peft", None)
    assert TransformerClassifier(**tiny_settings, max_steps=1).fit(texts, labels).steps_ == 1


def test_the_command_refuses_it_before_a_run_is_made(monkeypatch, tmp_path, tiny_encoder):
    from conflictnlp import train

    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "peft", None)
    words = ["task=topic", "model=encoder", f"model.encoder={tiny_encoder}", "model.lora_rank=16"]
    with pytest.raises(InputError, match=r"^model\.lora_rank=16: needs peft"):
        train([*words, "hydra.run.dir=run"])
    assert not (tmp_path / "run").exists()


def test_clone_has_the_same_parameters(settings):
    model = TransformerClassifier(**settings, lora_alpha=8, lora_dropout=0.1, lora_targets="query,value")
    assert clone(model).get_params() == model.get_params()


class TestWhatIsTrained:
    """Of a model that has its updates."""

    @staticmethod
    def trained(folder, targets: str = "all-linear") -> set[str]:
        model, new = new_classifier(folder, LABELS, False)
        LowRankUpdates(model, new, 2, 4.0, 0.0, targets)
        return {name for name, parameter in model.named_parameters() if parameter.requires_grad}

    def test_updates_and_the_head(self, peft, tiny_encoder):
        trained = self.trained(tiny_encoder)
        assert {name for name in trained if "lora_" not in name} == {"classifier.weight", "classifier.bias"}
        # Query, key, value and the three dense layers, of two layers; the pooler; two matrices each.
        assert len(trained) == 2 + 2 * (2 * 6 + 1)

    def test_chosen_layers_alone(self, peft, tiny_encoder):
        trained = {name for name in self.trained(tiny_encoder, "query, attention.output.dense") if "lora_" in name}
        assert {name.partition(".lora_")[0].split(".", 4)[-1] for name in trained} == {
            "attention.self.query",
            "attention.output.dense",
        }

    def test_a_pooler_that_is_new_is_trained_as_it_is(self, peft, tiny_encoder, tmp_path):
        BertModel.from_pretrained(tiny_encoder, add_pooling_layer=False).save_pretrained(tmp_path)
        own = {name for name in self.trained(tmp_path) if "lora_" not in name}
        assert own == {
            f"{layer}.{part}" for layer in ("bert.pooler.dense", "classifier") for part in ("weight", "bias")
        }

    def test_a_head_of_two_layers_gets_no_update(self, peft, tmp_path):
        small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
        RobertaModel(RobertaConfig(vocab_size=50, **small), add_pooling_layer=False).save_pretrained(tmp_path)
        own = {name for name in self.trained(tmp_path) if not name.startswith("roberta.")}
        assert own == {f"classifier.{layer}.{part}" for layer in ("dense", "out_proj") for part in ("weight", "bias")}


def test_the_merged_model_scores_as_the_best_epoch_did(peft, settings, texts, labels):
    logged = []
    wrong = ["deal"] * len(texts)
    # No text is learnt as a deal, so that each epoch is worse than the one before.
    settings = {**settings, "epochs": 3, "metric": "loss", "log": lambda metrics, _: logged.append(metrics)}
    model = TransformerClassifier(**settings).fit(texts, ["war", "never"] * 12, validation=(texts, wrong))
    losses = [metrics["val/loss"] for metrics in logged if "val/loss" in metrics]
    assert losses == sorted(losses)
    chances = model.predict_proba(texts)[:, LABELS.index("deal")]
    assert -np.log(chances).mean() == pytest.approx(losses[0], abs=1e-5)


def test_updates_end_in_the_linear_layers_and_nowhere_else(peft, settings, texts, labels):
    model = TransformerClassifier(**settings).fit(texts, labels)
    assert changed(model) == linear_weights(model)
    assert not any(isinstance(module, peft.tuners.tuners_utils.BaseTunerLayer) for module in model.model_.modules())
    thrifty = TransformerClassifier(**settings, gradient_checkpointing=True).fit(texts, labels)
    assert changed(thrifty) == linear_weights(model)
    assert all(torch.allclose(value, weights(model)[name], atol=1e-5) for name, value in weights(thrifty).items())


def test_targets_may_be_chosen_and_embeddings_frozen_besides(peft, settings, texts, labels):
    model = TransformerClassifier(**settings, lora_targets="query,value", freeze_embeddings=True).fit(texts, labels)
    assert changed(model) == linear_weights(model, "query", "value")


def test_alpha_scales_the_updates(peft, settings, texts, labels):
    none, some = (TransformerClassifier(**settings, lora_alpha=alpha).fit(texts, labels) for alpha in (1e-9, 32))
    name = "encoder.layer.0.attention.self.query.weight"
    before = BertModel.from_pretrained(settings["encoder"]).state_dict()[name]
    distances = [(model.model_.base_model.state_dict()[name] - before).abs().max() for model in (none, some)]
    assert distances[0] < 1e-6 < 1e-3 < distances[1]


def test_a_bundle_is_one_of_any_encoder(peft, tmp_path, monkeypatch, settings, actor_task):
    texts = [f"On Monday {name} {course}." for name in ("IS", "FARC") for course in ("advanced", "met")] * 3
    passages = [Passage(text, (tuple(find_mentions(text, ["IS", "FARC"])),)) for text in texts]
    own = {**settings, "labels": actor_task.label_names, "spans": ("actor",), "pooling": "marks"}
    told = ["gaining", "none"] * 6
    model = TransformerClassifier(**own).fit(passages, told, validation=(passages, told))
    save_bundle(tmp_path / "bundle", model, actor_task)
    expected = model.predict_proba(passages)
    # Who reads it has no peft.
    monkeypatch.setitem(sys.modules, "peft", None)
    actors = ["IS", "IS", "FARC", "FARC"] * 3
    read = Model(tmp_path / "bundle", device="cpu").predict_proba(texts, actors=actors)
    assert read == pytest.approx(expected, abs=1e-6)
    saved = load_file(tmp_path / "bundle" / "model.safetensors")
    fresh = AutoModelForSequenceClassification.from_pretrained(tmp_path / "bundle")
    assert saved.keys() == fresh.state_dict().keys()
    assert not [path.name for path in (tmp_path / "bundle").iterdir() if "adapter" in path.name]


def test_the_marked_words_are_read_while_updates_are_trained(peft, settings):
    """The layers' other outputs are noise to a head that reads the marks: it learns from a name alone."""
    texts = [f"On Monday {name} met {other}." for name, other in (("rebels", "police"), ("police", "rebels"))] * 8
    marked = [Passage(text, (tuple(find_mentions(text, [text.split()[2]])),)) for text in texts]
    own = {**settings, "spans": ("actor",), "pooling": "marks", "epochs": 10, "labels": ["no", "yes"]}
    model = TransformerClassifier(**own).fit(marked, ["no", "yes"] * 8)
    (hook,) = model.model_.base_model._forward_hooks.values()
    assert hook.__qualname__.startswith("read_marks")
    assert (model.predict(marked) == ["no", "yes"] * 8).all()


def test_a_resumed_training_ends_as_an_undisturbed_one(peft, tmp_path, settings, texts, labels):
    # Epochs have 6 steps; the trainer logs after each validation, before it writes the checkpoint.
    settings = {**settings, "epochs": 3}
    validation = (texts[:6], labels[:6])
    whole = TransformerClassifier(**settings).fit(texts, labels, validation)
    cut_off(tmp_path, 12, settings, texts, labels, validation)
    held = load_file(tmp_path / "checkpoint-6" / "model.safetensors")
    assert {name for name in held if "lora_" not in name} == {"classifier.weight", "classifier.bias"}
    steps = []
    resumed = TransformerClassifier(**settings, checkpoints=tmp_path, resume=True, log=lambda _, s: steps.append(s))
    assert same(weights(resumed.fit(texts, labels, validation)), weights(whole))
    assert min(steps) > 6


def test_both_stages_train_them(peft, tmp_path, settings, texts, labels):
    others = (["rebels fired on the army", "envoys agreed on peace"] * 4, ["war", "deal"] * 4)
    once, twice = (
        TransformerClassifier(**settings, finish_epochs=more).fit(texts, labels, (texts, labels), others)
        for more in (0, 1)
    )
    assert changed(twice) == linear_weights(twice)
    assert not any(torch.equal(weights(once)[f"bert.{name}"], weights(twice)[f"bert.{name}"]) for name in changed(once))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"lora_rank": 0}, "model.lora_rank=0: must be 1 or more, or null for none"),
        ({"lora_dropout": 1.0}, "model.lora_dropout=1.0: is a share from 0 to below 1"),
        (
            {"lora_targets": "query,q_proj"},
            "model.lora_targets=query,q_proj: the encoder has no linear layer 'q_proj'; give all-linear, or some of "
            "dense, key, query, value",
        ),
        (
            {"lora_targets": ""},
            "model.lora_targets=: the encoder has no linear layer ''; give all-linear, or some of dense, key, query, "
            "value",
        ),
    ],
)
def test_what_does_not_fit_is_refused(peft, settings, texts, labels, wrong, told):
    with pytest.raises(InputError) as raised:
        TransformerClassifier(**{**settings, **wrong}).fit(texts, labels)
    assert str(raised.value) == told
