"""One model, several callers: every kind of bundle answers threads as it answers one caller after another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from datasets import Dataset

from conflictnlp.inference import Model

KINDS = ("topic_bundle", "encoder_bundle", "onnx_bundle", "int8_bundle")
MOVES = "On Monday IS advanced on Ostra. The army fled from Velm. "
# Of several lengths, some of several windows, so that calls pad, cut and batch differently.
CALLS = [[MOVES * (1 + (call + row) % 7) + "Rain fell." * call for row in range(9)] for call in range(12)]


@pytest.fixture(params=KINDS)
def model(request: pytest.FixtureRequest) -> Model:
    return Model(request.getfixturevalue(request.param), device="cpu")


def marks(model: Model) -> dict[str, Any]:
    return {"actor": "IS"} if model.task.spans else {}


def test_threads_get_what_calls_one_after_another_get(model: Model) -> None:
    wanted = [model.predict_proba(texts, **marks(model)) for texts in CALLS]
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(lambda texts: model.predict_proba(texts, **marks(model)), CALLS))
    for one, other in zip(found, wanted, strict=True):
        assert one == pytest.approx(other, abs=1e-6)


def test_the_same_call_gives_the_same(model: Model) -> None:
    first, second = (model.predict(CALLS[3], **marks(model)) for _ in range(2))
    assert first == second


def test_neighbours_change_no_answer(model: Model) -> None:
    together = model.predict_proba(CALLS[2], **marks(model))
    alone = np.concatenate([model.predict_proba(text, **marks(model)) for text in CALLS[2]])
    # Only TF-IDF computes each row by itself.
    assert alone == pytest.approx(together, abs=0 if model.manifest.estimator["kind"] == "tfidf" else 1e-6, rel=0)


def test_a_data_set_is_answered_by_column_and_in_batches(model: Model) -> None:
    rows = Dataset.from_dict({"text": [text for call in CALLS[:2] for text in call]})
    wanted = [prediction.label for prediction in model.predict(rows["text"], **marks(model))]

    def answer(batch: dict[str, list[str]]) -> dict[str, list[str | None]]:
        return {"label": [prediction.label for prediction in model.predict(batch["text"], **marks(model))]}

    assert rows.map(answer, batched=True, batch_size=4)["label"][:] == wanted
