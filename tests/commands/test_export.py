from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import ModelCard
from transformers import AutoModelForSequenceClassification, pipeline

from conflictnlp.bundle import add_to_bundle, read_manifest, save_bundle, seal
from conflictnlp.data.lineage import read_learnt, text_hashes, write_learnt
from conflictnlp.export import parity
from conflictnlp.inference import Model
from conflictnlp.models import TransformerClassifier

TEXT = "On Monday IS advanced on Ostra."


@pytest.fixture
def source(tmp_path, encoder_bundle) -> Path:
    """The encoder bundle as a training leaves it: with scores and a card."""
    folder = shutil.copytree(encoder_bundle, tmp_path / "source")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["training"] = {"data": "sample", "base_model": "sentence-transformers/all-MiniLM-L6-v2"}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    add_to_bundle(
        folder,
        {"metrics": {"test/macro_f1": 0.5, "test/accuracy": 0.75}},
        "---\nlibrary_name: transformers\n---\n\n# Card\n",
    )
    return folder


@pytest.fixture
def rows(tmp_path) -> str:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"text": f"{TEXT} {n} died.", "actor": "IS"}) + "\n" for n in range(5)))
    return str(path)


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.lstrip(".").startswith(("new", "tmp-new")))


def test_an_exported_bundle_answers_as_its_source(run, source, rows):
    said = run("export", str(source), "--output", "new", "--check", rows)
    assert (said.status, said.out) == (0, f"bundle: {Path('new').absolute()}\n")
    assert {path.name for path in Path("new").iterdir()} == {
        "manifest.json",
        "model.onnx",
        "tokenizer.json",
        "metrics.json",
        "README.md",
    }
    expected, found = (Model(folder).predict_proba([TEXT], actor="IS") for folder in (source, "new"))
    assert np.abs(expected - found).max() < 1e-5


@pytest.mark.parametrize("format", ["onnx", "hub"])
def test_what_it_has_seen_goes_along(run, source, rows, format):
    manifest = read_manifest(source)
    write_learnt(source, text_hashes([TEXT]))
    for name in ("metrics.json", "README.md"):
        (source / name).unlink()
    seal(source, manifest)
    check = ["--check", rows] if format == "onnx" else []
    assert run("export", str(source), "--output", "new", "--format", format, *check).status == 0
    assert read_learnt(Path("new"), read_manifest(Path("new")).files) == text_hashes([TEXT])


def test_the_check_is_told_in_manifest_and_card(run, source, rows):
    run("export", str(source), "--output", "new", "--check", rows)
    export = read_manifest(Path("new")).export
    assert export["bundle"] == read_manifest(source).fingerprint
    assert (export["parity"]["data"], export["parity"]["rows"], export["parity"]["equal_labels"]) == (
        "rows.jsonl",
        5,
        1,
    )
    assert Path("new/README.md").read_text().startswith("---\nlibrary_name: onnx\n---\n\n# Card\n")
    assert "Compared with it on 5 rows of rows.jsonl: 100.00% equal labels" in Path("new/README.md").read_text()


def test_predict_takes_an_exported_bundle(run, source, rows):
    run("export", str(source), "--output", "new", "--check", rows)
    said = run("predict", "new", rows)
    assert said.status == 0
    assert len(said.out.splitlines()) == 5


@pytest.mark.parametrize(("words", "name"), [([], "CLOSEST"), (["--quantize", "int8"], "EQUAL")])
def test_a_model_that_answers_otherwise_is_refused_and_leaves_nothing(run, source, rows, monkeypatch, words, name):
    monkeypatch.setattr(parity, name, {"CLOSEST": 0.0, "EQUAL": 1.1}[name])
    said = run("export", str(source), "--output", "new", "--check", rows, *words)
    assert said.status == 2
    compared = "1000 rows of rows.jsonl and 995 of the embedded sample" if words else "5 rows of rows.jsonl"
    assert compared in said.err and "nothing was written" in said.err
    assert left(Path.cwd()) == []


@pytest.mark.parametrize(("words", "name"), [([], "CLOSEST"), (["--quantize", "int8"], "SHARED_MENTIONS")])
def test_a_tagger_that_finds_otherwise_is_refused(run, tagger_bundle, rows, monkeypatch, words, name):
    monkeypatch.setattr(parity.Parity, "refusal", lambda *_: None)
    monkeypatch.setattr(parity, name, {"CLOSEST": 0.0, "SHARED_MENTIONS": 1.1}[name])
    said = run("export", str(tagger_bundle), "--output", "new", "--check", rows, *words)
    assert said.status == 2
    assert "tagger" in said.err and " texts: " in said.err and "nothing was written" in said.err
    assert left(Path.cwd()) == []


