"""A prediction that is cut off and goes on."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filelock import FileLock

from conflictnlp.commands import predict as module
from conflictnlp.inference.model import Model
from tests.commands.conftest import DEAL, MOVES, WAR, Run, answers, pipe, say

FORMATS = ("jsonl", "jsonl.gz", "csv", "tsv.gz", "parquet")
ROWS = 11


class Cut(Exception):
    pass


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "_PART_ROWS", 3)
    texts = [WAR, DEAL, "", MOVES]
    rows = [{"id": f"r{number}", "text": texts[number % 4], "n": number or None} for number in range(ROWS)]
    write(tmp_path / "rows.jsonl", rows)


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@contextmanager
def cut_at(question: int, fault: type[BaseException] = Cut) -> Iterator[None]:
    """Interrupt every prediction after so many answers."""
    whole = Model.predict_examples
    given = 0

    def cut(model: Model, *words: Any) -> Iterator[Any]:
        nonlocal given
        for prediction in whole(model, *words):
            if given == question:
                raise fault
            given += 1
            yield prediction

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Model, "predict_examples", cut)
        yield


def interrupt(run: Run, question: int, *words: str) -> None:
    with cut_at(question), pytest.raises(Cut):
        run(*words)


@pytest.mark.parametrize(
    ("suffix", "cut"), [*((suffix, 5) for suffix in FORMATS), *(("csv", cut) for cut in (0, 2, 3, ROWS - 1))]
)
def test_what_goes_on_ends_as_if_undisturbed(topic: Run, tmp_path: Path, suffix: str, cut: int) -> None:
    topic("rows.jsonl", "--output", f"whole.{suffix}")
    interrupt(topic, cut, "rows.jsonl", "--output", f"out.{suffix}")
    assert not (tmp_path / f"out.{suffix}").exists()
    assert (tmp_path / f"out.{suffix}.parts").exists() == (cut >= 3)
    said = topic("rows.jsonl", "--output", f"out.{suffix}", "--resume")
    assert said.status == 3
    assert "3 of 11 records carry an error" in said.err
    assert (tmp_path / f"out.{suffix}").read_bytes() == (tmp_path / f"whole.{suffix}").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"out.{suffix}", "rows.jsonl", f"whole.{suffix}"]


def test_finished_parts_are_not_asked_again(topic: Run, tmp_path: Path) -> None:
    interrupt(topic, 7, "rows.jsonl", "--output", "out.jsonl")
    interrupt(topic, 4, "rows.jsonl", "--output", "out.jsonl", "--resume")
    with cut_at(2):
        assert topic("rows.jsonl", "--output", "out.jsonl", "--resume").status == 3
    rows = answers((tmp_path / "out.jsonl").read_text())
    assert [row["id"] for row in rows] == [f"r{number}" for number in range(ROWS)]


def test_an_interruption_tells_how_to_go_on(topic: Run, tmp_path: Path) -> None:
    with cut_at(7, KeyboardInterrupt):
        said = topic("rows.jsonl", "--output", "out.jsonl")
    assert (said.status, said.out) == (130, "")
    assert "6 records are kept in out.jsonl.parts; --resume goes on with them" in said.err


def test_probabilities_do_not_depend_on_the_cut(
    encoder_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "rows.jsonl", [{"text": f"{'Rain fell. ' * (n % 5)}{MOVES}"} for n in range(20)])
    words = ["predict", str(encoder_bundle), "rows.jsonl", "--actor", "IS", "--actor", "the army"]
    run: Run = lambda *more: say(*words, *more)  # noqa: E731
    run("--output", "whole.jsonl")
    interrupt(run, 13, "--output", "out.jsonl")
    run("--output", "out.jsonl", "--resume")
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert len(answers((tmp_path / "out.jsonl").read_text())) == 40
    # Standard output is batched in the same way.
    assert run().out == (tmp_path / "whole.jsonl").read_text()


def test_a_run_killed_after_its_output_was_made_only_tidies_up(topic: Run, tmp_path: Path) -> None:
    interrupt(topic, ROWS - 1, "rows.jsonl", "--output", "out.csv")
    shutil.copytree("out.csv.parts", "kept")
    topic("rows.jsonl", "--output", "out.csv", "--resume")
    whole = (tmp_path / "out.csv").read_bytes()
    shutil.move("kept", "out.csv.parts")
    topic("rows.jsonl", "--output", "out.csv", "--resume")
    assert (tmp_path / "out.csv").read_bytes() == whole
    assert not (tmp_path / "out.csv.parts").exists()


def test_half_a_part_is_made_anew(topic: Run, tmp_path: Path) -> None:
    topic("rows.jsonl", "--output", "whole.csv")
    interrupt(topic, 4, "rows.jsonl", "--output", "out.csv")
    # What a kill leaves: a part that is not yet counted, and half of the next.
    (tmp_path / "out.csv.parts" / "part-000001.csv").write_text("r3,half")
    (tmp_path / "out.csv.parts" / ".tmp-part-000002.csv").write_text("r6,ha")
    topic("rows.jsonl", "--output", "out.csv", "--resume")
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_without_the_word_parts_are_replaced_with_a_warning(topic: Run, tmp_path: Path) -> None:
    topic("rows.jsonl", "--output", "whole.jsonl")
    interrupt(topic, 7, "rows.jsonl", "--output", "out.jsonl")
    said = topic("rows.jsonl", "--output", "out.jsonl")
    assert "out.jsonl.parts: the parts of an earlier run are replaced (--resume would go on with them)" in said.err
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_without_parts_it_starts_from_the_first_row(topic: Run, tmp_path: Path) -> None:
    said = topic("rows.jsonl", "--output", "out.jsonl", "--resume")
    assert (said.status, len(answers((tmp_path / "out.jsonl").read_text()))) == (3, ROWS)


def test_a_file_of_the_users_among_the_parts_is_left(topic: Run, tmp_path: Path) -> None:
    (tmp_path / "out.csv.parts").mkdir()
    (tmp_path / "out.csv.parts" / "notes.txt").write_text("mine")
    topic("rows.jsonl", "--output", "out.csv")
    assert [path.name for path in (tmp_path / "out.csv.parts").iterdir()] == ["notes.txt"]


def test_a_parquet_input_goes_on_to_the_same_bytes(topic: Run, tmp_path: Path) -> None:
    kinds = pa.array(["a", "b"] * 5).dictionary_encode()
    table = pa.table({"text": [WAR, DEAL] * 5, "page": pa.array([None, 1] * 5, pa.int8()), "kind": kinds})
    pq.write_table(table, "rows.parquet")
    topic("rows.parquet", "--output", "whole.parquet")
    interrupt(topic, 7, "rows.parquet", "--output", "out.parquet")
    topic("rows.parquet", "--output", "out.parquet", "--resume")
    assert (tmp_path / "out.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    found = pq.read_table("out.parquet").select(table.schema.names)
    assert (found.schema, found.to_pylist()) == (table.schema, table.to_pylist())


def test_parquet_takes_a_type_that_only_a_late_part_shows(topic: Run, tmp_path: Path) -> None:
    rows = [{"text": WAR, "page": None if number < 5 else 1.5 if number == 8 else 2} for number in range(9)]
    write(tmp_path / "rows.jsonl", rows)
    assert topic("rows.jsonl", "--output", "out.parquet").status == 0
    assert pq.read_table(tmp_path / "out.parquet")["page"].to_pylist() == [None] * 5 + [2.0, 2.0, 2.0, 1.5]


class TestRefusals:
    """Parts of another run are never mixed in."""

    @pytest.fixture(autouse=True)
    def _cut(self, topic: Run) -> None:
        interrupt(topic, 7, "rows.jsonl", "--output", "out.jsonl")

    def test_of_another_input(self, topic: Run, tmp_path: Path) -> None:
        changed = (tmp_path / "rows.jsonl").read_text().replace(DEAL, DEAL.upper(), 1)
        (tmp_path / "rows.jsonl").write_text(changed)
        assert topic("rows.jsonl", "--output", "out.jsonl", "--resume").refusal == (
            "out.jsonl.parts: holds parts made with another input; give the same again, start without --resume to "
            "replace them, or name another --output"
        )

    def test_of_another_model(self, multi_bundle: Path, tmp_path: Path) -> None:
        said = say("predict", str(multi_bundle), "rows.jsonl", "--output", "out.jsonl", "--resume")
        assert "parts made with another model;" in said.refusal
        assert (tmp_path / "out.jsonl.parts" / "part-000001.jsonl").exists()

    def test_of_other_options(self, topic: Run) -> None:
        words = ["rows.jsonl", "--output", "out.jsonl", "--resume", "--abstain-below", "0.5", "--device", "cpu"]
        assert "made with another --abstain-below and another --device;" in topic(*words).refusal

    def test_of_another_size(self, topic: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "_PART_ROWS", 4)
        assert "another number of rows per part" in topic("rows.jsonl", "--output", "out.jsonl", "--resume").refusal

    def test_that_were_changed(self, topic: Run, tmp_path: Path) -> None:
        (tmp_path / "out.jsonl.parts" / "part-000000.jsonl").write_text("{}\n")
        assert "a part is missing or was changed" in topic("rows.jsonl", "--output", "out.jsonl", "--resume").refusal
        (tmp_path / "out.jsonl.parts" / "part-000000.jsonl").unlink()
        assert "a part is missing or was changed" in topic("rows.jsonl", "--output", "out.jsonl", "--resume").refusal

    @pytest.mark.parametrize("name", ["plan.json", "progress.json"])
    @pytest.mark.parametrize("content", ["{", "[]", '{"parts": "x", "y": 1}'])
    def test_that_cannot_be_read(self, topic: Run, tmp_path: Path, name: str, content: str) -> None:
        (tmp_path / "out.jsonl.parts" / name).write_text(content)
        assert "without --resume" in topic("rows.jsonl", "--output", "out.jsonl", "--resume").refusal

    def test_that_another_process_writes(self, topic: Run, tmp_path: Path) -> None:
        with FileLock(tmp_path / "out.jsonl.parts" / "lock"):
            told = topic("rows.jsonl", "--output", "out.jsonl").refusal
        assert told.startswith("out.jsonl.parts: another process is writing this output")

    def test_where_the_folder_is_a_file(self, topic: Run, tmp_path: Path) -> None:
        (tmp_path / "out.csv.parts").write_text("mine")
        assert "is a file where a folder for parts is needed" in topic("rows.jsonl", "--output", "out.csv").refusal


def test_standard_output_cannot_be_gone_on_with(topic: Run) -> None:
    assert topic("rows.jsonl", "--resume").refusal == "--resume: what went to stdout is gone; give --output FILE"


def test_a_piped_input_goes_on_too(topic: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = (tmp_path / "rows.jsonl").read_bytes()
    pipe(monkeypatch, data)
    topic("-", "--output", "whole.jsonl")
    pipe(monkeypatch, data)
    interrupt(topic, 7, "-", "--output", "out.jsonl")
    pipe(monkeypatch, data)
    assert topic("-", "--output", "out.jsonl", "--resume").status == 3
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_found_actors_are_asked_within_their_part(
    actor_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    class Tagger:
        """Finds "IS" wherever it stands, and keeps how many texts came at once."""

        def find(self, texts: list[str]) -> list[list[Any]]:
            from types import SimpleNamespace

            asked.append(len(texts))
            return [
                [SimpleNamespace(start=text.index("IS"), end=text.index("IS") + 2)] if "IS" in text else []
                for text in texts
            ]

    whole = Model(actor_bundle)
    files = {**whole.manifest.files, "tagger.safetensors": "0" * 64}
    whole.manifest = replace(whole.manifest, files=files)
    whole.__dict__["tagger"] = Tagger()
    result = module.predict(whole, "rows.jsonl", "whole.jsonl")
    assert asked == [3, 3, 3, 2]
    assert (result.rows, result.errors) == (ROWS, 9)
    interrupt(lambda *_: module.predict(whole, "rows.jsonl", "out.jsonl"), 4)  # type: ignore[arg-type, return-value]
    assert module.predict(whole, "rows.jsonl", "out.jsonl", resume=True) == result
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
