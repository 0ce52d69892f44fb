from __future__ import annotations

import importlib.metadata

import datasets
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from conflictnlp.bundle import save_bundle
from conflictnlp.errors import InputError
from conflictnlp.inference import Model
from conflictnlp.inference.records import output_columns
from conflictnlp.models import TfidfClassifier
from conflictnlp.task import Label, Task
from conflictnlp.text import Passage


@pytest.fixture(scope="module")
def topic(topic_bundle) -> Model:
    return Model(topic_bundle, ref="models:/topic@champion")


@pytest.fixture(scope="module")
def momentum(actor_bundle) -> Model:
    return Model(actor_bundle)


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> Model:
    task = Task(
        "course",
        "single",
        (Label("meet", ""), Label("fight", "")),
        spans=("source", "target"),
        optional_spans=("target",),
    )
    passages = [Passage("IS met FARC", (((0, 2),), ((7, 11),))), Passage("IS hit FARC", (((0, 2),), ((7, 11),)))]
    estimator = TfidfClassifier(labels=task.label_names, spans=task.spans).fit(passages, ["meet", "fight"])
    folder = tmp_path_factory.mktemp("pair") / "bundle"
    save_bundle(folder, estimator, task)
    return Model(folder)


@pytest.fixture
def frame() -> pd.DataFrame:
    texts = ["Shells hit the town.", None, "Envoys signed the truce."]
    return pd.DataFrame({"text": texts, "source": ["A", "B", "C"], 7: [1, 2, 3]}, index=["c", "a", "b"])


def test_a_frame_keeps_its_index_order_and_columns(topic, frame):
    result = topic.predict_frame(frame)
    assert result.index.tolist() == ["c", "a", "b"]
    assert result.columns.tolist() == ["text", "source", 7, *output_columns(topic)]
    assert result[7].tolist() == [1, 2, 3]


def test_a_frame_itself_is_not_changed(topic, frame):
    topic.predict_frame(frame)
    assert frame.columns.tolist() == ["text", "source", 7]


def test_a_frame_holds_predictions_and_errors(topic, frame):
    result = topic.predict_frame(frame)
    assert [None if pd.isna(value) else value for value in result["prediction"]] == ["war", None, "deal"]
    assert [None if pd.isna(value) else value for value in result["error"]] == [None, "empty text", None]
    assert np.isnan(float(result.loc["a", "prob_war"]))


def test_a_frame_tells_which_model_spoke(topic, frame):
    result = topic.predict_frame(frame)
    assert set(result["model"]) == {"models:/topic@champion"}
    assert set(result["bundle"]) == {topic.fingerprint}
    assert set(result["version"]) == {importlib.metadata.version("conflictnlp")}


def test_a_frame_agrees_with_predict(topic, frame):
    rows = topic.predict_frame(frame)[["prob_war", "prob_deal", "prob_never"]].to_numpy(dtype=float)
    assert rows[[0, 2]] == pytest.approx(topic.predict_proba(frame["text"].dropna().tolist()))


def test_the_index_is_the_id_where_there_is_none(topic, frame):
    assert topic.predict_frame(frame)["id"].tolist() == ["c", "a", "b"]


def test_an_id_of_ones_own_is_kept_as_it_is(topic, frame):
    result = topic.predict_frame(frame.assign(id=[30, 10, 20]))
    assert result["id"].tolist() == [30, 10, 20]
    assert result.columns.tolist().count("id") == 1


@pytest.mark.parametrize("column", ["prediction", "probability", "prob_war", "error", "evidence", "model", "version"])
def test_a_clashing_column_is_refused(topic, frame, column):
    with pytest.raises(InputError, match=rf"already has the column\(s\) {column}"):
        topic.predict_frame(frame.assign(**{column: 0}))


def test_a_frame_without_texts_is_refused(topic):
    with pytest.raises(InputError, match="no column 'text'"):
        topic.predict_frame(pd.DataFrame({"body": ["Shells fell."]}))


def test_a_frame_without_actors_is_refused(momentum):
    with pytest.raises(InputError, match="no column 'actor', which task momentum needs; the columns are text"):
        momentum.predict_frame(pd.DataFrame({"text": ["IS advanced."]}))


