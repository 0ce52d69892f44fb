import pytest

from conflictnlp.commands.space import read_space, to_words
from conflictnlp.composition import compose, shipped
from conflictnlp.errors import InputError

optuna = pytest.importorskip("optuna")


def test_every_form_is_read():
    space = read_space(
        {
            "model.C": {"type": "float", "low": 0.1, "high": 10, "log": True},
            "model.min_df": {"low": 1, "high": 3},
            "trainer.loss": {"choices": ["focal", None]},
        },
        "tfidf",
    )
    assert space == {
        "model.C": optuna.distributions.FloatDistribution(0.1, 10.0, log=True),
        "model.min_df": optuna.distributions.IntDistribution(1, 3),
        "trainer.loss": optuna.distributions.CategoricalDistribution(["focal", None]),
    }


def test_a_section_counts_for_its_kind_alone():
    values = {"tfidf": {"model.C": {"low": 1, "high": 2}}, "transformer": {"trainer.warmup": {"low": 0.0, "high": 0.1}}}
    assert list(read_space(values, "tfidf")) == ["model.C"]
    assert list(read_space(values, "transformer")) == ["trainer.warmup"]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "names nothing to vary for a tfidf model"),
        ({"model.C": 3}, "search.space.model.C=3: must be {type"),
        ({"model.C": {"low": 1, "hihg": 2}}, "must be {type"),
        ({"model.C": {"type": "float", "low": 1}}, "no 'high'"),
        ({"model.C": {"type": "real", "low": 1, "high": 2}}, "type='real'"),
        ({"model.C": {"low": 3.0, "high": 1.0}}, "search.space.model.C: "),
        ({"model.C": {"type": "float", "low": 0.0, "high": 1.0, "log": True}}, "search.space.model.C: "),
        ({"model.C": {"choices": []}}, "choices stand alone and are at least one"),
        ({"tfidf": 3}, "search.space.tfidf: must map names"),
    ],
)
def test_a_fault_is_told_with_its_name(values, told):
    with pytest.raises(InputError) as raised:
        read_space(values, "tfidf")
    assert told in str(raised.value)


@pytest.mark.parametrize("name", shipped("search"))
@pytest.mark.parametrize("model", ["tfidf", "minilm"])
def test_the_ends_of_every_shipped_space_compose(name, model):
    config, _ = compose([f"search={name}", f"model={model}"])
    if name == "momentum" and model == "tfidf":
        pytest.skip("for encoders")
    for key, found in read_space(config.search.space, config.model.kind).items():
        ends = found.choices if hasattr(found, "choices") else (found.low, found.high)
        for value in ends:
            compose([f"model={model}", *to_words({key: value})])


def test_words_are_hydras():
    assert to_words({"model.C": 0.5, "trainer.class_weights": None, "trainer.loss": "focal"}) == [
        "model.C=0.5",
        "trainer.class_weights=null",
        'trainer.loss="focal"',
    ]
