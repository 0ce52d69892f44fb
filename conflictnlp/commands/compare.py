"""`conflictnlp compare`: finished runs side by side."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from conflictnlp.commands.configurations import RunFacts, name_configurations
from conflictnlp.config import Config
from conflictnlp.errors import InputError
from conflictnlp.evaluation.comparison_json import to_dict, write_disagreements
from conflictnlp.evaluation.comparison_report import Comparison, Contestant, compare
from conflictnlp.evaluation.comparison_tables import write_tables
from conflictnlp.evaluation.predictions import Predictions, predictions_file, read_predictions
from conflictnlp.files import write_json
from conflictnlp.tracking.artifacts import fetch_artifact, fingerprints, stored_config
from conflictnlp.tracking.references import all_runs, find_run
from conflictnlp.tracking.store import Store

_REMEDY = "score the models on one set first (conflictnlp evaluate REF data=...) and compare those runs"


def compare_runs(
    refs: Sequence[str] = (), query: str | None = None, task: str | None = None, resamples: int = 10_000
) -> tuple[dict[str, Any], Comparison]:
    """Compare finished runs on the test rows that they share.

    Args:
        refs: run ids, beginnings of them, or run names; none with a query.
        query: MLflow's search filter, for instance `tags.model = 'tfidf'`.
        task: with a query, only this task's runs.
        resamples: draws and swaps of each test.

    Returns:
        the comparison as plain JSON values, and itself.

    Raises:
        InputError: a run is not found, not finished or stored no predictions; fewer than two are left; or tasks or
            test rows differ.
    """
    store = Store(create=False)
    notes: list[str] = []
    if query is None:
        runs = _named_runs(refs, store)
    else:
        runs, notes = _found_runs(query, task, store)
    _refuse_other_tasks(runs)
    _refuse_other_data(runs)
    with tempfile.TemporaryDirectory(prefix="conflictnlp-compare-") as folder:
        predictions = {}
        facts = []
        for run in runs:
            place = Path(folder) / run.info.run_id
            place.mkdir()
            predictions[run.info.run_id] = read_predictions(fetch_artifact(run, predictions_file(), store, place))
            config = _config(run, store, place)
            facts.append(RunFacts(run.info.run_id, run.info.run_name, config, fingerprints(_trained(run, store))))
            if config is None:
                notes.append(f"{run.info.run_name} ({run.info.run_id[:8]}) stored no config: its seed is unknown")
    _refuse_other_rows(runs, predictions)
    configurations = name_configurations(facts)
    names = Counter(run.info.run_name for run in runs)
    contestants = [
        Contestant(
            run_id=fact.run_id,
            name=fact.name if names[fact.name] == 1 else f"{fact.name} ({fact.run_id[:8]})",
            configuration=configurations[fact.run_id],
            seed=fact.config.seed if fact.config else None,
            predictions=predictions[fact.run_id],
        )
        for fact in facts
    ]
    comparison = compare(contestants, resamples)
    comparison.notes.extend(notes)
    about = {"task": runs[0].data.tags.get("task"), "test_fingerprint": fingerprints(runs[0]).get("test")}
    return {**about, **to_dict(comparison)}, comparison


def write_comparison(values: dict[str, Any], comparison: Comparison, output: str) -> None:
    """Write tables, plots, disagreements and comparison.json.

    Args:
        values: the comparison as plain JSON values.
        comparison: itself.
        output: the folder; it is made; files of these names are replaced, others stay.
    """
    from conflictnlp.evaluation.comparison_plots import draw_comparison

    folder = Path(output)
    write_tables(comparison, folder)
    write_disagreements(comparison.disagreements, folder)
    draw_comparison(comparison, folder)
    write_json(folder / "comparison.json", values)


def refuse_words(refs: Sequence[str], query: str | None, task: str | None, output: str | None) -> None:
    """Refuse words that do not go together, before any work is done.

    Args:
        refs: the runs named.
        query: the filter, if given.
        task: the filter's task, if given.
        output: where files shall go, if anywhere.

    Raises:
        InputError: runs and a query, a task without a query, or a file bears the folder's name.
    """
    if refs and query is not None:
        raise InputError("compare: give runs or --query, not both")
    if task and query is None:
        raise InputError('compare: --task goes with --query (--query "" finds all runs)')
    if output:
        places = (Path(output), *Path(output).parents)
        blocking = next((path for path in places if path.exists() and not path.is_dir()), None)
        if blocking is not None:
            raise InputError(f"--output {output}: {blocking} is a file; name a folder")


def _named_runs(refs: Sequence[str], store: Store) -> list[Any]:
    runs = [find_run(ref, store) for ref in refs]
    if len(runs) < 2:
        raise InputError("compare: name two runs or more, or --query; `conflictnlp runs` lists what is")
    first: dict[str, str] = {}
    for ref, run in zip(refs, runs, strict=True):
        if run.info.run_id in first:
            raise InputError(f"compare: {first[run.info.run_id]!r} and {ref!r} are one run ({run.info.run_id})")
        first[run.info.run_id] = ref
        if run.info.status != "FINISHED":
            raise InputError(f"compare: run {ref!r} is {run.info.status}; only finished runs are compared")
    return runs


def _found_runs(query: str, task: str | None, store: Store) -> tuple[list[Any], list[str]]:
    """Return the finished, scored runs that a query finds, and what it found besides."""
    found = [run for run in all_runs(store, query) if task in (None, run.data.tags.get("task"))]
    finished = [run for run in found if run.info.status == "FINISHED"]
    scored = [run for run in finished if _stored(run, store)]
    # An evaluation scores again what a training scored; it counts where it was asked for.
    trained = [run for run in scored if run.data.tags.get("kind") != "evaluation"]
    chosen = trained or scored
    left_out = {
        "not finished": len(found) - len(finished),
        "without test predictions": len(finished) - len(scored),
        "evaluations (tags.kind = 'evaluation' asks for them)": len(scored) - len(chosen),
    }
    notes = [f"left out of what the query found: {count} {why}" for why, count in left_out.items() if count]
    if len(chosen) < 2:
        told = "; ".join([f"{len(chosen)} run{'s' * (len(chosen) != 1)} to compare", *notes])
        raise InputError(f"compare: the query {query!r} finds {told}; two or more are needed")
    return chosen, notes


def _stored(run: Any, store: Store) -> bool:
    return any(entry.path == predictions_file() for entry in store.client.list_artifacts(run.info.run_id))


def _trained(run: Any, store: Store) -> Any:
    """Return the run that trained what an evaluation scored, else the run itself."""
    from mlflow.exceptions import MlflowException

    parent = run.data.tags.get("mlflow.parentRunId")
    if run.data.tags.get("kind") != "evaluation" or parent is None:
        return run
    try:
        return store.client.get_run(parent)
    except MlflowException:
        return run


def _config(run: Any, store: Store, folder: Path) -> Config | None:
    trained = _trained(run, store)
    if not any(entry.path == "config.json" for entry in store.client.list_artifacts(trained.info.run_id)):
        return None
    return stored_config(trained, store, folder)


def _refuse_other_tasks(runs: Sequence[Any]) -> None:
    tasks = {run.data.tags.get("task"): run for run in runs}
    if len(tasks) > 1:
        told = ", ".join(f"{task} ({_told(run)})" for task, run in tasks.items())
        raise InputError(f"compare: the runs are of different tasks: {told}; compare one task's (--query with --task)")


def _refuse_other_data(runs: Sequence[Any]) -> None:
    digests: dict[str, Any] = {}
    for run in runs:
        if digest := fingerprints(run).get("test"):
            digests.setdefault(digest, run)
    if len(digests) > 1:
        told = ", ".join(
            f"{_told(run)} on {run.data.tags.get('data')} (fingerprint {digest[:12]})"
            for digest, run in digests.items()
        )
        raise InputError(
            f"compare: the runs were tested on different data: {told}; score the models on one set first "
            "(conflictnlp evaluate REF data=...) and compare those runs"
        )


def _refuse_other_rows(runs: Sequence[Any], predictions: dict[str, Predictions]) -> None:
    first = runs[0]
    for run in runs[1:]:
        found = predictions[first.info.run_id].difference(predictions[run.info.run_id])
        if found is not None:
            raise InputError(
                f"compare: {_told(first)} (here) and {_told(run)} (there) were tested on different rows: {found}; "
                f"{_REMEDY}"
            )


def _told(run: Any) -> str:
    return f"{run.info.run_name} {run.info.run_id[:8]}"
