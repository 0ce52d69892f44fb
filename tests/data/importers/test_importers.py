"""What all formats have in common: columns, faults, files that appear whole or not at all, signs that survive."""

import gzip
import importlib
import json
import pkgutil
import re

import pytest

import conflictnlp.data.importers
from conflictnlp.composition import load_task
from conflictnlp.config import DataConfig
from conflictnlp.data import load_splits, read_rows
from conflictnlp.data.importers import FORMATS, import_file
from conflictnlp.errors import InputError
from tests.data.helpers import write
from tests.data.importers.helpers import FILES, faults, imported, refused

# A file of each format, the options to import it with, and the task that it is then used with.
FITTING = [
    ("conflibert", "conflibert_binary.tsv", {"labels": ("other", "relevant")}, "relevance"),
    ("conflibert", "conflibert_multi.tsv", {}, "satp"),
    ("plover", "plover.tsv", {}, "plover"),
    ("newsmtsc", "newsmtsc.jsonl", {}, "newsmtsc"),
    ("acled", "acled.csv", {}, "event_type"),
    ("case", "case.tsv", {}, "event_type"),
    ("case", "case.json", {}, "relevance"),
    ("label-studio", "label_studio.json", {}, "momentum"),
    ("doccano", "doccano.jsonl", {}, "topic"),
    ("doccano", "doccano_spans.jsonl", {}, "momentum"),
]
SIGNS = '"Quoted", said Ö’Neil;\tİ 🔥 — a\\n|b = ‘c’\r\nsecond line, with "" and , and ; '
TARGETS = ["rows.jsonl", "rows.csv", "rows.tsv", "rows.parquet", "rows.jsonl.gz", "rows.csv.gz", "rows.tsv.gz"]


def test_every_module_of_a_format_is_registered():
    modules = [module.name for module in pkgutil.iter_modules(conflictnlp.data.importers.__path__)]
    found = [importlib.import_module(f"conflictnlp.data.importers.{name}") for name in modules]
    assert {module.FORMAT.name for module in found if hasattr(module, "FORMAT")} == set(FORMATS)


def test_every_format_has_a_file_here():
    assert {form for form, *_ in FITTING} == set(FORMATS)


@pytest.mark.parametrize("target", ["rows.jsonl", "rows.csv", "rows.parquet"])
@pytest.mark.parametrize(("form", "source", "options", "task"), FITTING)
def test_what_is_imported_passes_the_checks_under_its_task(tmp_path, form, source, options, task, target):
    _, result = imported(form, source, tmp_path / target, **options)
    report = load_splits(DataConfig(train=str(tmp_path / target)), load_task(task), strict=False).report
    assert report.rows == {"train": result.rows}
    assert report.findings == []
    assert {label: n for label, n in report.labels["train"].items() if n} == result.labels


@pytest.mark.parametrize("target", TARGETS)
def test_every_sign_survives_in_every_form(tmp_path, target):
    start = SIGNS.index("Ö’Neil")
    row = {"sentence": SIGNS, "mention": "Ö’Neil", "from": start, "to": start + 6, "polarity": 0, "id": "NA"}
    source = write(tmp_path / "signs.jsonl.gz", "\ufeff" + json.dumps(row, ensure_ascii=False) + "\r\n")
    values = imported("newsmtsc", source, tmp_path / target)[0][0]
    assert (values["text"], values["actor"], values["id"]) == (SIGNS, "Ö’Neil", "NA")
    assert (int(values["start"]), int(values["end"])) == (start, start + 6)


@pytest.mark.parametrize("target", TARGETS)
def test_no_label_and_odd_labels_survive_in_every_form(tmp_path, target):
    source = write(
        tmp_path / "a.jsonl", '{"text": "A.", "label": []}\n{"text": "B.", "label": ["x, y", "z|\\"é\\""]}\n'
    )
    rows, _ = imported("doccano", source, tmp_path / target, multi=True)
    lists = [json.loads(row["labels"]) if isinstance(row["labels"], str) else row["labels"] for row in rows]
    assert lists == [[], ["x, y", 'z|"é"']]


def test_columns_stand_in_one_order_and_further_ones_last(tmp_path):
    imported("acled", "acled.csv", tmp_path / "rows.csv")
    head = (tmp_path / "rows.csv").read_text().splitlines()[0]
    assert head == "id,text,label,sub_label,date,actor1,actor2,country"


