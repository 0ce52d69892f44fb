import pytest

from conflictnlp.composition import load_task
from conflictnlp.config import DataConfig
from conflictnlp.data.load import load_splits
from conflictnlp.errors import InputError
from tests.data.helpers import FATE, KINDS, MARKED, labelled, load, sentence, write

GOOD = [*labelled(range(10)), *labelled(range(10, 20), "loss")]
LONG = " ".join(f"word{number}" for number in range(40))
HELD_OUT = {"validation": labelled([30]), "test": labelled([31], "loss")}


def fault(tmp_path, task=FATE, **options):
    with pytest.raises(InputError) as raised:
        load(tmp_path, task, **options)
    message = str(raised.value)
    assert "\n" not in message
    return message


def marked(text, actor, label="gain", **offsets):
    return {"text": text, "actor": actor, "label": label, **offsets}


FAULTY = {
    "empty text": (FATE, {"text": "", "label": "gain"}),
    "text without a word": (FATE, {"text": '""""', "label": "gain"}),
    "the same text (and actors) with different labels": (FATE, {"text": sentence(3), "label": "loss"}),
    "marked actor does not stand in the text": (MARKED, marked("The army fell.", "rebels")),
    "offsets do not hold the marked words": (MARKED, marked("The army fell.", "army", start=0, end=3)),
}


def rows_for(task):
    return GOOD if task is FATE else [marked(f"The army {row['text']}", "army", row["label"]) for row in GOOD]


@pytest.fixture(params=FAULTY.items(), ids=FAULTY.keys())
def faulty(request):
    title, (task, row) = request.param
    good = rows_for(task)
    held_out = [marked(f"The army {sentence(30)}", "army"), marked(f"The army {sentence(31)}", "army")]
    return title, task, {"train": [*good, row], "validation": held_out[:1], "test": held_out[1:]}


def test_fault_stops_with_its_row_and_the_ways_out(tmp_path, faulty):
    title, task, splits = faulty
    message = fault(tmp_path, task, **splits)
    line = 4 if "different labels" in title else 21
    assert message.startswith(f"{tmp_path}/train.jsonl:{line}: {title} (")
    assert "data.on_fault=drop" in message
    assert "data.on_fault=keep" in message


def test_fault_is_dropped(tmp_path, faulty):
    title, task, splits = faulty
    loaded = load(tmp_path, task, **splits, on_fault="drop")
    gone = 2 if "different labels" in title else 1
    assert len(loaded.train) == 21 - gone
    assert [sum(kinds.values()) for kinds in loaded.report.dropped.values()] == [gone]


def test_fault_is_kept(tmp_path, faulty):
    _, task, splits = faulty
    loaded = load(tmp_path, task, **splits, on_fault="keep")
    assert len(loaded.train) == 21
    assert loaded.report.dropped == {}


def test_fault_in_the_test_split_counts_too(tmp_path):
    splits = {**HELD_OUT, "test": [*HELD_OUT["test"], {"text": " ", "label": "gain"}]}
    assert "test.jsonl:2: empty text" in fault(tmp_path, train=GOOD, **splits)


def test_fault_tells_how_many_of_each_kind(tmp_path):
    rows = [*GOOD, *[{"text": "", "label": "gain"}] * 3, {"text": "...", "label": "gain"}]
    assert "In all: empty text: 3; text without a word: 1." in fault(tmp_path, train=rows, **HELD_OUT)


def test_row_with_two_faults_is_dropped_once(tmp_path):
    rows = [*rows_for(MARKED), marked("...", "rebels")]
    loaded = load(tmp_path, MARKED, train=rows, on_fault="drop")
    assert loaded.report.dropped == {"train": {"wordless_text": 1}}


LEAKING = {
    "text stands in a later split too": sentence(31),
    "nearly the same text stands in a later split": f"{LONG} more",
}


@pytest.fixture(params=LEAKING.items(), ids=LEAKING.keys())
def leaking(request):
    title, text = request.param
    test = [*HELD_OUT["test"], {"text": LONG, "label": "gain"}]
    return title, {
        "train": [*GOOD, {"text": text, "label": "loss"}],
        "validation": HELD_OUT["validation"],
        "test": test,
    }


def test_leak_stops_with_its_row_and_the_ways_out(tmp_path, leaking):
    title, splits = leaking
    message = fault(tmp_path, **splits)
    assert message.startswith(f"{tmp_path}/train.jsonl:21: {title} (see {tmp_path}/test.jsonl:")
    assert "data.on_leak=drop_train" in message
    assert "data.on_leak=keep" in message


def test_leak_is_dropped_from_train(tmp_path, leaking):
    _, splits = leaking
    loaded = load(tmp_path, **splits, on_leak="drop_train")
    assert [len(rows) for _, rows in loaded.items()] == [20, 1, 2]


def test_leak_is_kept(tmp_path, leaking):
    _, splits = leaking
    assert [len(rows) for _, rows in load(tmp_path, **splits, on_leak="keep").items()] == [21, 1, 2]


