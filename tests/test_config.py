import json
from dataclasses import asdict
from importlib import resources

import pytest

import conflictnlp.config
from conflictnlp.config import TfidfConfig, TransformerConfig, compose, from_dict, load_task, shipped
from conflictnlp.data.load import fitting_sets
from conflictnlp.errors import InputError

PAIRS = [(task, data) for data, values in shipped("data").items() for task in values.get("tasks") or {}]


def configured(*overrides):
    return compose(overrides)[0]


def fault(*overrides):
    with pytest.raises(InputError) as raised:
        compose(overrides)
    message = str(raised.value)
    assert "\n" not in message
    return message


def test_defaults():
    config = configured()
    assert (config.task.name, config.model.name, config.data.name, config.seed) == ("momentum", "minilm", "sample", 1)
    assert config.run_name == "minilm-sample-s1"


def test_name_of_the_run_can_be_set():
    assert configured("name=first").run_name == "first"


def test_fast_debugging_wins_over_the_defaults():
    config = configured("debug=fast")
    assert (config.data.limit, config.trainer.max_steps) == (64, 4)


def test_command_line_wins_over_a_group():
    assert configured("debug=fast", "data.limit=7").data.limit == 7


def test_seed_also_cuts_the_splits():
    assert configured("data=files", "seed=5").data.split.seed == 5


@pytest.mark.parametrize(("name", "kind"), [("tfidf", TfidfConfig), ("minilm", TransformerConfig)])
def test_model_brings_its_own_keys(name, kind):
    assert type(configured(f"model={name}").model) is kind


@pytest.mark.parametrize("name", shipped("task"))
def test_every_task_composes_and_bears_its_file_name(name):
    task = configured(f"task={name}").to_task()
    assert task == load_task(name)
    assert task.name == name
    assert all(label.definition for label in task.labels)


@pytest.mark.parametrize("name", shipped("data"))
def test_every_data_set_composes_and_bears_its_file_name(name):
    assert configured(f"data={name}").data.name == name


@pytest.mark.parametrize(("task", "data"), PAIRS)
def test_every_data_set_names_tasks_that_ship(task, data):
    assert task in shipped("task")
    assert data in fitting_sets(load_task(task))


def test_every_task_has_a_data_set():
    assert {task for task, _ in PAIRS} == set(shipped("task"))


@pytest.mark.parametrize("name", [f"{group}/{name}" for group in ("task", "data", "model") for name in shipped(group)])
def test_every_file_is_headed_by_its_command(name):
    group, _, stem = name.partition("/")
    content = resources.files("conflictnlp.conf").joinpath(group, f"{stem}.yaml").read_text(encoding="utf-8")
    head = content.splitlines()[0]
    assert head.startswith("# conflictnlp ")
    assert f"{group}={stem}" in head


@pytest.mark.parametrize("overrides", [[], ["task=topic", "model=tfidf", "data=files", "data.train=[a.csv,b.csv]"]])
def test_config_survives_its_json(overrides):
    config = configured(*overrides)
    assert from_dict(json.loads(json.dumps(asdict(config)))) == config


def test_stored_config_takes_defaults_for_what_it_lacks():
    stored = asdict(configured("model=tfidf"))
    del stored["evaluation"], stored["data"]["limit"]
    assert from_dict(stored) == configured("model=tfidf")


def test_stored_config_with_a_key_of_another_version_is_refused():
    stored = {**asdict(configured("model=tfidf")), "colour": "red"}
    with pytest.raises(InputError, match="does not fit this version: Key 'colour' not in 'Config'"):
        from_dict(stored)


def test_stored_config_of_an_unknown_model_is_refused():
    with pytest.raises(InputError, match=r"model\.kind='oracle' is unknown"):
        from_dict({"model": {"kind": "oracle"}})


def test_identity_leaves_out_how_a_run_is_carried_out():
    one = configured("threads=1", "name=first", "+tracking.tags.who=me")
    assert one.identity() == configured("resume=true").identity()


@pytest.mark.parametrize("override", ["seed=2", "data.limit=5", "trainer.epochs=3", "task=topic"])
def test_identity_covers_what_changes_a_result(override):
    assert configured(override).identity() != configured().identity()


def test_resuming_a_named_run_is_resuming():
    assert configured("resume_run='1234567890123e45'").resume


def test_composing_twice_is_possible_and_independent():
    configured("seed=9")
    assert configured().seed == 1


@pytest.mark.parametrize("override", ["trainer.epohcs=3", "+trainer.epohcs=3", "++trainer.epohcs=3"])
def test_mistyped_key_is_named(override):
    assert "epohcs" in fault(override)


