import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from conflictnlp.commands.article_input import open_input
from conflictnlp.commands.code import code
from conflictnlp.config import ColumnsConfig
from conflictnlp.errors import InputError
from conflictnlp.inference.coding import Coder
from tests.commands.conftest import Run, say
from tests.inference.conftest import event_type_bundle

__all__ = ["event_type_bundle"]
MOVES = "On Monday IS advanced on Ostra. On Monday the army retreated from Velm."
KEYS = ["id", "date", "topic", "event_types", "actors", "models", "error"]
ACTORS = ("--actor", "IS|Islamic State", "--actor", "the army")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def models(topic_bundle: Path, event_type_bundle: Path, actor_bundle: Path) -> tuple[str, ...]:
    named = {"--topic": topic_bundle, "--event-type": event_type_bundle, "--momentum": actor_bundle}
    return tuple(word for option, bundle in named.items() for word in (option, str(bundle)))


@pytest.fixture
def coding(models: tuple[str, ...]) -> Run:
    """Code the words' input with three models."""
    return lambda *words: say("code", *words, *models)


@pytest.fixture
def moves(tmp_path: Path) -> str:
    (tmp_path / "moves.txt").write_text(MOVES, encoding="utf-8")
    return "moves.txt"


def rows(path: Path, *values: dict[str, Any]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in values), encoding="utf-8")
    return path.name


def records(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_a_text_is_one_joint_record_on_stdout(coding: Run, moves: str) -> None:
    said = coding(moves, *ACTORS)
    (record,) = records(said.out)
    assert said.status == 0
    assert list(record) == KEYS
    assert (record["id"], record["topic"]["label"], record["event_types"][0]["label"]) == ("moves.txt", "war", "battle")
    assert [(actor["name"], actor["label"]) for actor in record["actors"]] == [
        ("IS", "gaining"),
        ("the army", "losing"),
    ]
    assert record["actors"][0]["mentions"] == [[10, 12]]


def test_stdout_holds_nothing_but_records(coding: Run, tmp_path: Path) -> None:
    name = rows(tmp_path / "a.jsonl", *[{"text": "\u2028é 🙂 IS advanced.\n"}, {"text": ""}, {"text": "Rain."}])
    said = coding(name, *ACTORS)
    assert said.status == 3
    assert [record["error"] for record in map(json.loads, said.out.rstrip("\n").split("\n"))] == [
        None,
        "empty text",
        None,
    ]


def test_a_folder_is_coded_in_order(coding: Run, tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    for name in ("b.txt", "a.txt"):
        (tmp_path / "corpus" / name).write_text(MOVES)
    assert [record["id"] for record in records(coding("corpus", *ACTORS).out)] == ["a.txt", "b.txt"]


def test_standard_input_is_coded(coding: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "".join(json.dumps({"id": n, "text": MOVES, "date": "2017-01-16"}) + "\n" for n in range(2))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines.encode())))
    assert [(row["id"], row["date"]) for row in records(coding("-", *ACTORS).out)] == [
        ("0", "2017-01-16"),
        ("1", "2017-01-16"),
    ]