def test_a_row_that_is_no_text_has_an_error_of_its_own(topic):
    result = topic.predict_frame(pd.DataFrame({"text": ["Shells hit the town.", 5]}))
    assert [None if pd.isna(error) else error for error in result["error"]] == [None, "text is a int, not a text"]
    assert result["prediction"].iloc[0] == "war"


@pytest.mark.parametrize("table", [pa.table, datasets.Dataset.from_dict], ids=["arrow", "datasets"])
def test_other_tables_become_frames(topic, table):
    columns = {"text": ["Shells hit the town.", None], "note": [1, 2]}
    result = topic.predict_frame(table(columns))
    pd.testing.assert_frame_equal(result, topic.predict_frame(pd.DataFrame(columns)))


@pytest.mark.parametrize("texts", [["a"], pd.Series(["a"]), {"text": ["a"]}], ids=["list", "Series", "dict"])
def test_what_is_no_table_is_refused(topic, texts):
    with pytest.raises(InputError, match=f"predict_frame: a {type(texts).__name__} is no data frame"):
        topic.predict_frame(texts)


def test_an_empty_frame_gets_the_columns(topic):
    result = topic.predict_frame(pd.DataFrame({"text": pd.Series([], dtype=str)}))
    assert result.columns.tolist() == ["text", *output_columns(topic)]
    assert len(result) == 0


def test_a_repeated_index_is_kept(topic):
    frame = pd.DataFrame({"text": ["Shells hit the town.", "Envoys signed the truce."]}, index=[4, 4])
    result = topic.predict_frame(frame)
    assert result.index.tolist() == [4, 4]
    assert result["prediction"].tolist() == ["war", "deal"]


def test_missing_values_of_any_kind_are_missing(momentum):
    frame = pd.DataFrame(
        {
            "text": pd.Series(["IS advanced.", pd.NA], dtype="string"),
            "title": pd.Series([pd.NA, pd.NaT], dtype=object),
            "actor": ["IS", "IS"],
            "start": pd.Series([0, pd.NA], dtype="Int64"),
            "end": pd.Series([2, pd.NA], dtype="Int64"),
        }
    )
    assert [None if pd.isna(e) else e for e in momentum.predict_frame(frame)["error"]] == [None, "empty text"]


def test_offsets_of_a_frame_choose_the_mention(momentum):
    frame = pd.DataFrame(
        {"text": ["IS met. IS fled."] * 2, "actor": ["IS|Daesh"] * 2, "start": [8, np.nan], "end": [10, np.nan]}
    )
    result = momentum.predict_frame(frame)
    assert result[["start", "end"]].to_numpy(dtype=float).tolist() == [[8, 10], [0, 2]]
    assert result["actor"].tolist() == ["IS", "IS"]


def test_a_missing_optional_role_is_no_error(pair):
    result = pair.predict_frame(
        pd.DataFrame({"text": ["IS hit FARC"] * 2, "source": ["IS"] * 2, "target": ["FARC", None]})
    )
    assert result["error"].isna().all()
    assert result["actor"].tolist() == ["IS", "IS"]
    assert result["start"].tolist() == [0, 0]


def test_offsets_are_the_sources_even_if_only_the_targets_are_stated(pair):
    frame = pd.DataFrame(
        {"text": ["IS hit FARC"], "source": ["IS"], "target": ["FARC"], "target_start": [7], "target_end": [11]}
    )
    assert pair.predict_frame(frame)[["start", "end"]].to_numpy(dtype=int).tolist() == [[0, 2]]


def test_an_actor_column_that_would_be_overwritten_is_refused(pair):
    with pytest.raises(InputError, match=r"column\(s\) actor"):
        pair.predict_frame(pd.DataFrame({"text": ["IS hit FARC"], "source": ["IS"], "actor": ["mine"]}))


@pytest.mark.parametrize("missing", [None, float("nan"), "", " "])
def test_a_row_that_names_nobody_has_an_error_of_its_own(momentum, missing):
    frame = pd.DataFrame({"text": ["IS advanced on Ostra."] * 2, "actor": ["IS", missing], "start": 0, "end": 2})
    result = momentum.predict_frame(frame)
    assert [None if pd.isna(error) else error for error in result["error"]] == [None, "actor not in text"]
    assert pd.isna(result["prediction"].iloc[1])
