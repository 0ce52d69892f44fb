from conflictnlp.commands.configurations import RunFacts, name_configurations
from conflictnlp.composition import compose

WORDS = ("task=topic", "model=tfidf", "data=sample")


def facts(name: str, *words: str, train: str = "aa") -> RunFacts:
    config, _ = compose([*WORDS, *words])
    return RunFacts(name, name, config, {"train": train, "test": "tt"})


def named(*runs: RunFacts) -> list[str]:
    names = name_configurations(runs)
    return [names[run.run_id] for run in runs]


def test_runs_that_differ_in_their_seed_are_one_configuration() -> None:
    assert named(*(facts(str(seed), f"seed={seed}") for seed in (1, 2, 3))) == ["tfidf-sample"] * 3


def test_a_validation_that_is_cut_with_the_seed_parts_no_runs() -> None:
    runs = [facts(str(seed), f"seed={seed}", f"data.split.seed={seed}", train=str(seed)) for seed in (1, 2, 3)]
    assert named(*runs) == ["tfidf-sample"] * 3


def test_a_split_seed_of_its_own_parts_runs() -> None:
    runs = [facts(f"{split}-{seed}", f"seed={seed}", f"data.split.seed={split}") for split in (7, 8) for seed in (1, 2)]
    assert named(*runs) == ["tfidf-sample (data.split.seed=7)"] * 2 + ["tfidf-sample (data.split.seed=8)"] * 2


def test_where_and_how_a_run_was_carried_out_is_no_difference() -> None:
    assert named(facts("a"), facts("b", "seed=2", "threads=1", "name=mine-s2")) == ["tfidf-sample"] * 2


def test_configurations_of_one_name_tell_what_differs() -> None:
    assert named(facts("a", "model.C=1"), facts("b", "model.C=5")) == [
        "tfidf-sample (model.C=1.0)",
        "tfidf-sample (model.C=5.0)",
    ]


def test_many_differences_are_cut_short() -> None:
    one = facts("a")
    other = facts("b", "model.C=5", "model.min_df=2", "model.word_ngrams=1", "model.char_ngrams=3")
    first, second = named(one, other)
    assert first != second
    assert second.startswith("tfidf-sample (") and ", … " in second


def test_changed_training_rows_are_another_configuration() -> None:
    assert named(facts("a", train="aa"), facts("b", train="bb")) == [
        "tfidf-sample (data.version=0)",
        "tfidf-sample (data.version=1)",
    ]


def test_another_model_bears_another_name() -> None:
    config, _ = compose(["task=topic", "model=minilm", "data=sample"])
    assert named(facts("a"), RunFacts("b", "b", config, {})) == ["tfidf-sample", "minilm-sample"]


def test_a_run_without_a_config_stands_for_itself() -> None:
    assert named(RunFacts("a" * 32, "x", None, {}), RunFacts("b" * 32, "y", None, {})) == ["x", "y"]
