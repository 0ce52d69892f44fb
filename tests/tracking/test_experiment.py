import base64
import json
import zlib

from mlflow.exceptions import MlflowException
from pytest import raises

from conflictnlp.tracking.experiment import COLUMNS, VIEW, experiment_tags
from conflictnlp.tracking.store import Store, once_more


def test_the_view_ranks_by_the_score_to_report() -> None:
    view = json.loads(experiment_tags()[f"mlflow.sharedViewState.{VIEW}"])
    assert view["name"] == "scores"
    state = json.loads(zlib.decompress(base64.b64decode(view["state"].removeprefix("deflate;"))))
    assert (state["orderByKey"], state["orderByAsc"]) == ("metrics.`test/macro_f1`", False)
    assert state["selectedColumns"] == list(COLUMNS)


def test_a_new_experiment_is_described(store: Store) -> None:
    store.experiment("topic", experiment_tags("What it asks."))
    tags = store.client.get_experiment_by_name("topic").tags
    assert (tags["mlflow.note.content"], tags["mlflow.experimentKind"]) == ("What it asks.", "custom_model_development")


def test_a_description_is_added_where_there_is_none_and_a_users_own_stays(store: Store) -> None:
    number = store.experiment("topic")
    store.experiment("topic", experiment_tags("First."))
    assert store.client.get_experiment(number).tags["mlflow.note.content"] == "First."
    store.experiment("topic", experiment_tags("Second."))
    assert store.client.get_experiment(number).tags["mlflow.note.content"] == "First."


def test_a_lost_race_is_run_again_and_another_fault_is_not() -> None:
    told = []

    def action(*faults: str) -> None:
        told.append(faults)
        if len(told) <= len(faults):
            raise MlflowException(faults[len(told) - 1])

    once_more(lambda: action('duplicate key value violates unique constraint "dataset_pk"'))
    assert len(told) == 2
    told.clear()
    with raises(MlflowException, match="away"):
        once_more(lambda: action("the server is away"))
    assert len(told) == 1
