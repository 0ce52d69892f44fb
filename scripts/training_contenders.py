"""Train one contender of `benchmark_training.py` in this process and print what it took, as one line of JSON."""

from __future__ import annotations

import json
import math
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmark_inference import peak_mib

PRODUCT, PRODUCTS = 1024, 40


def measure(kind: str, file: str, threads: int, words: Sequence[str] = ()) -> dict[str, Any]:
    """Train one contender in this process.

    Returns:
        seconds of training, examples and tokens read in them, macro_f1 of the test, peak_mib; or what is missing.
    """
    # SetFit imports the package `evaluate`, not the script of that name which lies beside this one.
    sys.path[:] = [place for place in sys.path if Path(place).resolve() != Path(__file__).resolve().parent]
    given = json.loads(Path(file).read_text())
    if kind == "own":
        # It limits its threads itself, and tfidf loads no torch.
        return own(given, words, Path(file).parent)
    import torch

    torch.set_num_threads(threads)
    kinds: dict[str, Callable[..., dict[str, Any]]] = {"machine": machine, "trainer": trainer, "setfit": setfit}
    return kinds[kind](given)


def own(given: dict[str, Any], words: Sequence[str], folder: Path) -> dict[str, Any]:
    import conflictnlp
    from conflictnlp.bundle import read_manifest

    with tempfile.TemporaryDirectory(dir=folder) as name:
        places = [f"hydra.run.dir={name}/run", f"tracking.uri=sqlite:///{folder / 'mlflow.db'}"]
        result = conflictnlp.train([*given["words"], *words, *places])
        assert read_manifest(result.bundle).training["fingerprints"] == given["fingerprints"]
    passes, tokens = (given["epochs"], given["tokens"]) if "model=minilm" in words else (1, 0)
    return {
        "seconds": result.metrics["fit_seconds"],
        "examples": len(given["train"]["text"]) * passes,
        "tokens": tokens * passes,
        "macro_f1": result.metrics["test/macro_f1"],
        "peak_mib": peak_mib(),
    }


def trainer(given: dict[str, Any]) -> dict[str, Any]:
    import torch
    from datasets import Dataset
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        DataCollatorWithPadding,
        Trainer,
        TrainingArguments,
        set_seed,
    )

    set_seed(given["seed"])
    tokenizer = AutoTokenizer.from_pretrained(given["encoder"])
    model = AutoModelForSequenceClassification.from_pretrained(
        given["encoder"], num_labels=len(given["labels"]), dtype=torch.float32
    )
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            num_train_epochs=given["epochs"],
            learning_rate=given["learning_rate"],
            per_device_train_batch_size=given["batch_size"],
            seed=given["seed"],
            use_cpu=True,
        )
        started = time.perf_counter()
        rows = {
            name: Dataset.from_dict(given[name]).map(
                lambda batch: tokenizer(batch["text"], **given["reading"]), batched=True
            )
            for name in ("train", "test")
        }
        fitted = Trainer(
            model=model,
            args=arguments,
            train_dataset=rows["train"],
            data_collator=DataCollatorWithPadding(tokenizer),
        )
        fitted.train()
        seconds = time.perf_counter() - started
        probabilities = torch.tensor(fitted.predict(rows["test"]).predictions).double().softmax(dim=1).numpy()
    return {
        "seconds": seconds,
        "examples": len(given["train"]["text"]) * given["epochs"],
        "tokens": given["tokens"] * given["epochs"],
        "peak_mib": peak_mib(),
        "macro_f1": macro_f1(given, probabilities),
    }


def setfit(given: dict[str, Any]) -> dict[str, Any]:
    try:
        from setfit import SetFitModel, Trainer, TrainingArguments
    except ImportError as error:
        return {"missing": f"not installed ({error})"}
    import numpy as np
    from datasets import Dataset

    model = SetFitModel.from_pretrained(given["encoder"], device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(output_dir=folder, seed=given["seed"], report_to="none")
        arguments.max_steps = math.ceil(given["pairs"] / arguments.embedding_batch_size)
        started = time.perf_counter()
        fitted = Trainer(model=model, args=arguments, train_dataset=Dataset.from_dict(given["train"]))
        fitted.train()
        seconds = time.perf_counter() - started
    texts = 2 * fitted.st_trainer.state.global_step * arguments.embedding_batch_size
    probabilities = np.zeros((len(given["test"]["text"]), len(given["labels"])))
    probabilities[:, model.model_head.classes_] = model.predict_proba(given["test"]["text"], as_numpy=True)
    return {
        "seconds": seconds,
        "examples": texts,
        "tokens": texts * given["tokens"] / len(given["train"]["text"]),
        "peak_mib": peak_mib(),
        "macro_f1": macro_f1(given, probabilities),
    }


def macro_f1(given: dict[str, Any], probabilities: Any) -> float:
    import numpy as np

    from conflictnlp.evaluation.metrics import Outcome, score

    gold, texts = np.array(given["test"]["label"]), given["test"]["text"]
    return score(Outcome(given["labels"], gold, probabilities.argmax(axis=1), probabilities, texts))["macro_f1"]


def machine(given: dict[str, Any]) -> dict[str, Any]:
    """Return the most floating-point operations a second of a matrix product, and the encoder's layers' parameters."""
    import torch
    from transformers import AutoModel

    left, right = torch.rand(PRODUCT, PRODUCT), torch.rand(PRODUCT, PRODUCT)
    seconds = []
    for _ in range(PRODUCTS):
        started = time.perf_counter()
        torch.mm(left, right)
        seconds.append(time.perf_counter() - started)
    named = AutoModel.from_pretrained(given["encoder"]).named_parameters()
    layers = sum(own.numel() for name, own in named if "embeddings" not in name and "pooler" not in name)
    return {"operations": 2 * PRODUCT**3 / min(seconds), "parameters": layers}


if __name__ == "__main__":
    print(json.dumps(measure(**json.loads(sys.argv[1]))))
