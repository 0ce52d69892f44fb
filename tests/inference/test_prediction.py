from __future__ import annotations

import dataclasses
import json

import pytest

from conflictnlp.inference import Evidence, Prediction

EVIDENCE = Evidence(0, 5, "Élan.", {"war": 0.25, "deal": 0.75}, 1.0)


def test_a_prediction_becomes_json():
    prediction = Prediction("deal", ("deal",), 0.75, {"war": 0.25, "deal": 0.75}, "IS", 0, 2, (EVIDENCE,))
    assert json.loads(json.dumps(prediction.to_dict())) == {
        "label": "deal",
        "labels": ["deal"],
        "probability": 0.75,
        "probabilities": {"war": 0.25, "deal": 0.75},
        "actor": "IS",
        "start": 0,
        "end": 2,
        "evidence": [
            {"start": 0, "end": 5, "text": "Élan.", "probabilities": {"war": 0.25, "deal": 0.75}, "weight": 1.0}
        ],
        "abstained": False,
        "error": None,
    }


def test_a_failed_prediction_becomes_json():
    values = Prediction(None, error="empty text").to_dict()
    assert (values["label"], values["labels"], values["evidence"]) == (None, [], [])
    assert values["error"] == "empty text"


def test_nothing_of_a_prediction_is_left_out():
    assert set(Prediction("war").to_dict()) == {field.name for field in dataclasses.fields(Prediction)}
    assert set(EVIDENCE.to_dict()) == {field.name for field in dataclasses.fields(Evidence)}


def test_a_prediction_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Prediction("war").label = "deal"
