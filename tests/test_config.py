import json
from dataclasses import asdict
from functools import cache
from importlib import resources
from pathlib import Path

import pytest

from conflictnlp.composition import compose, from_dict, load_task, shipped
from conflictnlp.config import TfidfConfig, TransformerConfig
from conflictnlp.data.load import fitting_sets
from conflictnlp.errors import InputError

CONF = Path(__file__).parents[1] / "conf"
PAIRS = [(task, data) for data, values in shipped("data").items() for task in values.get("tasks") or {}]


@cache
def configured(*overrides):
    return compose(overrides)[0]


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


def test_every_data_set_names_tasks_that_ship():
    assert [pair for pair in PAIRS if pair[0] not in shipped("task")] == []


def test_sets_that_fit_a_task_are_listed_with_the_files_of_ones_own():
    assert fitting_sets(load_task("momentum")) == ["battles", "momentum", "momentum_articles", "sample", "files"]


def test_every_task_has_a_data_set():
    assert {task for task, _ in PAIRS} == set(shipped("task"))


@pytest.mark.parametrize(
    "name", [f"{group}/{name}" for group in ("task", "data", "model", "trainer") for name in shipped(group)]
)
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
    compose(["seed=9"])
    assert compose([])[0] == configured()


@pytest.mark.parametrize(
    "name",
    sorted(
        path.relative_to(CONF / "experiment").with_suffix("").as_posix()
        for path in (CONF / "experiment").rglob("*.yaml")
    ),
)
def test_every_experiment_composes_with_both_kinds_of_model(name):
    for model in ("tfidf", "minilm"):
        config, _ = compose([f"experiment={name}", f"model={model}"])
        assert config.tracking.tags["study"] == name.split("/")[0]


def test_a_tagger_is_trained_unless_it_is_left_out():
    assert configured().tagger.train
    assert not configured("tagger.train=false").tagger.train


@pytest.mark.parametrize("name", ["momentum", "battles"])
def test_further_rows_of_momentum_stop_where_its_tests_begin(name):
    assert configured("task=momentum", f"data={name}").data.extra_before == "2016-01-01"


def test_of_momentums_further_rows_only_those_of_other_sets_may_be_missing():
    data = configured("data=momentum").data
    assert [source.endswith("?") for source in data.extra] == [False, False, True]


def test_further_rows_of_other_sets_were_invented_for_this_package():
    found = {name: values["extra"] for name, values in shipped("data").items() if values.get("extra")}
    assert found.pop("momentum")
    assert found == {"case21": ["events:case21"], "plover": ["events:plover"]}


@pytest.mark.parametrize("task", ["event_type", "event_subtype", "plover", "plover_quad"])
def test_a_baseline_learns_from_its_own_rows_alone(task):
    assert configured(f"experiment=baselines/{task}").data.extra == []


def test_momentum_alone_finds_its_actors():
    assert [name for name in shipped("task") if load_task(name).finds_actors] == ["momentum"]
