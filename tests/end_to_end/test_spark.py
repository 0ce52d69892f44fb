"""A logged model as a function of Spark, on real PySpark in local mode with two partitions."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest

import conflictnlp
from conflictnlp.inference import Model
from conflictnlp.tracking.store import Store
from tests.docs.pages import DOCS, blocks, write_files
from tests.tracking.conftest import empty_database, make_run, store, workplace

pytest.importorskip("pyspark", reason="PySpark is not installed (the extra `spark`)")
if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
    pytest.skip("no Java on this machine", allow_module_level=True)

__all__ = ["empty_database", "store", "workplace"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
PAGE = DOCS / "how-to" / "spark.md"


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    from pyspark.sql import SparkSession

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        builder = SparkSession.builder.master("local[2]").config("spark.driver.host", "127.0.0.1")
        session = builder.config("spark.ui.enabled", "false").getOrCreate()
        yield session
        session.stop()


def scored(spark: Any, uri: str, frame: pd.DataFrame, **settings: Any) -> pd.DataFrame:
    """Score a frame in two partitions; return the answers in its order."""
    from pyspark.sql.functions import struct

    columns = [name for name in frame.columns if name != "row"]
    classify = mlflow.pyfunc.spark_udf(spark, uri, env_manager="local", **settings)
    asked = spark.createDataFrame(frame.assign(row=range(len(frame))).to_dict("records")).repartition(2)
    answers = asked.withColumn("coded", classify(struct(*columns))).orderBy("row").collect()
    return pd.DataFrame(
        [one.coded.asDict() if hasattr(one.coded, "asDict") else {"coded": one.coded} for one in answers]
    )


def same(told: pd.DataFrame, own: pd.DataFrame) -> None:
    """Fail unless Spark's answers are the model's own, a missing word being empty."""
    own = own[list(told.columns)].reset_index(drop=True).astype(object)
    words = ["prediction", "error"]
    own[words] = own[words].where(own[words].notna(), "")
    told = told.astype(object)
    pd.testing.assert_frame_equal(told.where(told.notna(), None), own.where(own.notna(), None))


def test_the_commands_of_the_page_run_and_say_what_the_model_says(tmp_path: Path) -> None:
    write_files(PAGE, tmp_path)
    settings = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for command in (command for block in blocks(PAGE) if block.kind == "console" for command in block.commands):
        done = subprocess.run(command, shell=True, cwd=tmp_path, env=settings, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
    told = pd.read_parquet(tmp_path / "coded").sort_values("id", ignore_index=True)
    asked = pd.read_json(tmp_path / "news.jsonl", lines=True, dtype={"id": str})
    assert told["id"].tolist() == ["1", "2", "3", "4"]
    assert told["error"].tolist() == ["", "", "", "empty text"]
    model = conflictnlp.load(tmp_path / "topic" / "bundle")
    same(told.drop(columns=["id"]), model.predict_frame(asked[["text"]]))
    assert told["prediction"][:3].tolist() == [one.label for one in model.predict(asked["text"][:3].tolist())]


def test_a_model_that_reads_for_an_actor(spark: Any, store: Store, workplace: Path, actor_bundle: Path) -> None:
    uri = f"runs:/{make_run(store, workplace / 'run', actor_bundle)}/model"
    rows = [("On Monday IS advanced on Ostra.", "IS|Islamic State"), ("Rain fell.", "IS"), ("", "IS")]
    rows += [("On Monday the army retreated from Velm.", "the army"), ("On Monday FARC met near Dhal.", "FARC")]
    frame = pd.DataFrame(rows, columns=["text", "actor"])
    told = scored(spark, uri, frame)
    same(told, Model(actor_bundle).predict_frame(frame))
    assert told["error"][1] == "actor not in text"
    labels = scored(spark, uri, frame, result_type="string")["coded"].tolist()
    assert labels == ["gaining", "", "", "losing", "none"]
    sure = scored(spark, uri, frame, params={"abstain_below": 1.0})
    assert sure["prediction"].tolist() == [""] * 5
    assert sure["probability"].notna().tolist() == [True, False, False, True, True]


def test_a_model_of_several_labels(spark: Any, store: Store, workplace: Path, multi_bundle: Path) -> None:
    uri = f"runs:/{make_run(store, workplace / 'run', multi_bundle)}/model"
    frame = pd.DataFrame({"text": ["Rebels shelled it. Police held ten.", "Police held ten."]})
    told = scored(spark, uri, frame)
    assert [list(labels) for labels in told["prediction"]] == [["attack", "arrest"], ["arrest"]]
