import math

import pytest

from conflictnlp.config import ColumnsConfig
from conflictnlp.data.example import Example, Span, make_passage, parse_row
from conflictnlp.data.read import Row
from conflictnlp.errors import InputError
from tests.data.helpers import FATE, KINDS, MARKED, make_task

DIRECTED = make_task("gain", "loss", spans=("source", "target"), optional=("target",))


def parse(task=FATE, label_column=None, labelled=True, columns=None, **values) -> Example:
    return parse_row(Row("f.csv:7", values), task, columns or ColumnsConfig(), label_column, labelled)


def fault(task=FATE, **options):
    with pytest.raises(InputError) as raised:
        parse(task, **options)
    message = str(raised.value)
    assert message.startswith("f.csv:7: ")
    assert "\n" not in message
    return message


def test_row_becomes_an_example():
    read = parse(text="fell", label="loss", id=3, title="News", date="2014-01-02", group=8, split="dev")
    assert read == Example("f.csv:7", "3", "fell", ("loss",), (), "News", "8", "2014-01-02", "dev")


def test_optional_columns_may_be_missing():
    assert parse(text="fell", label="gain") == Example("f.csv:7", "f.csv:7", "fell", ("gain",))


@pytest.mark.parametrize("value", [None, "", math.nan])
def test_missing_group_is_none(value):
    assert parse(text="fell", label="gain", group=value).group is None


@pytest.mark.parametrize("value", [None, "", math.nan])
def test_missing_id_is_the_place(value):
    assert parse(text="fell", label="gain", id=value).id == "f.csv:7"


def test_columns_are_named_by_the_config():
    columns = ColumnsConfig(text="body", title="head")
    read = parse(label_column="quad", columns=columns, body="fell", head="News", quad="gain")
    assert (read.text, read.title, read.label) == ("fell", "News", "gain")


def test_missing_text_column_lists_the_columns_and_the_key():
    message = fault(body="fell", label="gain")
    assert "no column 'text'" in message
    assert "body, label" in message
    assert "data.columns.text=" in message


def test_missing_label_column_lists_the_columns_and_the_key():
    message = fault(text="fell", code="gain")
    assert "no column 'label' or 'labels'; the columns are text, code" in message
    assert "data.columns.label=" in message


def test_named_label_column_is_not_replaced_by_another():
    assert "no column 'quad'" in fault(label_column="quad", text="fell", label="gain")


def test_unlabelled_row_needs_no_label():
    assert parse(labelled=False, text="fell").labels is None


def test_unknown_label_lists_the_declared_ones():
    message = fault(text="fell", label="win")
    assert "unknown label 'win' in column 'label'; task course declares gain, loss" in message


@pytest.mark.parametrize("label", ["Gain", " gain", "gain "])
def test_label_must_be_spelt_exactly(label):
    assert "unknown label" in fault(text="fell", label=label)


def test_label_na_is_a_label_like_another():
    assert parse(make_task("NA", "none"), text="fell", label="NA").label == "NA"


def test_number_is_a_label_by_its_digits():
    assert parse(make_task("0", "1"), text="fell", label=1).label == "1"


@pytest.mark.parametrize("value", [None, ["gain"]])
def test_single_label_task_needs_one_label(value):
    assert "needs one label" in fault(text="fell", label=value)


@pytest.mark.parametrize("value", [["c", "a"], "c|a", "c;a", "c, a", "c a", '["c", "a"]', ["a", "c", "a"]])
def test_labels_are_kept_in_declared_order(value):
    assert parse(KINDS, text="fell", labels=value).labels == ("a", "c")


@pytest.mark.parametrize("value", [None, [], "", "[]"])
def test_multi_label_row_may_bear_none(value):
    assert parse(KINDS, text="fell", labels=value).labels == ()


def test_unknown_one_of_several_labels():
    assert "unknown label 'd'" in fault(KINDS, text="fell", labels=["a", "d"])


