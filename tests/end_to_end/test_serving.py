"""`mlflow models serve` and `mlflow models predict` on a logged bundle: real requests over HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from conflictnlp.config import TrackingConfig
from conflictnlp.inference import Model
from conflictnlp.tracking.store import Store
from tests.end_to_end.conftest import answers, free_port, started, wait_for
from tests.tracking.conftest import make_run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
MLFLOW = (sys.executable, "-m", "mlflow", "models")
# MLflow starts its server by name, as in an activated environment.
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
ROWS = [
    ("On Monday IS advanced on Ostra.", "IS|Islamic State"),
    ("On Monday the army retreated from Velm.", "the army"),
]


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory, actor_bundle: Path) -> tuple[str, str]:
    """The addresses of a model and of the store that holds it."""
    folder = tmp_path_factory.mktemp("served")
    uri = f"sqlite:///{folder}/mlflow.db"
    run_id = make_run(Store(TrackingConfig(uri=uri)), folder / "run", actor_bundle)
    return f"runs:/{run_id}/model", uri


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, logged: tuple[str, str]) -> Iterator[str]:
    """The address of a scoring server."""
    folder, port = tmp_path_factory.mktemp("service"), free_port()
    words = ("serve", "--model-uri", logged[0], "--env-manager", "local", "--host", "127.0.0.1", "--port", str(port))
    with started(folder, *MLFLOW, *words, "--workers", "1", MLFLOW_TRACKING_URI=logged[1], PATH=PATH) as process:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}"), process, folder)
        yield f"http://127.0.0.1:{port}/invocations"


def post(address: str, body: Any, kind: str = "application/json") -> tuple[int, str]:
    """Send a request; return the status and the answer's text."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(address, content, {"Content-Type": kind})
    try:
        with urllib.request.urlopen(request, timeout=600) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def asked(rows: list[tuple[str, str]]) -> dict[str, Any]:
    return {"dataframe_split": {"columns": ["text", "actor"], "data": rows}}


def strict(text: str) -> list[dict[str, Any]]:
    """Read an answer as strict clients do: NaN is no JSON."""
    found = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    rows: list[dict[str, Any]] = found["predictions"]
    return rows


def test_a_good_request_is_answered_as_the_model_answers(service: str, actor_bundle: Path) -> None:
    rows = [*ROWS, ("Rain fell.", "IS")]
    status, text = post(service, asked(rows))
    assert status == 200, text
    own = Model(actor_bundle).predict_frame(pd.DataFrame(rows, columns=["text", "actor"]))
    told = strict(text)
    assert [row["prediction"] for row in told] == ["gaining", "losing", None]
    assert [row["error"] for row in told] == [None, None, "actor not in text"]
    assert [row["probability"] for row in told[:2]] == pytest.approx(own["probability"].tolist()[:2])
    assert told[2]["probability"] is None


def test_csv_and_the_parameter(service: str) -> None:
    content = pd.DataFrame(ROWS, columns=["text", "actor"]).to_csv(index=False).encode()
    status, text = post(service, content, "text/csv")
    assert (status, [row["prediction"] for row in strict(text)]) == (200, ["gaining", "losing"])
    status, text = post(service, {**asked(ROWS), "params": {"abstain_below": 1.0}})
    assert (status, [row["prediction"] for row in strict(text)]) == (200, [None, None])


@pytest.mark.parametrize(
    ("body", "kind", "wanted"),
    [
        (b"{not json", "application/json", 400),
        ({"dataframe_split": {"columns": ["text"], "data": [["IS fled."]]}}, "application/json", 400),
        ({"rows": []}, "application/json", 400),
        ({"dataframe_split": {"columns": ["text", "actor"], "data": [[7, "IS"]]}}, "application/json", 400),
        (b"IS fled.", "text/plain", 415),
    ],
    ids=["no JSON", "no actor", "no frame", "a number as text", "another type"],
)
def test_a_bad_request_is_refused_and_the_next_one_served(service: str, body: Any, kind: str, wanted: int) -> None:
    status, text = post(service, body, kind)
    assert status == wanted, text
    assert post(service, asked(ROWS))[0] == 200


def test_a_large_request(service: str) -> None:
    long = "Rain fell on Karth all day. " * 4000
    rows = [(f"{long}{text}" if number == 7 else text, actor) for number, (text, actor) in enumerate(ROWS * 1000)]
    status, text = post(service, asked(rows))
    assert status == 200, text[:2000]
    told = strict(text)
    assert len(told) == 2000
    assert {row["error"] for row in told} == {None}
    assert [row["prediction"] for row in told[:6]] == ["gaining", "losing"] * 3


def test_32_requests_at_once_each_get_their_own_answer(service: str) -> None:
    def ask(number: int) -> tuple[int, list[str]]:
        status, text = post(service, asked([ROWS[number % 2]] * (1 + number)))
        return status, [row["prediction"] for row in strict(text)]

    with ThreadPoolExecutor(32) as pool:
        told = list(pool.map(ask, range(32)))
    assert told == [(200, [("gaining", "losing")[number % 2]] * (1 + number)) for number in range(32)]


def test_mlflow_predicts_on_a_csv(logged: tuple[str, str], tmp_path: Path) -> None:
    pd.DataFrame([*ROWS, ("Rain fell.", "IS")], columns=["text", "actor"]).to_csv(tmp_path / "in.csv", index=False)
    words = ("predict", "--model-uri", logged[0], "--env-manager", "local", "--content-type", "csv")
    paths = ("--input-path", str(tmp_path / "in.csv"), "--output-path", str(tmp_path / "out.json"))
    settings = {**os.environ, "MLFLOW_TRACKING_URI": logged[1], "PATH": PATH}
    done = subprocess.run([*MLFLOW, *words, *paths], env=settings, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    told = strict((tmp_path / "out.json").read_text())
    assert [row["prediction"] for row in told] == ["gaining", "losing", None]
