"""JSON lines and JSON lists, each object with its line."""

import json

import pytest

from conflictnlp.data.importers.documents import read_objects
from conflictnlp.errors import InputError
from tests.data.helpers import write


def objects(tmp_path, content, name="rows.json"):
    path = write(tmp_path / name, content)
    return [(row.where.removeprefix(f"{path}:"), row.values) for row in read_objects(path)]


def fault(tmp_path, content):
    with pytest.raises(InputError) as raised:
        objects(tmp_path, content)
    return str(raised.value).removeprefix(f"{tmp_path}/rows.json:")


@pytest.mark.parametrize("name", ["rows.json", "rows.jsonl.gz"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_and_lists_hold_the_same_objects(tmp_path, name, end):
    rows = [{"a": "“1”\n"}, {"a": "[2],"}]
    lines = "\ufeff" + end.join(json.dumps(row) for row in rows)
    assert objects(tmp_path, lines, name) == [("1", rows[0]), ("2", rows[1])]
    listed = "\ufeff" + json.dumps(rows, indent=1, ensure_ascii=False).replace("\n", end)
    assert objects(tmp_path, listed, name) == [("2", rows[0]), ("5", rows[1])]


def test_an_empty_list_holds_nothing(tmp_path):
    assert objects(tmp_path, "[ ]\n") == []


def test_half_a_character_is_replaced(tmp_path):
    assert objects(tmp_path, '[{"a": "x\\ud83d"}]') == [("1", {"a": "x?"})]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('[{"a": 1},\n{"a": }]', "2: not JSON (Expecting value, column 7)"),
        ('[{"a": 1},\n', "2: not JSON (the list is cut short)"),
        ('[{"a": 1}]\n{"a": 2}', "1: not JSON (the list is followed by more)"),
        ('[{"a": 1},\n 2]', "2: a JSON int where an object {...} is needed"),
        ('{"a": 1}\n{"a": \n', "2: not JSON"),
        ("id,text\n", "1: not JSON"),
    ],
)
def test_what_is_not_json_tells_its_line(tmp_path, content, told):
    assert fault(tmp_path, content).startswith(told)