@pytest.mark.parametrize("value", ["['a']", "[a"])
def test_list_that_is_no_json(value):
    assert "is not a JSON list" in fault(KINDS, text="fell", labels=value)


@pytest.mark.parametrize("value", [3, {"a": 1}])
def test_labels_of_a_wrong_type(value):
    assert "a list of labels is needed" in fault(KINDS, text="fell", labels=value)


def test_text_of_a_wrong_type():
    assert "text is a int, not a text" in fault(text=5, label="gain")


def test_missing_text_is_left_to_the_checks():
    assert parse(text=None, label="gain").text == ""


@pytest.mark.parametrize(("start", "end"), [(4, 6), ("4", "6"), (4.0, 6.0), ("4.0", "6.0")])
def test_offsets_are_read_from_numbers_and_their_texts(start, end):
    read = parse(MARKED, text="the IS fell", label="gain", actor="IS", start=start, end=end)
    assert read.spans == (("actor", Span("IS", 4, 6)),)


@pytest.mark.parametrize("start", [None, math.nan])
def test_half_given_offsets_are_left_aside(start):
    read = parse(MARKED, text="the IS fell", label="gain", actor="IS", start=start, end=6)
    assert read.spans == (("actor", Span("IS")),)


@pytest.mark.parametrize("start", ["four", "4.5", 4.5, math.inf, "nan", [4], 10**400], ids=lambda value: str(value)[:5])
def test_offset_that_is_no_whole_number(start):
    message = fault(MARKED, text="the IS fell", label="gain", actor="IS", start=start, end=6)
    assert "is not a character offset" in message


def test_missing_actor_names_the_role_and_the_key():
    message = fault(MARKED, text="fell", label="gain", actor=None)
    assert "no 'actor'" in message
    assert "data.columns.actor=" in message


def test_optional_target_may_be_missing():
    read = parse(DIRECTED, text="A hit B", label="gain", source="A", source_start=0, source_end=1)
    assert read.spans == (("source", Span("A", 0, 1)),)


def test_source_may_not_be_missing():
    assert "no 'source'" in fault(DIRECTED, text="A hit B", label="gain", target="B")


def test_actor_is_not_read_for_a_task_without_one():
    assert parse(text="fell", label="gain", actor="IS").spans == ()


def test_names_of_an_actor_are_split_at_bars():
    assert Span(" Islamic State | IS||").names == ["Islamic State", "IS"]


def test_title_is_the_first_line_of_what_a_model_reads():
    passage = make_passage("IS fell.", " IS news ", {"actor": Span("IS")}, ("actor",))
    assert passage.text == "IS news\nIS fell."
    assert passage.offset == len("IS news\n")
    assert passage.spans == (((0, 2), (8, 10)),)


def test_blank_title_adds_no_line():
    assert make_passage("fell", "  ", {}, ()).text == "fell"


def test_given_offsets_win_over_mentions_that_overlap_them():
    text = "Army of Velmaria, the Army"
    passage = make_passage(text, "", {"actor": Span("Army", 0, 16)}, ("actor",))
    assert passage.spans == (((0, 16), (22, 26)),)


def test_given_offsets_count_from_the_text_not_the_title():
    passage = make_passage("the rebels fell", "News", {"actor": Span("rebels", 4, 10)}, ("actor",))
    assert [passage.text[start:end] for start, end in passage.spans[0]] == ["rebels"]


@pytest.mark.parametrize("given", [(8, 90), (-2, 3), (5, 5), (6, 4)])
def test_offsets_outside_the_text_are_left_aside(given):
    passage = make_passage("the IS fell", "", {"actor": Span("IS", *given)}, ("actor",))
    assert passage.spans == (((4, 6),),)


def test_missing_role_has_no_mentions():
    passage = make_passage("A hit B", "", {"source": Span("A")}, ("source", "target"))
    assert passage.spans == (((0, 1),), ())


def test_cluster_is_the_group_or_else_the_text():
    assert [parse(text="t", label="gain", group=group).cluster for group in ("g", None)] == ["g", "t"]