def test_a_tfidf_model_is_refused(run, actor_bundle):
    said = run("export", str(actor_bundle), "--output", "new")
    assert "a tfidf model has no encoder to export" in said.refusal
    assert left(Path.cwd()) == []


def test_an_exported_bundle_is_not_exported_again(run, onnx_bundle):
    assert "is an exported bundle already" in run("export", str(onnx_bundle), "--output", "new").refusal


def test_a_folder_that_is_not_empty_is_left_alone(run, source):
    Path("new").mkdir()
    Path("new/mine.txt").write_text("mine")
    assert "--output new: is there already" in run("export", str(source), "--output", "new").refusal
    assert Path("new/mine.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--format", "hub", "--quantize", "int8"], "--quantize goes with --format onnx"),
        (["--format", "hub", "--check", "sample"], "--check goes with --format onnx"),
        (["--license", "mit"], "--license goes with --format hub"),
        (["--format", "hub", "--license", "mit\ntags: [x]"], "is no licence's identifier; give one such as apache-2.0"),
        (["--format", "hub", "--license", "my own"], "is no licence's identifier"),
        (["--format", "gguf"], "invalid choice: 'gguf'"),
        (["--check", "none.csv"], "no such file"),
        (["--check", "topic"], "data=topic has no labels for task=momentum"),
    ],
)
def test_options_that_do_not_fit(run, source, words, told):
    assert told in run("export", str(source), "--output", "new", *words).refusal
    assert left(Path.cwd()) == []


def test_a_hub_folder_opens_with_transformers_and_its_label_names(run, source):
    assert run("export", str(source), "--output", "new", "--format", "hub").status == 0
    model = AutoModelForSequenceClassification.from_pretrained("new")
    assert model.config.id2label == {0: "none", 1: "losing", 2: "gaining"}
    answer = pipeline("text-classification", model="new")(TEXT, top_k=None)
    assert {item["label"] for item in answer} == {"none", "losing", "gaining"}
    assert Model(Path("new")).predict(TEXT, actor="IS") == Model(source).predict(TEXT, actor="IS")


def test_a_hub_folders_card_tells_licence_data_and_scores(run, source):
    run("export", str(source), "--output", "new", "--format", "hub", "--license", "Apache-2.0")
    card = ModelCard.load("new/README.md")
    assert card.data.license == "apache-2.0"
    assert card.data.datasets == ["sample"]
    assert card.data.tags == ["conflictnlp", "armed-conflict", "momentum"]
    assert [(r.metric_type, r.metric_value, r.dataset_split) for r in card.data.eval_results] == [
        ("f1", 0.5, "test"),
        ("accuracy", 0.75, "test"),
    ]
    assert card.text.lstrip().startswith("# Card")


@pytest.fixture
def mean(tmp_path, tiny_encoder, topic_task) -> Path:
    """A bundle whose head reads the mean of all tokens."""
    settings = {"encoder": str(tiny_encoder), "precision": "float32", "device": "cpu", "max_length": 32}
    estimator = TransformerClassifier(**settings, labels=topic_task.label_names, pooling="mean", max_steps=1)
    save_bundle(tmp_path / "mean", estimator.fit(["IS took it.", "IS signed."], ["war", "deal"]), topic_task, 1.0)
    return tmp_path / "mean"


def test_a_mean_of_all_tokens_is_exported_too(run, mean):
    assert run("export", str(mean), "--output", "new", "--check", "sample").status == 0
    assert Model(Path("new")).predict(TEXT).label == Model(mean).predict(TEXT).label


def test_a_hub_folders_card_tells_what_transformers_alone_does_otherwise(run, source, mean):
    for folder, told in ((source, None), (mean, "trained on the mean of all tokens")):
        run("export", str(folder), "--output", f"new-{folder.name}", "--format", "hub")
        card = Path(f"new-{folder.name}/README.md").read_text()
        assert ("trained on the mean" in card) == (told is not None)
        assert told is None or told in card


def test_a_licence_that_is_not_given_is_not_invented(run, source):
    run("export", str(source), "--output", "new", "--format", "hub")
    assert ModelCard.load("new/README.md").data.license == "other"