@pytest.mark.parametrize("override", ["sede=3", "+sede=3", "modle=tfidf", "data.columns.txt=body", "model.kernel=rbf"])
def test_mistyped_key_of_any_level_is_named(override):
    assert override.strip("+").partition("=")[0].rpartition(".")[2] in fault(override)


def test_mistyped_key_is_not_recommended_to_be_appended():
    assert "+" not in fault("trainer.epohcs=3")


@pytest.mark.parametrize("group", ["task", "data", "model"])
def test_unknown_option_lists_the_options_of_its_group(group):
    message = fault(f"{group}=absent")
    assert f"'{group}/absent'" in message
    assert all(name in message for name in shipped(group))


@pytest.mark.parametrize(
    "override",
    ["seed=first", "seed=1.5", "seed=null", "trainer.epochs=many", "data.limit=true", "resume=perhaps", "task.spans=5"],
)
def test_value_of_a_wrong_type_names_its_key(override):
    assert override.partition("=")[0] in fault(override)


@pytest.mark.parametrize(
    "override", ["trainer.epochs", "a=b=c", "=3", "", "-m", "seed=1,2", "data.train=[a", "task=null"]
)
def test_malformed_override_is_refused(override):
    assert fault(override).startswith("config: ")


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("data.on_leak=ignore", "must be one of error, drop_train, keep"),
        ("data.on_fault=ignore", "must be one of error, drop, keep"),
        ("data.split.method=random", "must be one of group, date, stratified"),
        ("trainer.precision=float16", "must be one of auto, float32, bfloat16"),
        ("data.limit=0", "must be above zero"),
        ("data.near_duplicate=0", "must be above zero"),
        ("data.near_duplicate=nan", "must be above zero"),
        ("data.near_duplicate=1.1", "at most 1"),
        ("data.split.test=0", "must be a share between 0 and 1"),
        ("data.split.validation=1", "must be a share between 0 and 1"),
        ("evaluation.confidence=95", "must be a share between 0 and 1"),
        ("evaluation.bootstrap=-1", "must be zero or above"),
        ("trainer.batch_size=0", "must be above zero"),
        ("model.learning_rate=-0.1", "must be above zero"),
        ("model.max_length=0", "must be above zero"),
        ("seed=-1", "must be zero or above"),
        ("seed=4294967296", "must be at most 4294967295"),
        ("threads=0", "must be above zero"),
    ],
)
def test_value_out_of_its_range_names_key_value_and_range(override, told):
    message = fault(override)
    assert message.startswith(override.partition("=")[0] + "=")
    assert told in message


def test_missing_value_is_named():
    assert "encoder" in fault("model=encoder")


@pytest.mark.parametrize("word", ["no", "yes", "on", "off", "true", "NO"])
def test_label_spelt_like_a_boolean_is_refused_on_the_command_line(word):
    labels = f"[{{name:{word},definition:x}},{{name:event,definition:x}}]"
    assert "spelt like a boolean" in fault(f"task.labels={labels}")


@pytest.mark.parametrize("labels", ["[no,yes]", "[gaining,losing]"])
def test_labels_given_as_bare_words_tell_how_to_write_them(labels):
    assert "a label is written {name: ..., definition: ...}" in fault(f"task.labels={labels}")


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ("{name: no, definition: x}", "'False' is spelt like a boolean"),
        ("{name: On}", "'True' is spelt like a boolean"),
        ("{name: 'no'}", "'no' is spelt like a boolean"),
        ("no", "a label is written {name: ..., definition: ...}"),
    ],
)
def test_bare_no_as_a_label_of_a_task_file_is_refused(tmp_path, label, told):
    (tmp_path / "task").mkdir()
    text = f"name: own\nkind: single\nlabels:\n  - {label}\n  - {{name: event, definition: x}}\n"
    (tmp_path / "task" / "own.yaml").write_text(text)
    assert told in fault("task=own", f"hydra.searchpath=[file://{tmp_path}]")


def test_task_file_of_ones_own(tmp_path):
    (tmp_path / "task").mkdir()
    text = 'name: own\nkind: single\nlabels:\n  - {name: "event"}\n  - {name: "no_event"}\n'
    (tmp_path / "task" / "own.yaml").write_text(text)
    config = configured("task=own", f"hydra.searchpath=[file://{tmp_path}]")
    assert config.to_task().label_names == ("event", "no_event")


@pytest.mark.parametrize("override", ["task.kind=ranking", "task.spans=[victim]", "task.background=other"])
def test_task_that_cannot_be_is_refused(override):
    assert fault(override).startswith(override.partition("=")[0])


def test_unknown_task_lists_the_tasks():
    with pytest.raises(InputError, match=r"task='absent' is unknown; tasks are event_subtype, .*topic"):
        load_task("absent")


def test_error_of_another_kind_is_not_translated():
    error = KeyError("x")
    assert conflictnlp.config.translate(error) is error
