import json

import pytest

from conflictnlp.composition import load_task, shipped
from conflictnlp.errors import InputError
from conflictnlp.task import Label, Task

GAIN, LOSS = Label("gaining", "moving up"), Label("losing", "moving down")


def make(*names, kind="single", **fields):
    return Task("course", kind, tuple(Label(name, "") for name in names), **fields)


def test_labels_keep_their_declared_order():
    assert make("losing", "gaining", "none").label_names == ("losing", "gaining", "none")


def test_multi_label_task_may_have_one_label():
    assert make("violent", kind="multi").is_multi


def test_single_label_task_is_not_multi():
    assert not make("a", "b").is_multi


@pytest.mark.parametrize("name", ["no", "No", "NO", "yes", "on", "Off", "true", "False", "null", "~", "y", "N"])
def test_label_spelt_like_a_boolean_is_refused(name):
    with pytest.raises(InputError, match=f"'{name}' is spelt like a boolean"):
        make("gaining", name)


@pytest.mark.parametrize("name", ["", " "])
def test_empty_label_is_refused(name):
    with pytest.raises(InputError, match="empty word"):
        make("gaining", name)


@pytest.mark.parametrize("name", ["none", "NA", "0", "no_event", "é", "armed clash"])
def test_other_words_are_labels(name):
    assert make("gaining", name).label_names == ("gaining", name)


def test_label_that_stands_twice_is_refused():
    with pytest.raises(InputError, match="stands twice"):
        make("gaining", "losing", "gaining")


@pytest.mark.parametrize("names", [(), ("gaining",)])
def test_single_label_task_needs_two_labels(names):
    with pytest.raises(InputError, match="needs two labels or more"):
        make(*names)


def test_multi_label_task_needs_a_label():
    with pytest.raises(InputError, match="no label is declared"):
        make(kind="multi")


def test_unknown_kind_is_refused():
    with pytest.raises(InputError, match=r"task\.kind='ranking': must be 'single' or 'multi'"):
        make("a", "b", kind="ranking")


def test_unknown_role_is_refused():
    with pytest.raises(InputError, match=r"task\.spans: \['victim'\] unknown"):
        make("a", "b", spans=("actor", "victim"))


def test_background_must_be_a_label():
    with pytest.raises(InputError, match=r"task\.background='other': not among the labels"):
        make("a", "b", background="other")


TASKS = [
    Task("course", "single", (GAIN, LOSS)),
    Task("course", "multi", (LOSS, GAIN), description="Momentum – é"),
    Task("event", "single", (GAIN, LOSS), ("source", "target"), ("target",), "losing", False),
    Task("course", "single", (GAIN, LOSS), coarser={"said": {"something": ["gaining", "losing"]}}),
]


@pytest.mark.parametrize("task", TASKS)
def test_task_survives_its_json(task):
    assert Task.from_dict(json.loads(json.dumps(task.to_dict()))) == task


def test_optional_fields_may_be_missing_from_the_mapping():
    values = {"name": "course", "kind": "single", "labels": [{"name": n, "definition": ""} for n in ("a", "b")]}
    assert Task.from_dict(values) == make("a", "b")


def test_yaml_boolean_as_a_label_is_refused():
    values = {"name": "course", "kind": "single", "labels": [{"name": n, "definition": ""} for n in ("a", False)]}
    with pytest.raises(InputError, match="'False' is spelt like a boolean"):
        Task.from_dict(values)


@pytest.mark.parametrize("spans", [(), ("source", "target")])
def test_actors_are_found_for_tasks_that_read_a_text_for_one(spans):
    assert make("a", "b", spans=("actor",), finds_actors=True).finds_actors
    with pytest.raises(InputError, match=r"task\.finds_actors: task course does not read a text for one actor"):
        make("a", "b", spans=spans, finds_actors=True)


def test_a_task_that_says_nothing_of_finding_actors_finds_none():
    values = make("a", "b", spans=("actor",), finds_actors=True).to_dict()
    assert Task.from_dict(values).finds_actors
    del values["finds_actors"]
    assert not Task.from_dict(values).finds_actors


COARSER = {"sign": {"up": ["a", "b"], "down": ["c"]}}


def test_a_label_tells_those_that_follow_from_it():
    task = make("a", "b", "c", coarser=COARSER)
    assert task.codes("b") == {"course": "b", "sign": "up"}
    assert make("a", "b").codes("b") == {"course": "b"}


@pytest.mark.parametrize(("names", "kind"), [("ab", "single"), ("abcd", "single"), ("abc", "multi")])
def test_a_coarser_coding_needs_each_label_of_a_single_label_task_once(names, kind):
    with pytest.raises(InputError, match=r"task\.coarser\.sign: must put each label of a single-label task into one"):
        make(*names, kind=kind, coarser=COARSER)


@pytest.mark.parametrize("name", shipped("task"))
def test_a_coarser_coding_has_the_labels_of_its_task(name):
    for coding, classes in load_task(name).coarser.items():
        assert sorted(classes) == sorted(load_task(coding).label_names)


def test_events_are_coded_coarsely_too():
    assert list(load_task("plover").coarser) == ["plover_quad"]
    assert list(load_task("event_subtype").coarser) == ["event_type"]
