"""Training with a tagger: it is fitted beside the classifier, kept in the bundle and scored from there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conflictnlp.commands.fit_tagger import gather_texts, score_tagger
from conflictnlp.composition import compose
from conflictnlp.data.example import Example, Span
from conflictnlp.data.lineage import read_learnt, text_hashes
from conflictnlp.data.splits import Splits
from conflictnlp.inference import Model
from tests.commands.conftest import Run, answers

SMALL = ("data.limit=24", "data.limit_test=12", "trainer.max_steps=1", "trainer.batch_size=8", "device=cpu")
PLAIN = ("evaluation.plots=false", "evaluation.bootstrap=20")


@pytest.fixture
def words(tiny_encoder: Path) -> tuple[str, ...]:
    encoder = (f"model.encoder={tiny_encoder}", "model.name=tiny", "model.max_length=64", "model.split_length=32")
    return ("task=momentum", "model=encoder", *encoder, *SMALL, *PLAIN)


def asked(text: str, *actors: str) -> list[Example]:
    return [Example("row", name, text, ("none",), (("actor", Span(name)),)) for name in actors]


class TestScore:
    """Found mentions against the marked ones of the test split."""

    def scores(self, bundle: Path, *rows: Example) -> dict[str, float]:
        model = Model(bundle, device="cpu")
        return score_tagger(model.tagger, list(rows), model.task, "test")

    def test_all_found(self, finding_bundle: Path) -> None:
        rows = [*asked("IS met the Syrian army.", "IS", "Syrian army"), *asked("FARC fled.", "FARC")]
        assert self.scores(finding_bundle, *rows) == {
            f"test/{name}_{score}": 1.0
            for name in ("actor_spans", "actor_spans_overlap")
            for score in ("f1", "precision", "recall")
        }

    def test_a_shorter_mention_counts_with_overlap_alone(self, finding_bundle: Path) -> None:
        scores = self.scores(finding_bundle, *asked("IS met the Velm Syrian army.", "IS", "Velm Syrian army"))
        assert scores["test/actor_spans_f1"] == 0.5
        assert scores["test/actor_spans_overlap_f1"] == 1.0

    def test_what_is_not_marked_is_wrong(self, finding_bundle: Path) -> None:
        scores = self.scores(finding_bundle, *asked("IS met FARC.", "IS"))
        assert (scores["test/actor_spans_precision"], scores["test/actor_spans_recall"]) == (0.5, 1.0)


@pytest.mark.parametrize(
    "overrides",
    [("task=momentum", "tagger.train=false"), ("task=momentum", "model=tfidf"), ("task=topic",)],
    ids=lambda words: words[-1],
)
def test_it_is_fitted_where_it_has_a_use_alone(overrides: tuple[str, ...]) -> None:
    config, _ = compose(overrides)
    assert gather_texts(config, config.to_task(), Splits()) is None


def test_a_training_with_further_rows_and_a_tagger(run: Run, words: tuple[str, ...], tmp_path: Path) -> None:
    rows = [
        {"text": "Rebels took the bridge at Velm.", "actor": "Rebels", "prob_gaining": 0.7, "prob_losing": 0.1}
        | {"prob_stalemate": 0.1, "prob_none": 0.1},
        {"text": "The army left the ridge at Karth.", "actor": "army", "prob_gaining": 0.1, "prob_losing": 0.8}
        | {"prob_stalemate": 0.0, "prob_none": 0.1},
    ]
    (tmp_path / "taught.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    nobody = [{"text": "Rain fell on Velm."}]
    (tmp_path / "nobody.jsonl").write_text(json.dumps(nobody[0]) + "\n")
    said = run("train", *words, "data.extra=[taught.jsonl,none.jsonl?]", "data.no_actors=[nobody.jsonl]")
    assert said.status == 0, said.err
    assert "data.extra: none.jsonl is not there; training goes on without it" in said.err
    assert "fitting the tagger of actors on" in said.err
    bundle = Path(said.out.splitlines()[1].removeprefix("bundle: "))
    model = Model(bundle, device="cpu")
    assert model.finds_actors
    facts = model.manifest.training["tagger"]
    assert facts["texts"]["with armed actors"] > 0
    metrics = json.loads((bundle / "metrics.json").read_text())["metrics"]
    for split in ("val", "test"):
        assert 0 <= metrics[f"{split}/actor_spans_f1"] <= metrics[f"{split}/actor_spans_overlap_f1"] <= 1
    report = json.loads((bundle.parent / "data_report.json").read_text())
    assert report["rows"]["extra"] == 2
    assert set(model.manifest.training["fingerprints"]) == {"train", "validation", "test", "extra"}

    seen = read_learnt(bundle, model.manifest.files)
    assert seen is not None
    assert text_hashes(row["text"] for row in (*rows, *nobody)) <= seen

    # The bundle is applied at once, by the road that users take.
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "Rebels took the bridge.", "actor": "Rebels"}) + "\n")
    assert answers(run("predict", str(bundle), "a.jsonl", "--device", "cpu").out)[0]["error"] is None


def test_a_further_row_of_a_forbidden_year_ends_the_command(run: Run, words: tuple[str, ...], tmp_path: Path) -> None:
    row = {"text": "Rebels took Velm.", "actor": "Rebels", "label": "gaining"}
    for date, told in (("2016-03-01", "date 2016-03-01"), (None, "date missing")):
        (tmp_path / "late.jsonl").write_text(json.dumps({**row, "date": date}) + "\n")
        refusal = run("train", *words, "data.extra=[late.jsonl]", "data.extra_before='2016-01-01'").refusal
        assert f"late.jsonl:1: {told}: data=sample takes only further rows from before 2016-01-01" in refusal


def test_keeping_leaks_with_further_rows_ends_the_command(run: Run, words: tuple[str, ...]) -> None:
    refusal = run("train", *words, "data.extra=[reports:all]", "data.on_leak=keep").refusal
    assert "drop data.on_leak=keep or set data.extra=[]" in refusal


@pytest.mark.parametrize("key", ["no_actors", "parties"])
def test_a_missing_source_ends_the_command_before_anything_is_trained(
    run: Run, words: tuple[str, ...], key: str
) -> None:
    assert "none.jsonl: no such file" in run("train", *words, f"data.{key}=[none.jsonl]").refusal
