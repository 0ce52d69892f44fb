import json
import shutil
import socket
from pathlib import Path

import pytest

from conflictnlp.commands.runs import list_runs, runs_table
from tests.commands.conftest import QUICK, Run, Trained, say
from tests.tracking.conftest import make_run


@pytest.fixture
def place(trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trained:
    """The trained run in a store that a test may write to."""
    shutil.copytree(trained.folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return Trained(tmp_path, trained.said, trained.run_id, trained.bundle)


def test_runs_are_listed_with_their_scores(place: Trained) -> None:
    head, line = say("runs").out.splitlines()
    assert head.split() == ["run_id", "name", "task", "status", "started", "macro_f1", "ece"]
    score = place.client.get_run(place.run_id).data.metrics["test/macro_f1"]
    assert line.split()[:4] == [place.run_id, "tfidf-sample-s1", "topic", "FINISHED"]
    assert f"{score:.3f}" in line


def test_runs_as_json_are_one_object_a_line(place: Trained) -> None:
    (record,) = map(json.loads, say("runs", "--json").out.splitlines())
    assert record["run_id"] == place.run_id
    assert record["macro_f1"] == place.client.get_run(place.run_id).data.metrics["test/macro_f1"]


def test_no_runs_as_json_are_no_lines(place: Trained) -> None:
    assert say("runs", "--json", "--task", "momentum").out.strip() == ""


@pytest.mark.parametrize(("query", "found"), [('metrics."test/macro_f1" >= 0', 1), ('metrics."test/macro_f1" > 1', 0)])
def test_runs_are_chosen_by_a_query(place: Trained, query: str, found: int) -> None:
    assert len(list_runs(query=query)) == found


def test_the_newest_runs_come_first_and_the_limit_cuts_the_old(run: Run, workplace: Path) -> None:
    from conflictnlp.tracking.store import Store

    ids = [make_run(Store(), workplace / name) for name in ("a", "b", "c")]
    assert [record["run_id"] for record in list_runs(limit=2)] == [ids[2], ids[1]]


def test_a_run_without_scores_has_empty_cells() -> None:
    record = {
        "run_id": "ab",
        "name": "n",
        "task": "",
        "status": "FAILED",
        "started": "x",
        "macro_f1": None,
        "ece": 0.25,
    }
    assert runs_table([record]).splitlines()[1].split() == ["ab", "n", "FAILED", "x", "0.250"]


@pytest.mark.parametrize("words", [("runs",), ("rerun", "tfidf-sample-s1"), ("ui",), ("predict", "0" * 32, "a.txt")])
def test_where_no_store_is_none_is_made(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "there is none yet; start in the folder where you trained" in say(*words).refusal
    assert list(tmp_path.iterdir()) == []


def test_a_malformed_query_is_refused(place: Trained) -> None:
    assert "the filter 'metrics.x >' is refused" in say("runs", "--query", "metrics.x >").refusal


def test_a_rerun_gives_the_same_score_in_a_run_of_its_own(place: Trained) -> None:
    said = say("rerun", place.run_id[:8])
    assert said.status == 0, said.err
    again = place.client.get_run(said.out.splitlines()[0].removeprefix("run_id: "))
    before = place.client.get_run(place.run_id)
    assert again.info.run_id != place.run_id
    assert again.data.metrics["test/macro_f1"] == before.data.metrics["test/macro_f1"]
    assert again.data.tags["rerun_of"] == place.run_id
    assert again.data.tags["command"] == f"conflictnlp rerun {place.run_id}"
    assert "the data is not what it was" not in said.err
    assert Path(said.out.splitlines()[1].removeprefix("bundle: ")).is_relative_to(place.folder / "outputs" / "topic")


def test_a_rerun_on_other_data_says_so(run: Run, workplace: Path) -> None:
    def write(word: str) -> None:
        rows = [
            f"Shells hit camp{n} on day{n}.,armed_conflict\n{word} held vote{n} in hall{n}.,politics\n"
            for n in range(20)
        ]
        (workplace / "rows.csv").write_text("text,label\n" + "".join(rows))

    write("Parties")
    first = run("train", "task=topic", "data=files", "data.train=rows.csv", *QUICK)
    write("Voters")
    again = run("rerun", first.out.splitlines()[0].removeprefix("run_id: "))
    assert again.status == 0
    assert "the data is not what it was" in again.err


def test_a_run_without_a_config_is_not_rerun(run: Run, workplace: Path) -> None:
    from conflictnlp.tracking.store import Store

    run_id = make_run(Store(), workplace / "run")
    assert "it stored no config.json that could be read" in run("rerun", run_id).refusal


def test_an_unknown_run_is_refused(place: Trained) -> None:
    assert "tried a run name" in say("rerun", "nonsense").refusal


def test_a_name_of_two_runs_is_refused(run: Run, workplace: Path) -> None:
    from conflictnlp.tracking.store import Store

    for name in ("a", "b"):
        make_run(Store(), workplace / name)
    assert "2 runs bear this name" in run("rerun", "tfidf-sample-s1").refusal


def test_a_folder_that_is_no_run_is_not_uploaded(run: Run, workplace: Path) -> None:
    assert "holds no run" in run("upload", "nowhere").refusal


def test_a_taken_port_is_told_before_the_server_starts(place: Trained) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"port {port} cannot be used" in say("ui", "--port", str(port)).refusal


def test_a_server_has_a_ui_of_its_own(place: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking.example:5000")
    assert "open http://tracking.example:5000 in a browser" in say("ui").refusal
