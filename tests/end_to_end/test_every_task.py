"""Every row of the task table trains on its real data, with both kinds of model; the reference article is read whole."""

import os
from pathlib import Path

import pytest

import conflictnlp

pytestmark = [
    pytest.mark.slow,
    pytest.mark.shared,
    pytest.mark.skipif(not os.environ.get("CONFLICTNLP_DATA"), reason="CONFLICTNLP_DATA names no real data"),
]

PAIRS = [
    ("topic", "topic"),
    ("event_type", "case21"),
    ("event_subtype", "case21"),
    ("plover", "plover"),
    ("plover_quad", "plover"),
    ("newsmtsc", "newsmtsc"),
    ("momentum", "momentum"),
    ("momentum", "battles"),
    ("relevance", "bbc_relevance"),
    ("satp", "satp"),
    ("india_police", "india_police"),
]
CONF = Path(conflictnlp.__file__).parents[1] / "conf" / "experiment"
EXPERIMENTS = sorted(path.relative_to(CONF).with_suffix("").as_posix() for path in CONF.rglob("*.yaml"))
QUICK = [
    "data.limit=300",
    "data.limit_test=60",
    "evaluation.bootstrap=20",
    "trainer.max_steps=6",
    "trainer.batch_size=8",
]


def article() -> str:
    return (Path(os.environ["CONFLICTNLP_DATA"]).parent / "articles" / "deir-ezzor.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("model", ["tfidf", "minilm"])
@pytest.mark.parametrize(("task", "data"), PAIRS)
def test_it_trains_and_its_bundle_loads(tmp_path, monkeypatch, task, data, model):
    monkeypatch.chdir(tmp_path)
    result = conflictnlp.train([f"task={task}", f"data={data}", f"model={model}", *QUICK])
    assert 0 <= result.metrics["test/macro_f1"] <= 1
    assert conflictnlp.load(result.bundle).task.name == task
    assert (result.bundle.parent / "figures" / "confusion_matrix.png").stat().st_size > 5000


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_runs_for_a_step(tmp_path, monkeypatch, experiment):
    monkeypatch.chdir(tmp_path)
    words = [f"experiment={experiment}", "model=minilm", "data.limit=60", "data.limit_test=30", "trainer.max_steps=1"]
    result = conflictnlp.train([*words, "evaluation.bootstrap=20", "evaluation.plots=false", "tagger.train=false"])
    # One that is in folds scores what they hold out, together.
    scores = [result.metrics[name] for name in ("test/macro_f1", "cv/macro_f1") if name in result.metrics]
    assert len(scores) == 1
    assert 0 <= scores[0] <= 1


@pytest.mark.timeout(900)
def test_the_actors_of_the_reference_article_are_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # The classifier is not what is tested here: hardly a step of it, but all of the portal's texts for the tagger.
    steps = ["trainer.epochs=0.01", "tagger.epochs=3", "data.limit_test=100"]
    texts = ["data.extra=[reports:agency]", "data.parties=[]", "data.no_actors=[momentum/no_actors.jsonl]"]
    result = conflictnlp.train(["task=momentum", "data=momentum", "model=minilm", *steps, *texts])
    (found,) = conflictnlp.load(result.bundle).find_actors([article()])
    names = [{party.name, *party.aliases} for party in found]
    assert any(own & {"IS", "Islamic State"} for own in names)
    assert any(own & {"government forces", "government troops"} for own in names)
    # Less than the whole data gives: a guard against a tagger that marks nothing, or everything.
    assert result.metrics["test/actor_spans_overlap_f1"] > 0.4


def test_topic_of_the_reference_article(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = conflictnlp.train(["task=topic", "data=topic", "model=tfidf", "data.limit=5000", "data.limit_test=200"])
    assert conflictnlp.load(result.bundle).predict(article()).label == "armed_conflict"


def test_the_reference_article_is_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = conflictnlp.train(["task=momentum", "data=momentum", "model=minilm", *QUICK])
    text = article()
    prediction = conflictnlp.load(result.bundle).predict(text, actor="IS")
    assert prediction.error is None
    assert prediction.evidence[0].text == "IS Fighters Make Stand in Deir Ezzor"
    assert prediction.evidence[-1].end > text.rindex("(IS)")
    assert all(text[piece.start : piece.end] == piece.text for piece in prediction.evidence)
    assert sum(piece.weight for piece in prediction.evidence) == pytest.approx(1)
