from __future__ import annotations

import numpy as np
import pytest

from conflictnlp.data.example import Example, Span
from conflictnlp.errors import InputError
from conflictnlp.inference import Model


@pytest.fixture(scope="module")
def momentum(actor_bundle) -> Model:
    return Model(actor_bundle)


@pytest.fixture(scope="module")
def encoder(encoder_bundle) -> Model:
    return Model(encoder_bundle, device="cpu")


def test_the_actor_decides(momentum):
    text = "On Monday IS advanced on Ostra. On Tuesday the army retreated from Velm."
    assert momentum.predict(text, actor="IS").label == "gaining"
    assert momentum.predict(text, actor="the army").label == "losing"


def test_one_actor_a_text(momentum):
    texts = ["On Monday IS advanced on Ostra.", "On Monday the army retreated from Velm."]
    predictions = momentum.predict(texts, actors=["IS", "the army"])
    assert [(p.actor, p.label) for p in predictions] == [("IS", "gaining"), ("the army", "losing")]


def test_one_actor_for_all_texts(momentum):
    predictions = momentum.predict(["IS advanced.", "FARC met."], actor="IS")
    assert [p.error for p in predictions] == [None, "actor not in text"]


@pytest.mark.parametrize("actor", ["Hamas", "", " | ", "FARC"])
def test_an_actor_that_is_not_named_is_an_error_of_its_own(momentum, actor):
    prediction = momentum.predict("It is said that farc advanced.", actor=actor)
    assert prediction.error == "actor not in text"
    assert prediction.label is None
    assert prediction.probabilities == {}


def test_an_actor_missing_from_the_list_is_an_error_of_its_own(momentum):
    predictions = momentum.predict(["IS advanced.", "IS advanced."], actors=["IS", None])
    assert [p.error for p in predictions] == [None, "actor not in text"]


def test_an_empty_text_comes_before_a_missing_actor(momentum):
    assert momentum.predict("", actor="IS").error == "empty text"


@pytest.mark.parametrize(("texts", "hint"), [("IS advanced.", "actor=..."), (["IS advanced."], r"actors=\[...\]")])
def test_a_text_without_an_actor_is_refused(momentum, texts, hint):
    with pytest.raises(InputError, match=f"reads a text for one actor; give {hint}"):
        momentum.predict(texts)


def test_lists_of_different_length_are_refused(momentum):
    with pytest.raises(InputError, match="2 texts but 1 actors"):
        momentum.predict(["a", "b"], actors=["IS"])


def test_actor_and_actors_together_are_refused(momentum):
    with pytest.raises(InputError, match="not both"):
        momentum.predict(["a"], actor="IS", actors=["IS"])


def test_the_first_of_several_names_is_the_actor(momentum):
    prediction = momentum.predict("On Monday Daesh advanced on Ostra.", actor="IS|Islamic State|Daesh")
    assert (prediction.actor, prediction.start, prediction.end) == ("IS", 10, 15)


def test_offsets_are_those_of_the_text_without_its_title(momentum):
    text = "  On Monday IS advanced on Ostra.\n"
    prediction = momentum.predict(text, title="IS on the move", actor="IS")
    assert text[prediction.start : prediction.end] == "IS"
    headline, sentence = prediction.evidence
    assert (headline.text, headline.start, headline.end) == ("IS on the move", None, None)
    assert text[sentence.start : sentence.end] == sentence.text == "On Monday IS advanced on Ostra."


def test_an_actor_named_in_the_title_alone_has_no_offsets(momentum):
    prediction = momentum.predict("They advanced on Ostra.", title="IS advanced", actor="IS")
    assert (prediction.error, prediction.start, prediction.end) == (None, None, None)


def test_stated_offsets_win_over_other_mentions(momentum):
    example = Example("row", "1", "IS advanced. IS retreated.", spans=(("actor", Span("IS", 13, 15)),))
    (prediction,) = momentum.predict_examples([example])
    assert (prediction.start, prediction.end) == (13, 15)


@pytest.mark.parametrize("place", [(40, 42), (3, 3), (5, 2), (-2, 2), (0, 13)])
def test_stated_offsets_outside_the_text_are_an_error_of_their_own(momentum, place):
    example = Example("row", "1", "IS advanced.", spans=(("actor", Span("IS", *place)),))
    (prediction,) = momentum.predict_examples([example])
    assert prediction.error == f"actor's offsets {place[0]} to {place[1]} lie outside the text"


LONG = "On Monday FARC met near Ostra. " + "It rained all day on the hills. " * 30 + "🙂 On Tuesday FARC fled."


def test_evidence_of_a_long_text_is_where_the_actor_is_named(encoder):
    prediction = encoder.predict(LONG, actor="FARC")
    assert len(prediction.evidence) == 2
    for item in prediction.evidence:
        assert "FARC" in item.text
        assert LONG[item.start : item.end] == item.text
        assert list(item.probabilities) == encoder.labels
    assert sum(item.weight for item in prediction.evidence) == pytest.approx(1)


def test_evidence_stands_in_the_order_of_the_text(encoder):
    evidence = encoder.predict(LONG, actor="FARC", title="A title").evidence
    assert [item.start for item in evidence] == sorted(item.start for item in evidence)


def test_temperature_divides_the_pooled_logits(encoder):
    logits = encoder.logits([Example("row", "1", LONG, spans=(("actor", Span("FARC")),))])
    expected = np.exp(logits / 2) / np.exp(logits / 2).sum()
    assert encoder.predict_proba(LONG, actor="FARC") == pytest.approx(expected)


def test_the_company_of_a_text_does_not_change_its_probabilities(encoder):
    texts = ["FARC met near Ostra.", LONG, "FARC fled.", "FARC " * 50]
    together = encoder.predict_proba(texts, actor="FARC")
    alone = np.vstack([encoder.predict_proba(text, actor="FARC") for text in texts])
    assert together == pytest.approx(alone, abs=1e-5)


def test_logits_of_what_cannot_be_scored_are_refused(momentum):
    with pytest.raises(InputError, match="row 7: empty text"):
        momentum.logits([Example("row 7", "1", " ", spans=(("actor", Span("IS")),))])


@pytest.mark.parametrize("name", ["momentum", "encoder"])
def test_a_text_of_200_000_words_is_scored(request, name):
    text = "The army took the town. " * 39_999 + "FARC met near Ostra."
    prediction = request.getfixturevalue(name).predict(text, actor="FARC")
    assert prediction.error is None
    assert text[prediction.start : prediction.end] == "FARC"
