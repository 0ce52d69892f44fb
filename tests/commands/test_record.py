from conflictnlp.commands.record import scored_note, settings_in
from tests.commands.conftest import QUICK, Trained


def test_settings_are_what_no_other_tag_says() -> None:
    words = [
        "task=topic",
        "model=tfidf",
        "model.C=10",
        "seed=2",
        "+hydra.job.env_set.A=b",
        "tracking.uri=x",
        "data.limit=9",
    ]
    assert settings_in(words) == "model.C=10 data.limit=9"


def test_scores_stand_before_the_description() -> None:
    metrics = {"val/macro_f1": 0.5, "test/macro_f1": 0.75, "test/macro_f1_low": 0.7, "test/macro_f1_high": 0.8}
    told = "test macro-F1 **0.750** [0.700, 0.800], validation macro-F1 **0.500**\n\nA note."
    assert scored_note("A note.", metrics) == told


def test_a_run_and_its_experiment_are_described(trained: Trained) -> None:
    run = trained.client.get_run(trained.run_id)
    note = run.data.tags["mlflow.note.content"]
    assert note.startswith(f"test macro-F1 **{run.data.metrics['test/macro_f1']:.3f}** [")
    for words in ("**Data** `sample`: The embedded sample", "| train | 60 | armed_conflict ", "| armed_conflict | "):
        assert words in note
    assert run.data.tags["settings"] == " ".join(QUICK[1:])
    about = trained.client.get_experiment(run.info.experiment_id).tags["mlflow.note.content"]
    assert "| armed_conflict | " in about and "`test/macro_f1` is the score to report" in about
