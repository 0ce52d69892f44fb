"""The tagger of actors: it learns, finds, and survives a bundle."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
import transformers

from conflictnlp.bundle import read_manifest
from conflictnlp.data.tagged import TaggedText
from conflictnlp.errors import BundleError, InputError
from conflictnlp.evaluation.spans import score_spans
from conflictnlp.models.tagger import LABELS, ActorTagger
from conflictnlp.text import find_mentions
from tests.known_words import KnownWords

PLACES = ("ostrany", "velmaria", "karthena", "tirkesh")
ACTORS = ("army", "rebels", "government forces")


def texts_to_learn() -> list[TaggedText]:
    texts = []
    for place in PLACES:
        for actor in ACTORS:
            for course in ("took", "left", "attacked"):
                text = f"The {actor} {course} {place}."
                texts.append(TaggedText(text, tuple(find_mentions(text, [actor]))))
        texts += [TaggedText(f"The people of {place} took food.", ()), TaggedText(f"Rain left {place}.", ())]
    return texts


@pytest.fixture(scope="module")
def settings(tiny_encoder: Path) -> dict:
    return {
        "encoder": str(tiny_encoder),
        "max_length": 32,
        "learning_rate": 1e-2,
        "batch_size": 16,
        "device": "cpu",
        "precision": "float32",
    }


@pytest.fixture(scope="module")
def learnt(settings: dict) -> ActorTagger:
    return ActorTagger(**settings, max_steps=60).fit(texts_to_learn())


@pytest.fixture(scope="module")
def tagger(finding_bundle: Path) -> ActorTagger:
    """One that finds known words, in windows of 32 tokens."""
    return ActorTagger.load(finding_bundle, "cpu")


def found(tagger: ActorTagger, text: str) -> list[str]:
    (mentions,) = tagger.find([text])
    return [text[mention.start : mention.end] for mention in mentions]


class TestLearning:
    """From marked texts."""

    def test_it_finds_what_it_was_taught(self, learnt):
        texts = texts_to_learn()
        mentions = learnt.find([text.text for text in texts])
        scores = score_spans([text.spans for text in texts], [[(m.start, m.end) for m in own] for own in mentions])
        assert scores.f1 > 0.9

    def test_probabilities_are_those_of_being_an_actors(self, learnt):
        (mentions,) = learnt.find(["The army took ostrany."])
        assert [0.5 < mention.probability <= 1 for mention in mentions] == [True]

    def test_word_embeddings_stay_as_they_are(self, learnt, tiny_encoder):
        from transformers import BertModel

        before = BertModel.from_pretrained(tiny_encoder).get_input_embeddings().weight
        assert torch.equal(learnt.model_.get_input_embeddings().weight, before)

    def test_one_seed_gives_one_tagger(self, settings):
        weights = [ActorTagger(**settings, max_steps=1, seed=2).fit(texts_to_learn()).model_.state_dict() for _ in "ab"]
        assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])

    def test_what_it_learnt_from_is_told(self, learnt, tiny_encoder):
        facts = learnt.facts()
        assert facts["texts"] == {"with armed actors": 36, "without": 8, "with source and target": 0}
        assert (facts["encoder"], facts["max_length"], facts["seed"]) == (str(tiny_encoder), 32, 1)

    def test_sources_and_targets_are_labels_of_their_own(self, learnt):
        text = TaggedText("The army left.", ((4, 8),), "party")
        (window,) = learnt.windows.cut(text.text)
        names = [LABELS[label] for label in learnt._labels(window, text) if label >= 0]
        assert names == ["O", "B-party", "O", "O"]

    def test_a_name_begins_and_goes_on(self, learnt):
        text = TaggedText("The government forces left.", ((4, 21),))
        (window,) = learnt.windows.cut(text.text)
        names = [LABELS[label] for label in learnt._labels(window, text) if label >= 0]
        assert names == ["O", "B-actor", "I-actor", "O", "O"]

    @pytest.mark.parametrize(("examples_seen", "steps"), [(1, 2), (100, 5), (10_000, 20)])
    def test_few_texts_are_passed_over_more_often(self, settings, monkeypatch, examples_seen, steps):
        done = []
        train = transformers.Trainer.train
        monkeypatch.setattr(transformers.Trainer, "train", lambda trainer: done.append(train(trainer)))
        ActorTagger(**{**settings, "batch_size": 20}, examples_seen=examples_seen).fit(texts_to_learn()[:20])
        assert done[0].global_step == steps

    @pytest.mark.parametrize(
        "texts", [[], [TaggedText("Rain.", ())], [TaggedText("The people met.", ((4, 10),), "party")]], ids=len
    )
    def test_texts_that_mark_no_armed_actor_are_refused(self, settings, texts):
        with pytest.raises(InputError, match=r"no training text marks an armed actor; tagger\.train=false"):
            ActorTagger(**settings).fit(texts)

    def test_no_room_for_a_text_is_refused(self, settings):
        with pytest.raises(InputError, match=r"tagger\.max_length=2: leaves no room"):
            ActorTagger(**{**settings, "max_length": 2}).fit(texts_to_learn())

    def test_windows_never_exceed_the_encoders_reach_and_no_file_is_left(self, settings, tmp_path, monkeypatch):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        long = TaggedText("The army took ostrany " * 60, ((4, 8),))
        tagger = ActorTagger(**{**settings, "max_length": 512}, max_steps=1).fit([long])
        assert tagger.max_length == 128
        assert len(tagger.find([long.text])) == 1
        assert list(tmp_path.iterdir()) == []


class TestFinding:
    """With known weights."""

    def test_mentions_are_offsets_in_the_order_of_the_text(self, tagger):
        assert found(tagger, "On Monday IS met FARC near Ostra.") == ["IS", "FARC"]

    def test_words_of_one_name_are_one_mention(self, tagger):
        assert found(tagger, "Then Islamic State fighters met the army.") == ["Islamic State fighters", "army"]

    def test_a_name_after_a_name_begins_anew(self, tagger):
        assert found(tagger, "Syrian army FARC fighters") == ["Syrian army", "FARC fighters"]

    def test_signs_end_a_name(self, tagger):
        assert found(tagger, "FARC, army; IS.") == ["FARC", "army", "IS"]

    def test_a_text_without_actors(self, tagger):
        assert found(tagger, "Rain fell on the hills.") == []

    @pytest.mark.parametrize("text", ["", " \n", "🙂", "\ud800"])
    def test_texts_without_words(self, tagger, text):
        assert found(tagger, text) == []

    def test_half_a_character_moves_no_offset(self, tagger):
        assert found(tagger, "\ud83d IS fled \udc00 FARC") == ["IS", "FARC"]

    def test_long_texts_are_read_to_their_end(self, tagger):
        text = "IS fled. " + "It rained all day on the hills. " * 200 + "At last FARC met the Syrian army."
        assert found(tagger, text) == ["IS", "FARC", "Syrian army"]

    def test_a_sentence_longer_than_a_window_is_read_in_pieces(self, tagger):
        assert found(tagger, "rain " * 100 + "FARC " + "rain " * 100 + "IS") == ["FARC", "IS"]

    def test_texts_do_not_disturb_each_other(self, tagger):
        texts = ["IS fled.", "", "It rained all day. " * 40 + "FARC fled.", "Rain."]
        words = [[text[m.start : m.end] for m in own] for text, own in zip(texts, tagger.find(texts), strict=True)]
        assert words == [["IS"], [], ["FARC"], []]

    def test_no_texts_no_mentions(self, tagger):
        assert tagger.find([]) == []


class TestFiles:
    """What a bundle keeps."""

    def test_a_tagger_is_read_as_it_was_written(self, learnt, tiny_encoder, tmp_path):
        shutil.copytree(tiny_encoder, tmp_path / "bundle")
        learnt.save(tmp_path / "bundle")
        loaded = ActorTagger.load(tmp_path / "bundle", "cpu")
        text = "The government forces left velmaria; the rebels attacked."
        assert found(loaded, text) == found(learnt, text)
        assert loaded.max_length == 32

    def test_weights_are_in_half_precision(self, finding_bundle):
        from safetensors.torch import load_file

        assert {value.dtype for value in load_file(finding_bundle / "tagger.safetensors").values()} == {torch.float16}

    def test_no_path_of_this_machine_is_written(self, learnt, tmp_path, tiny_encoder):
        learnt.save(tmp_path)
        assert str(tiny_encoder) not in (tmp_path / "tagger.json").read_text()

    def test_the_manifest_vouches_for_them(self, finding_bundle):
        assert {"tagger.json", "tagger.safetensors"} <= set(read_manifest(finding_bundle).files)


class TestDamage:
    """Files that are damaged, or another model's."""

    @pytest.fixture
    def copy(self, tmp_path, finding_bundle) -> Path:
        return shutil.copytree(finding_bundle, tmp_path / "copy")

    def refused(self, folder: Path) -> str:
        with pytest.raises(BundleError) as told:
            ActorTagger.load(folder, "cpu")
        message = str(told.value)
        assert message.startswith(f"{folder}: the tagger of actors cannot be read (")
        assert "\n" not in message
        return message

    def change(self, folder: Path, **encoder: object) -> None:
        values = json.loads((folder / "tagger.json").read_text())
        (folder / "tagger.json").write_text(json.dumps({**values, "encoder": values["encoder"] | encoder}))

    @pytest.mark.parametrize("name", ["tagger.json", "tagger.safetensors", "tokenizer.json"])
    def test_a_missing_file(self, copy, name):
        (copy / name).unlink()
        self.refused(copy)

    @pytest.mark.parametrize("data", [b"", b"\x80\x04N.", b"{}"])
    def test_weights_that_are_no_weights(self, copy, data):
        (copy / "tagger.safetensors").write_bytes(data)
        self.refused(copy)

    @pytest.mark.parametrize(
        "text", ["", "[]", "{}", '{"max_length": 32, "encoder": {}}', '{"max_length": 32, "encoder": 7}']
    )
    def test_a_config_that_is_none(self, copy, text):
        (copy / "tagger.json").write_text(text)
        self.refused(copy)

    def test_weights_of_another_size(self, copy):
        self.change(copy, hidden_size=32)
        self.refused(copy)

    def test_weights_of_another_architecture(self, copy):
        self.change(copy, model_type="distilbert")
        self.refused(copy)

    def test_labels_of_another_tagger(self, copy):
        names = {str(number): name for number, name in enumerate(["O", "B-PER", "I-PER", "B-ORG", "I-ORG"])}
        self.change(copy, id2label=names)
        assert "are not a tagger's" in self.refused(copy)

    def test_a_window_without_room(self, copy):
        values = json.loads((copy / "tagger.json").read_text())
        (copy / "tagger.json").write_text(json.dumps(values | {"max_length": 1}))
        assert "leaves no room" in self.refused(copy)

    def test_weights_of_the_same_size_are_another_tagger_that_works(self, copy):
        vocabulary = json.loads((copy / "tokenizer.json").read_text())["model"]["vocab"]
        KnownWords({f"x{token}": number for token, number in vocabulary.items()}).save(copy)
        assert found(ActorTagger.load(copy, "cpu"), "IS met FARC.") == []