def test_columns_of_other_names_are_read(coding: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("url,body,date\nu1,IS advanced.,\n")
    said = coding("a.csv", *ACTORS, "--text-column", "body", "--id-column", "url")
    (record,) = records(said.out)
    assert (record["id"], record["date"]) == ("u1", None)


def test_missing_values_are_none(coding: Run, tmp_path: Path) -> None:
    name = rows(tmp_path / "a.jsonl", {"id": float("nan"), "text": "IS fled.", "date": float("nan"), "title": None})
    (record,) = records(coding(name, *ACTORS).out)
    assert (record["id"], record["date"]) == ("a.jsonl:1", None)


def test_a_row_that_cannot_be_read_is_told_and_the_rest_goes_on(coding: Run, tmp_path: Path) -> None:
    name = rows(tmp_path / "a.jsonl", {"id": 1, "text": MOVES}, {"id": 2, "body": MOVES}, {"text": 7}, {"text": MOVES})
    said = coding(name, *ACTORS)
    assert said.status == 3
    assert [(record["id"], record["error"]) for record in records(said.out)] == [
        ("1", None),
        ("2", "no column 'text' in this row"),
        ("a.jsonl:3", "text is of type int, not a text"),
        ("a.jsonl:4", None),
    ]
    assert [len(record["actors"]) for record in records(said.out)] == [2, 0, 0, 2]
    assert said.err.splitlines()[-1].endswith("2 of 4 articles carry an error")
    for output in ("out.parquet", "out.html"):
        assert coding(name, *ACTORS, "--output", output).status == 3
    assert "text is of type int, not a text" in (tmp_path / "out.html").read_text()


def test_unsure_labels_are_left_empty_on_demand(coding: Run, moves: str, tmp_path: Path) -> None:
    (sure,) = records(coding(moves, *ACTORS).out)
    said = coding(moves, *ACTORS, "--abstain-below", "1", "--output", "out.jsonl")
    (unsure,) = records((tmp_path / "out.jsonl").read_text())
    assert (said.status, unsure["error"]) == (0, None)
    parts = lambda record: [record["topic"], *record["event_types"][:1], *record["actors"]]  # noqa: E731
    assert [part["label"] for part in parts(unsure)] == [None] * 4
    assert [part["probability"] for part in parts(unsure)] == [part["probability"] for part in parts(sure)]
    for name in ("out.html", "out.parquet"):
        assert coding(moves, *ACTORS, "--abstain-below", "1", "--output", name).status == 0
    assert "topic unclear" in (tmp_path / "out.html").read_text()


def test_actors_that_no_article_names_are_told_at_the_end(coding: Run, tmp_path: Path) -> None:
    name = rows(tmp_path / "a.jsonl", {"text": MOVES}, {"text": "Rain."})
    said = coding(name, *ACTORS, "--actor", "XX|X", "--actor", "YY")
    assert said.status == 0
    assert said.err.splitlines()[-1].endswith("named in no article: XX, YY")
    assert "named in no article" not in coding(name, *ACTORS).err


class TestActorsFile:
    """Actors of a file."""

    def test_its_actors_are_asked(self, coding: Run, moves: str, tmp_path: Path) -> None:
        (tmp_path / "actors.yaml").write_text("- {name: Islamic State, aliases: [IS], kind: rebel}\n- name: FARC\n")
        (record,) = records(coding(moves, "--actors", "actors.yaml").out)
        assert [actor["name"] for actor in record["actors"]] == ["Islamic State"]

    def test_the_command_line_wins(self, coding: Run, moves: str, tmp_path: Path) -> None:
        (tmp_path / "actors.yaml").write_text("- {name: IS, aliases: [the army]}\n")
        (record,) = records(coding(moves, "--actors", "actors.yaml", "--actor", "IS").out)
        assert [actor["mentions"] for actor in record["actors"]] == [[[10, 12]]]

    def test_a_fault_in_it_is_one_line(self, coding: Run, moves: str, tmp_path: Path) -> None:
        (tmp_path / "actors.yaml").write_text("- {name: Islamic State, aliases: IS}\n")
        assert "aliases must be a list" in coding(moves, "--actors", "actors.yaml").refusal

    def test_a_missing_one_is_one_line(self, coding: Run, moves: str) -> None:
        assert "none.yaml" in coding(moves, "--actors", "none.yaml").refusal


class TestOutput:
    """Files, by their suffix."""

    def test_json_lines_are_what_stdout_gets(self, coding: Run, moves: str, tmp_path: Path) -> None:
        assert coding(moves, *ACTORS, "--output", "new/out.jsonl").out == ""
        assert (tmp_path / "new" / "out.jsonl").read_text(encoding="utf-8") == coding(moves, *ACTORS).out

    def test_json_lines_may_be_compressed(self, coding: Run, moves: str, tmp_path: Path) -> None:
        coding(moves, *ACTORS, "--output", "out.jsonl.gz")
        with gzip.open(tmp_path / "out.jsonl.gz", "rt", encoding="utf-8") as stream:
            assert [list(record) for record in records(stream.read())] == [KEYS]

    def test_parquet_holds_the_same_records(self, coding: Run, tmp_path: Path) -> None:
        name = rows(tmp_path / "a.jsonl", {"text": MOVES, "date": "2016-02-03"}, {"text": "Rain."}, {"text": " "})
        assert coding(name, *ACTORS, "--output", "out.parquet").status == 3
        told = records(coding(name, *ACTORS).out)
        table = pq.read_table(tmp_path / "out.parquet")
        assert table.column_names == KEYS
        found = table.to_pylist(maps_as_pydicts="strict")
        assert [{**record, "actors": None} for record in found] == [{**record, "actors": None} for record in told]
        assert [actor["name"] for actor in found[0]["actors"]] == [actor["name"] for actor in told[0]["actors"]]
        assert found[0]["actors"][0]["evidence"] == told[0]["actors"][0]["evidence"]

    def test_a_page_shows_the_articles_in_order(self, coding: Run, tmp_path: Path) -> None:
        name = rows(tmp_path / "a.jsonl", {"title": "First", "text": MOVES}, {"title": "Second", "text": "Rain."})
        assert coding(name, *ACTORS, "--output", "out.html").status == 0
        page = (tmp_path / "out.html").read_text(encoding="utf-8")
        assert 0 < page.index("<h2>First") < page.index("<b>IS</b>") < page.index("<h2>Second")

    @pytest.mark.parametrize("name", ["out.csv", "out", "out.jsonl.zip", "html"])
    def test_an_unknown_suffix_is_refused(self, coding: Run, moves: str, name: str) -> None:
        assert "use one of .jsonl, .jsonl.gz, .parquet, .html" in coding(moves, *ACTORS, "--output", name).refusal

    def test_a_folder_of_that_name_is_refused(self, coding: Run, moves: str, tmp_path: Path) -> None:
        (tmp_path / "out.html").mkdir()
        assert "is a folder" in coding(moves, *ACTORS, "--output", "out.html").refusal


class TestRefusals:
    """Status 2, one line, nothing written."""

    @pytest.mark.parametrize("text", ["", " \r\n\t"])
    def test_a_single_empty_text(self, coding: Run, tmp_path: Path, text: str) -> None:
        (tmp_path / "a.txt").write_text(text)
        assert "empty text" in coding("a.txt", *ACTORS, "--output", "out.jsonl").refusal
        assert not (tmp_path / "out.jsonl").exists()

    def test_no_actor(self, coding: Run, moves: str) -> None:
        assert "--actor 'NAME|ALIAS' or --actors FILE" in coding(moves).refusal

    def test_an_empty_actor(self, coding: Run, moves: str) -> None:
        assert "an empty name" in coding(moves, "--actor", "|").refusal

    def test_no_model_and_no_champion(self, run: Run, moves: str) -> None:
        refusal = run("code", moves, *ACTORS).refusal
        assert "no --topic REF given" in refusal
        assert "models:/topic@champion" in refusal

    def test_a_missing_champion_names_its_own_option(self, run: Run, moves: str, topic_bundle: Path) -> None:
        assert "no --event-type REF given" in run("code", moves, *ACTORS, "--topic", str(topic_bundle)).refusal

    def test_a_model_of_another_task(self, moves: str, models: tuple[str, ...], actor_bundle: Path) -> None:
        words = [*models[:3], str(actor_bundle), *models[4:]]
        assert (
            "a model of task momentum, where one of event_type is needed" in say("code", moves, *ACTORS, *words).refusal
        )

    def test_a_model_that_is_nowhere(self, run: Run, moves: str) -> None:
        refusal = run("code", moves, *ACTORS, "--topic", "nowhere").refusal
        assert "nowhere" in refusal
        assert "given, and" not in refusal

    @pytest.mark.parametrize(
        ("lines", "told"),
        [
            (
                [{"body": MOVES, "date": ""}],
                "a.jsonl: no column 'text'; the columns are body, date; name the text's with",
            ),
            ([], "a.jsonl: holds no rows"),
        ],
    )
    def test_an_input_without_texts(self, coding: Run, tmp_path: Path, lines: list[Any], told: str) -> None:
        assert told in coding(rows(tmp_path / "a.jsonl", *lines), *ACTORS).refusal

    @pytest.mark.parametrize("output", ["a.jsonl", "./a.jsonl", "link.jsonl"])
    def test_an_output_that_is_the_input(self, coding: Run, tmp_path: Path, output: str) -> None:
        name = rows(tmp_path / "a.jsonl", {"text": MOVES})
        before = (tmp_path / name).read_bytes()
        (tmp_path / "link.jsonl").symlink_to(tmp_path / name)
        refusal = coding(name, *ACTORS, "--output", output).refusal
        assert f"--output {output}: is the input, which would be overwritten" in refusal
        assert (tmp_path / name).read_bytes() == before

    def test_a_column_of_the_id_that_is_nowhere(self, coding: Run, tmp_path: Path) -> None:
        name = rows(tmp_path / "a.jsonl", {"text": MOVES})
        assert "correct --id-column" in coding(name, *ACTORS, "--id-column", "url").refusal

    def test_an_input_that_is_nowhere(self, coding: Run) -> None:
        assert "none.txt: no such file" in coding("none.txt", *ACTORS).refusal


class Immediate(Coder):
    """Answers each article before it takes the next."""

    def code(self, articles: Any) -> Iterator[dict[str, Any]]:
        for article in articles:
            yield {"id": article.id, "error": None}


def test_the_input_is_read_no_faster_than_it_is_coded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    ahead: list[int] = []

    def watched(source: str, columns: ColumnsConfig) -> Any:
        found, single = open_input(source, columns)

        def counted() -> Iterator[Any]:
            for number, row in enumerate(found):
                ahead.append(number - len(written))
                yield row

        return counted(), single

    monkeypatch.setattr("conflictnlp.commands.code.open_input", watched)
    monkeypatch.setattr("builtins.print", lambda line: written.append(line))
    name = rows(tmp_path / "a.jsonl", *[{"text": f"Text {n}."} for n in range(300)])
    assert code(Immediate(), name) == (300, 0)
    assert set(ahead[300:]) == {0}


def test_a_failure_midway_leaves_no_output(tmp_path: Path) -> None:
    class Failing(Coder):
        def code(self, articles: Any) -> Iterator[dict[str, Any]]:
            yield {"id": next(articles).id, "error": None}
            raise InputError("the second")

    name = rows(tmp_path / "a.jsonl", {"text": "One."}, {"text": "Two."})
    with pytest.raises(InputError, match="the second"):
        code(Failing(), name, "out.jsonl")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl"]