def test_leak_between_validation_and_test_is_dropped_from_validation(tmp_path):
    splits = {**HELD_OUT, "validation": [*HELD_OUT["validation"], *HELD_OUT["test"]]}
    loaded = load(tmp_path, train=GOOD, **splits, on_leak="drop_train")
    assert [len(rows) for _, rows in loaded.items()] == [20, 1, 1]


def test_made_splits_do_not_leak_repeated_texts(tmp_path):
    loaded = load(tmp_path, train=[*GOOD, *GOOD])
    texts = [{one.text for one in rows} for _, rows in loaded.items()]
    assert len(set.union(*texts)) == sum(map(len, texts)) == 20


def test_check_alone_reports_everything_and_drops_nothing(tmp_path):
    splits = {"train": [*GOOD, {"text": "", "label": "gain"}], "test": labelled([3])}
    report = load(tmp_path, strict=False, **splits).report
    assert report.counts() == {"empty_text": {"train": 1}, "leak": {"train": 1}}
    assert report.dropped == {}
    assert report.shared == {"texts": 1, "train": 1, "validation": 0, "test": 1}


def test_no_training_row_left_is_refused(tmp_path):
    message = fault(tmp_path, train=HELD_OUT["test"], **HELD_OUT, on_leak="drop_train")
    assert "no row is left in train" in message


@pytest.mark.parametrize("split", ["validation", "test"])
def test_given_split_that_loses_all_its_rows_is_not_made_anew(tmp_path, split):
    splits = {**HELD_OUT, split: [{"text": "", "label": "gain"}]}
    assert f"no row is left in {split}" in fault(tmp_path, train=GOOD, **splits, on_fault="drop")


@pytest.mark.parametrize("name", ["empty.csv", "empty.jsonl", "header.csv", "blank.jsonl"])
def test_file_without_rows_is_named(tmp_path, name):
    content = {"header.csv": "text,label\n", "blank.jsonl": "\n\n"}.get(name, "")
    path = write(tmp_path / name, content)
    assert fault(tmp_path, train=str(path)) == f"data.train={path}: holds no rows"


def test_csv_without_the_text_column(tmp_path):
    path = write(tmp_path / "rows.csv", "body,label\nfell,gain\n")
    message = fault(tmp_path, train=str(path))
    assert message.startswith(f"{path}:2: no column 'text'; the columns are body, label")


def test_unknown_label_is_an_error_never_a_new_class(tmp_path):
    message = fault(tmp_path, train=[*GOOD, {"text": "fell", "label": "draw"}])
    assert message.startswith(f"{tmp_path}/train.jsonl:21: unknown label 'draw'")


def test_single_class_is_refused(tmp_path):
    message = fault(tmp_path, train=labelled(range(10)), **HELD_OUT)
    assert "a single class (gain)" in message


def test_multi_label_rows_without_any_label_are_refused(tmp_path):
    rows = [{"text": sentence(number), "labels": []} for number in range(10)]
    held_out = {"validation": [{"text": sentence(20), "labels": ["a"]}], "test": [{"text": sentence(21), "labels": []}]}
    assert "a single class (none)" in fault(tmp_path, KINDS, train=rows, **held_out)


def test_declared_label_without_a_training_row_is_warned_of(tmp_path, caplog):
    task = load_task("momentum")
    rows = [marked(f"The army {sentence(n)}", "army", "losing" if n % 2 else "none") for n in range(20)]
    load(tmp_path, task, train=rows)
    assert "no training row bears gaining, stalemate" in caplog.text


@pytest.mark.parametrize("train", [None, []])
def test_missing_training_data_names_the_key(tmp_path, train):
    with pytest.raises(InputError, match=r"data=files: no training data; set data\.train=FILE"):
        load_splits(DataConfig(train=train), FATE)


@pytest.mark.parametrize("train", [5, {"a": 1}, [5]])
def test_source_of_a_wrong_type(tmp_path, train):
    with pytest.raises(InputError, match=r"data\.train=.*must be a path, a glob or a list of them"):
        load_splits(DataConfig(train=train), FATE)


def test_unset_root_names_the_variable():
    config = DataConfig(name="topic", train="topic/train.parquet", root="")
    with pytest.raises(InputError, match=r"CONFLICTNLP_DATA.* holds topic/ \(or data\.root="):
        load_splits(config, FATE)


def test_missing_file_below_the_root(tmp_path):
    config = DataConfig(name="topic", train="topic/train.parquet", root=str(tmp_path))
    with pytest.raises(InputError, match=rf"{tmp_path}/topic/train\.parquet: no such file"):
        load_splits(config, FATE)


def test_pair_of_task_and_data_that_does_not_fit_names_the_sets_that_do():
    config = DataConfig(name="topic", tasks={"topic": "label"}, train="sample:train")
    with pytest.raises(InputError) as raised:
        load_splits(config, load_task("momentum"))
    fitting = "battles, momentum, momentum_articles, sample, files"
    assert str(raised.value) == f"data=topic has no labels for task=momentum; sets that do: {fitting}"
