"""`conflictnlp data import` as it is typed, and what comes after it."""

import contextlib
import io
import json
from pathlib import Path

import pytest

from conflictnlp.cli import main
from conflictnlp.data.importers import FORMATS
from tests.commands.conftest import QUICK, Run

FILES = Path(__file__).parents[1] / "data" / "importers"


def test_what_was_done_is_told_on_stderr_and_as_json(run: Run) -> None:
    said = run("data", "import", "plover", str(FILES / "plover.tsv"), "rows.csv")
    assert said.status == 0
    assert "4 rows in rows.csv: id, text, source" in said.err
    assert "note: 1 targets that do not stand in their sentence" in said.err
    assert json.loads(said.out)["labels"] == {"accuse": 1, "assault": 1, "aid": 1, "agree": 1}


def test_left_out_rows_are_counted(run: Run) -> None:
    Path("a.tsv").write_text("Fine.\t1\nOdd.\tx\n")
    said = run("data", "import", "conflibert", "a.tsv", "rows.csv", "--labels", "other, relevant", "--skip-faulty")
    assert said.status == 0
    assert "left out: 1 faulty rows\n    a.tsv:2: class 'x' is not a number" in said.err
    assert json.loads(said.out) == {
        **{"target": "rows.csv", "rows": 1, "labels": {"relevant": 1}, "left_out": 1, "notes": {}}
    }


def test_a_faulty_row_is_refused_in_one_line(run: Run) -> None:
    Path("a.tsv").write_text("Fine.\t1\nOdd.\tx\n")
    said = run("data", "import", "conflibert", "a.tsv", "rows.csv")
    assert said.refusal.startswith("a.tsv:2: class 'x' is not a number from 0 on. Correct the row, or leave")
    assert not Path("rows.csv").exists()


def test_an_unknown_format_and_wrong_names_are_refused(run: Run) -> None:
    assert "use one of conflibert, plover," in run("data", "import", "brat", "a.ann", "rows.csv").refusal
    said = run("data", "import", "conflibert", "a.tsv", "rows.csv", "--labels", "a,,b")
    assert "--labels a,,b: names separated by commas" in said.refusal
    assert "see conflictnlp data import --help" in run("data", "import", "case").refusal


def test_the_help_has_a_line_for_each_format() -> None:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.raises(SystemExit) as ended:
        main(["data", "import", "--help"])
    assert ended.value.code == 0
    formats = out.getvalue().partition("formats (docs/import.md")[2].splitlines()[1:]
    assert [line.split()[0] for line in formats] == list(FORMATS)
    assert [line.split(maxsplit=1)[1] for line in formats] == [form.summary for form in FORMATS.values()]


def test_an_export_of_acled_is_checked_and_trains_a_model(run: Run) -> None:
    kinds = ("Battles", "Riots", "Protests")
    places = ("Velm", "Karth", "Ostra", "Dhal", "Tirk", "Sorre", "Lume", "Mbanz", "Yeld", "Halv", "Bosto", "Qasm")
    deeds = {
        "Battles": "rebels fought soldiers for",
        "Riots": "a mob burnt shops in",
        "Protests": "nurses marched through",
    }
    lines = [f"{kind},On {n} May {deeds[kind]} {place} {n}." for kind in kinds for n, place in enumerate(places, 1)]
    Path("acled.csv").write_text("event_type,notes\n" + "\n".join(lines) + "\n")
    assert run("data", "import", "acled", "acled.csv", "rows.jsonl.gz").status == 0
    checked = run("data", "check", "rows.jsonl.gz", "task=event_type", "--json")
    assert (checked.status, json.loads(checked.out)["counts"]) == (0, {})
    trained = run("train", "task=event_type", "data=files", "data.train=rows.jsonl.gz", *QUICK)
    assert trained.status == 0, trained.err
    assert "bundle: " in trained.out
