from dataclasses import asdict
from functools import reduce

import pytest

from conflictnlp.composition import compose, from_dict, load_task, shipped, translate
from conflictnlp.errors import InputError


def fault(*overrides):
    with pytest.raises(InputError) as raised:
        compose(overrides)
    message = str(raised.value)
    assert "\n" not in message
    return message


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
        ("device=gpu", "must be auto, cpu, cuda, cuda:N or mps"),
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
        ("trainer.average_last=0", "must be above zero"),
        ("trainer.dropout_samples=0", "must be above zero"),
        ("trainer.contrastive_epochs=-1", "must be zero or above"),
        ("trainer.auxiliary_epochs=-1", "must be zero or above"),
        ("data.auxiliary_limit=0", "must be above zero"),
        ("trainer.layer_decay=0", "must be above zero"),
        ("trainer.layer_decay=1.1", "at most 1"),
        ("trainer.r_drop=-1", "must be zero or above"),
        ("trainer.adversarial=-1", "must be zero or above"),
        ("model.lora_rank=0", "must be above zero"),
        ("model.lora_dropout=1", "is a share from 0 to below 1"),
        ("model.learning_rate=-0.1", "must be above zero"),
        ("model.max_length=0", "must be above zero"),
        ("seed=-1", "must be zero or above"),
        ("seed=4294967296", "must be at most 4294967295"),
        ("threads=0", "must be above zero"),
    ],
)
def test_value_out_of_its_range_names_key_value_and_range(override, told):
    key, _, value = override.partition("=")
    stored = asdict(compose([])[0])
    *path, last = key.split(".")
    reduce(dict.__getitem__, path, stored)[last] = value
    with pytest.raises(InputError) as raised:
        from_dict(stored)
    assert str(raised.value).startswith(f"{key}=")
    assert told in str(raised.value)


def test_range_is_checked_on_the_command_line_too():
    assert fault("trainer.batch_size=0") == "trainer.batch_size=0: must be above zero"


def test_missing_value_is_named():
    assert "encoder" in fault("model=encoder")


@pytest.mark.parametrize("word", ["no", "True", "off"])
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
    config, _ = compose(["task=own", f"hydra.searchpath=[file://{tmp_path}]"])
    assert config.to_task().label_names == ("event", "no_event")


@pytest.mark.parametrize("override", ["task.kind=ranking", "task.spans=[victim]", "task.background=other"])
def test_task_that_cannot_be_is_refused(override):
    assert fault(override).startswith(override.partition("=")[0])


def test_unknown_task_lists_the_tasks():
    with pytest.raises(InputError, match=r"task='absent' is unknown; tasks are event_subtype, .*topic"):
        load_task("absent")


def test_error_of_another_kind_is_not_translated():
    error = KeyError("x")
    assert translate(error) is error


def test_texts_of_several_labels_have_no_class_to_be_drawn_to():
    assert "bear several labels or none" in fault("task=satp", "trainer=contrastive")


def test_n_grams_learn_no_other_task():
    assert "which model=tfidf has not" in fault("task=topic", "model=tfidf", "data.auxiliary=[event_type@sample]")


@pytest.mark.parametrize("fixed", ["model.freeze_embeddings=true", "model.lora_rank=4"])
def test_fixed_embeddings_cannot_be_disturbed(fixed):
    assert fixed.partition("=")[0] in fault("trainer=adversarial", fixed)
