from pathlib import Path

import mlflow
import pandas as pd
import pytest

from conflictnlp.inference import Model
from conflictnlp.tracking.store import Store
from tests.tracking.conftest import make_run


def log(store: Store, workplace: Path, bundle: Path) -> mlflow.pyfunc.PyFuncModel:
    run_id = make_run(store, workplace / "run", bundle)
    return mlflow.pyfunc.load_model(f"runs:/{run_id}/model")


def test_the_signature_names_text_and_labels(store: Store, workplace: Path, topic_bundle: Path) -> None:
    signature = log(store, workplace, topic_bundle).metadata.signature
    assert {column.name: column.required for column in signature.inputs.inputs} == {"text": True, "title": False}
    names = ["prediction", "probability", "prob_war", "prob_deal", "prob_never", "error"]
    assert signature.outputs.input_names() == names


def test_a_marked_actor_is_required(store: Store, workplace: Path, actor_bundle: Path) -> None:
    model = log(store, workplace, actor_bundle)
    with pytest.raises(mlflow.exceptions.MlflowException, match="actor"):
        model.predict(pd.DataFrame({"text": ["The army advanced."]}))


def test_a_served_model_says_what_the_bundle_says(store: Store, workplace: Path, actor_bundle: Path) -> None:
    frame = pd.DataFrame({"text": ["IS advanced on Ostra.", "Rain fell."], "actor": ["IS", "IS"]})
    served = log(store, workplace, actor_bundle).predict(frame)
    own = Model(actor_bundle).predict_frame(frame)
    own = own[list(served.columns)].astype(object)
    pd.testing.assert_frame_equal(served.astype(object), own.where(own.notna(), None))
    assert served["error"].tolist() == [None, "actor not in text"]
    assert served["probability"].tolist()[1] is None


def test_the_parameter_leaves_unsure_predictions_empty(store: Store, workplace: Path, actor_bundle: Path) -> None:
    frame = pd.DataFrame({"text": ["IS advanced on Ostra."], "actor": ["IS"]})
    model = log(store, workplace, actor_bundle)
    assert model.predict(frame)["prediction"].tolist() == ["gaining"]
    assert model.predict(frame, params={"abstain_below": 1.0})["prediction"].tolist() == [None]


def test_multi_label_predictions_are_lists(store: Store, workplace: Path, multi_bundle: Path) -> None:
    served = log(store, workplace, multi_bundle).predict(pd.DataFrame({"text": ["Police held ten."]}))
    assert served["prediction"].tolist() == [["arrest"]]


def test_the_input_example_is_kept(store: Store, workplace: Path, actor_bundle: Path) -> None:
    example = log(store, workplace, actor_bundle).input_example
    assert list(example.columns) == ["text", "actor"]
    assert example["actor"][0] in example["text"][0]


def test_nothing_in_a_logged_model_is_pickled(store: Store, workplace: Path, topic_bundle: Path) -> None:
    log(store, workplace, topic_bundle)
    files = [path for path in (workplace / "mlartifacts").rglob("*") if path.is_file()]
    assert files and not [path for path in files if path.suffix in {".pkl", ".pickle", ".joblib", ".bin", ".pt"}]


def test_test_scores_are_the_models_own(store: Store, workplace: Path, topic_bundle: Path) -> None:
    run_id = make_run(store, workplace / "run", topic_bundle)
    (output,) = store.client.get_run(run_id).outputs.model_outputs
    model = store.client.get_logged_model(output.model_id)
    assert [(metric.key, metric.value) for metric in model.metrics] == [("test/macro_f1", 0.5)]
    assert len(store.client.get_metric_history(run_id, "test/macro_f1")) == 1
    assert model.source_run_id == run_id
