"""The tracking store: found, checked once, and made once under a lock."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from conflictnlp.config import TrackingConfig
from conflictnlp.errors import InputError, TrackingError
from conflictnlp.files import atomic_path

if TYPE_CHECKING:
    from mlflow import MlflowClient

_CHECK_SECONDS = 5
_RACES = 5
# MLflow retries for minutes by default; a lost server must not hold a finished training back.
_ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


class Store:
    """A reachable tracking store.

    Args:
        config: its `uri`; None for MLFLOW_TRACKING_URI, else `mlflow.db` in the working folder.
        create: whether a database that is not there is made; False for commands that only read.

    Raises:
        InputError: the store cannot be reached or opened.
    """

    def __init__(self, config: TrackingConfig | None = None, create: bool = True) -> None:
        for name, value in _ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        self.uri = check_store(config)
        database = _database(self.uri)
        if database is not None and not create and not database.is_file():
            raise InputError(
                f"tracking store {self.uri}: there is none yet; start in the folder where you trained, or set "
                "MLFLOW_TRACKING_URI"
            )
        self._folder = _made_folder(database.parent) if database else None
        self.client = self._open()

    def _open(self) -> MlflowClient:
        import logging

        import mlflow
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        # Alembic tells every migration of a new database; MLflow warns of much that is no fault of the user's.
        logging.getLogger("alembic").setLevel(logging.WARNING)
        logging.getLogger("mlflow").setLevel(logging.ERROR)
        uri = self.connection
        try:
            with self.lock():
                self._make_database()
                with _environment_kept("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
                    mlflow.set_tracking_uri(uri)
                    mlflow.set_registry_uri(uri)
                client = MlflowClient(tracking_uri=uri, registry_uri=uri)
                client.search_experiments(max_results=1)
        except Exception as error:
            # SQLAlchemy's errors are told by their module: its import is no must for HTTP stores.
            foreign = type(error).__module__.startswith("sqlalchemy")
            if not foreign and not isinstance(error, MlflowException | OSError | ValueError):
                raise
            told = f"tracking store {self.uri}: cannot be opened ({_first_line(error)})"
            # A full disk is no fault of the input.
            raise (TrackingError if "full" in told else InputError)(told) from error
        return client

    def _make_database(self) -> None:
        """Make a new database under another name first: one that is cut short would never open again."""
        database = _database(self.uri)
        if database is None or database.exists():
            return
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        with atomic_path(database) as temporary:
            store = SqlAlchemyStore(f"sqlite:///{temporary}", (database.parent / "mlartifacts").as_uri())
            store.engine.dispose()

    @property
    def connection(self) -> str:
        """The address to connect to: SQLite is told to wait for other writers."""
        if self.uri.startswith("sqlite:") and "?" not in self.uri:
            return f"{self.uri}?timeout=120"
        return self.uri

    def experiment(self, name: str, tags: Mapping[str, str] | None = None) -> str:
        """Return an experiment's id, and make it if there is none.

        A local database gets an explicit artifact location beside it: MLflow's default would be the working folder
        of whoever writes. A server proxies its own.

        Args:
            name: the experiment.
            tags: set where it has none of that name; what a user wrote stays.

        Returns:
            its id.

        Raises:
            InputError: it was deleted, and its name is still taken.
        """
        from mlflow.exceptions import MlflowException

        with self.lock():
            found = self.client.get_experiment_by_name(name)
            if found is None:
                location = (self._folder / "mlartifacts" / name).as_uri() if self._folder else None
                try:
                    return str(self.client.create_experiment(name, artifact_location=location, tags=dict(tags or {})))
                except MlflowException:
                    # Another machine may have made it on this server in between.
                    found = self.client.get_experiment_by_name(name)
                    if found is None:
                        raise
        if found.lifecycle_stage != "active":
            raise InputError(
                f"experiment {name!r} is deleted in {self.uri}; restore it "
                f"(mlflow experiments restore --experiment-id {found.experiment_id}) or set tracking.experiment=..."
            )
        for key, value in (tags or {}).items():
            if key not in found.tags:
                once_more(partial(self.client.set_experiment_tag, found.experiment_id, key, value))
        return str(found.experiment_id)

    def experiment_of(self, run: Any) -> str:
        """Return the name of the experiment that a run belongs to."""
        return str(self.client.get_experiment(run.info.experiment_id).name)

    def lock(self) -> AbstractContextManager[object]:
        """Return a lock that other processes on this local database wait for; it must not be taken twice."""
        # Processes that start together must not make one database at once; a server sees to that itself.
        return FileLock(self._folder / ".mlflow.lock") if self._folder else nullcontext()


def once_more(action: Callable[[], object]) -> None:
    """Repeat what failed because another process made the same row in between: now MLflow finds it there.

    Args:
        action: sends something that may be there already.
    """
    from mlflow.exceptions import MlflowException

    for _ in range(_RACES):
        try:
            action()
            return
        except MlflowException as error:
            if "unique" not in str(error).lower():
                raise
    action()


def tracking_uri(configured: str | None = None) -> str:
    """Return the store's address: the config's, MLFLOW_TRACKING_URI, or `mlflow.db` in the working folder."""
    uri = configured or os.environ.get("MLFLOW_TRACKING_URI")
    if not uri:
        return f"sqlite:///{Path.cwd() / 'mlflow.db'}"
    if uri.startswith("file:") or ("://" not in uri and not uri.startswith("sqlite:")):
        raise InputError(
            f"tracking store {uri}: MLflow no longer keeps runs in plain folders; "
            "use sqlite:////absolute/path/mlflow.db or a server's http:// address"
        )
    return uri


def check_store(config: TrackingConfig | None = None) -> str:
    """Return the store's address; a server is asked once whether it answers, and nothing is made.

    Args:
        config: its `uri`; None as for `Store`.

    Returns:
        the address.

    Raises:
        InputError: the address is of no store, or its server does not answer.
    """
    uri = tracking_uri(config.uri if config else None)
    if uri.startswith(("http://", "https://")):
        _check_server(uri)
    return uri


def _database(uri: str) -> Path | None:
    """Return the file of an SQLite store."""
    if not uri.startswith("sqlite:///"):
        return None
    return Path(uri.removeprefix("sqlite:///").partition("?")[0]).absolute()


def _made_folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"tracking store {folder}: this folder cannot be made ({error.strerror})") from error
    return folder.resolve()


def _check_server(uri: str) -> None:
    try:
        with urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=_CHECK_SECONDS):
            return
    except urllib.error.HTTPError as error:
        if error.code < 500:
            return  # It answers; another path or a login is MLflow's own business.
        raise InputError(f"tracking store {uri}: the server answers {error.code}") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise InputError(
            f"tracking store {uri}: not reached within {_CHECK_SECONDS} s ({reason}); start the server, correct "
            "MLFLOW_TRACKING_URI, or unset it to track in ./mlflow.db"
        ) from error


@contextmanager
def _environment_kept(*names: str) -> Iterator[None]:
    """Undo what MLflow writes into the environment: in another folder the next command has another store."""
    before = {name: os.environ.get(name) for name in names}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
