import contextlib
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from conflictnlp.config import TrackingConfig
from conflictnlp.errors import InputError, TrackingError
from conflictnlp.tracking.store import Store, check_store, tracking_uri


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_the_store_is_mlflow_db_in_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert tracking_uri() == f"sqlite:///{tmp_path}/mlflow.db"


def test_the_environment_names_another_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert tracking_uri() == "http://127.0.0.1:5000"


def test_the_config_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert tracking_uri("sqlite:////data/mlflow.db") == "sqlite:////data/mlflow.db"


@pytest.mark.parametrize("uri", ["mlruns", "./mlruns", "/data/mlruns", "file:///data/mlruns"])
def test_a_plain_folder_is_refused(uri: str) -> None:
    with pytest.raises(InputError, match="no longer keeps runs in plain folders"):
        tracking_uri(uri)


def test_an_experiment_lies_beside_the_database(store: Store, workplace: Path) -> None:
    number = store.experiment("topic")
    assert store.client.get_experiment(number).artifact_location == (workplace / "mlartifacts" / "topic").as_uri()


def test_an_experiment_is_made_once(store: Store) -> None:
    assert store.experiment("topic") == store.experiment("topic")


def test_threads_that_ask_at_once_get_one_experiment(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(store.experiment, ["topic"] * 8))) == 1


def test_a_deleted_experiment_is_told_with_its_mending(store: Store) -> None:
    number = store.experiment("topic")
    store.client.delete_experiment(number)
    with pytest.raises(InputError, match=rf"deleted.*restore --experiment-id {number}"):
        store.experiment("topic")


def test_a_new_store_is_made_with_its_folder_and_nothing_else(empty_database: Path) -> None:
    assert {path.name for path in empty_database.parent.iterdir()} == {"mlflow.db", ".mlflow.lock"}


def test_a_reader_makes_no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="there is none yet"):
        Store(create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("not a database, but long enough to be read as one" * 100)
    with pytest.raises(InputError, match="cannot be opened"):
        Store(TrackingConfig(uri=f"sqlite:///{tmp_path}/mlflow.db"))
    assert (tmp_path / "mlflow.db").read_text().startswith("not a database")


def test_an_unknown_scheme_is_refused() -> None:
    with pytest.raises(InputError, match=r"tracking store foo://bar: cannot be opened"):
        Store(TrackingConfig(uri="foo://bar"))


def test_a_database_that_cannot_be_made_whole_is_not_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlalchemy
    from mlflow.store.tracking import sqlalchemy_store

    def full(uri: str, root: str) -> None:
        Path(uri.removeprefix("sqlite:///")).write_text("half")
        raise sqlalchemy.exc.OperationalError("CREATE TABLE", {}, Exception("database or disk is full"))

    monkeypatch.setattr(sqlalchemy_store, "SqlAlchemyStore", full)
    with pytest.raises(TrackingError, match="disk is full"):
        Store(TrackingConfig(uri=f"sqlite:///{tmp_path}/mlflow.db"))
    assert [path.name for path in tmp_path.iterdir()] == [".mlflow.lock"]


def test_a_server_that_is_away_is_named() -> None:
    port = closed_port()
    with pytest.raises(InputError, match=rf"http://127.0.0.1:{port}: not reached.*MLFLOW_TRACKING_URI"):
        check_store(TrackingConfig(uri=f"http://127.0.0.1:{port}"))


@pytest.mark.parametrize(("status", "refused"), [(200, False), (404, False), (401, False), (500, True), (503, True)])
def test_a_server_is_refused_if_it_answers_with_a_fault_of_its_own(status: int, refused: bool) -> None:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.handle_request).start()
        config = TrackingConfig(uri=f"http://127.0.0.1:{server.server_port}/")
        if refused:
            with pytest.raises(InputError, match=f"the server answers {status}"):
                check_store(config)
        else:
            assert check_store(config) == config.uri


def test_sqlite_waits_for_other_writers(store: Store) -> None:
    assert store.connection == f"{store.uri}?timeout=120"


def test_options_of_the_address_are_kept(workplace: Path) -> None:
    uri = f"sqlite:///{workplace}/mlflow.db?timeout=5"
    assert Store(TrackingConfig(uri=uri)).connection == uri


def test_each_folder_has_a_store_of_its_own(store: Store, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    with contextlib.chdir(elsewhere):
        assert tracking_uri() == f"sqlite:///{elsewhere}/mlflow.db"


def test_mlflow_prints_nothing_to_stdout_of_its_own(store: Store) -> None:
    assert os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] == "true"