def test_the_examples_of_the_documentation_come_out_as_it_says(tmp_path):
    page = (FILES.parents[2] / "docs" / "import.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```\w+\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    tried = set()
    for given, command, expected in zip(blocks, blocks[1:], blocks[2:], strict=False):
        words = command.split("\n")[0].split()
        if words[:3] != ["conflictnlp", "data", "import"] or words[3] not in FORMATS:
            continue
        source = write(tmp_path / words[3] / words[4], given)
        options = {"labels": tuple(words[7].split(","))} if words[6:7] == ["--labels"] else {}
        rows, _ = imported(words[3], source, tmp_path / "rows.jsonl", **options)
        assert rows == [json.loads(line) for line in expected.splitlines()], words
        tried.add(words[3])
    assert tried == set(FORMATS)


def test_an_unknown_format_lists_the_known_ones(tmp_path):
    told = refused("prodigy", "doccano.jsonl", tmp_path)
    assert told == (
        "unknown format 'prodigy'; use one of conflibert, plover, newsmtsc, acled, case, label-studio, doccano"
    )


def test_an_option_that_a_format_does_not_use_is_refused(tmp_path):
    assert refused("acled", "acled.csv", tmp_path, labels=("a", "b")) == (
        "--labels is of no use to the format acled; it is for conflibert, case"
    )
    assert "--text-field is of no use" in refused("plover", "plover.tsv", tmp_path, text_field="body")


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("rows.xlsx", "unknown format .xlsx; use one of .jsonl"),
        ("rows.parquet.gz", "Parquet compresses by itself"),
    ],
)
def test_a_target_that_cannot_be_written_is_refused(tmp_path, target, told):
    assert told in refused("acled", "acled.csv", tmp_path / target)


def test_the_source_is_not_overwritten(tmp_path):
    source = write(tmp_path / "doccano.jsonl", (FILES / "doccano.jsonl").read_bytes())
    with pytest.raises(InputError, match="is the source too"):
        import_file("doccano", source, source)
    assert source.read_bytes() == (FILES / "doccano.jsonl").read_bytes()


def test_a_faulty_row_leaves_an_older_target_as_it_was(tmp_path):
    target = write(tmp_path / "rows.csv", "old")
    source = write(tmp_path / "a.tsv", "Fine.\t1\nOdd.\tx\n")
    with pytest.raises(InputError) as raised:
        import_file("conflibert", source, target)
    assert str(raised.value) == (
        f"{source}:2: class 'x' is not a number from 0 on. Correct the row, or leave all such rows out with "
        "--skip-faulty"
    )
    assert target.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tsv", "rows.csv"]


def test_faulty_rows_are_left_out_and_told(tmp_path):
    source = write(tmp_path / "a.tsv", "Fine.\t1\nOdd.\tx\nGood.\t0\n")
    rows, result = imported("conflibert", source, tmp_path, skip_faulty=True)
    assert [row["text"] for row in rows] == ["Fine.", "Good."]
    assert [fault.where for fault in result.left_out] == [f"{source}:2"]


def test_a_file_without_a_usable_row_is_refused(tmp_path):
    source = write(tmp_path / "a.tsv", "Odd.\tx\n")
    with pytest.raises(InputError, match=r"holds no row that can be used; the first fault is at .*a\.tsv:1: class"):
        import_file("conflibert", source, tmp_path / "rows.csv", skip_faulty=True)
    assert "holds no row that can be used" in refused("newsmtsc", write(tmp_path / "a.jsonl", ""), tmp_path)
    assert "no such file" in refused("newsmtsc", tmp_path / "absent.jsonl", tmp_path)


def test_a_zero_byte_that_json_hides_is_a_fault(tmp_path):
    source = write(tmp_path / "a.jsonl", '{"text": "A.", "label": ["x"]}\n{"text": "A\\u0000", "label": ["x"]}\n')
    assert faults("doccano", source, tmp_path) == ["2: text holds a zero byte"]


def test_the_files_of_a_glob_become_one(tmp_path):
    for name in ("train", "dev"):
        write(tmp_path / f"{name}.tsv", f"A {name} text.\t1\n")
    result = import_file("conflibert", tmp_path / "*.tsv", tmp_path / "rows.csv")
    assert result.rows == 2
    assert [row.values["id"] for row in read_rows(tmp_path / "rows.csv")] == ["dev-1", "train-1"]


def test_a_damaged_gzip_file_is_refused(tmp_path):
    source = tmp_path / "a.jsonl.gz"
    source.write_bytes(gzip.compress(b'{"text": "A.", "label": ["x"]}\n')[:-6])
    assert "the gzip file is damaged" in refused("doccano", source, tmp_path / "rows.csv")
