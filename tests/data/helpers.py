"""Tasks, examples and files that the tests of the data share."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

from conflictnlp.config import DataConfig
from conflictnlp.data.example import Example, Span
from conflictnlp.data.load import load_splits
from conflictnlp.task import Label, Task

WORDS = ["harbour", "convoy", "bridge", "mortar", "truce", "valley", "garrison", "river", "depot", "ridge", "ferry"]


def make_task(*labels: str, kind: str = "single", spans: tuple[str, ...] = (), optional: tuple[str, ...] = ()) -> Task:
    return Task("course", kind, tuple(Label(name, "") for name in labels), spans, optional)  # type: ignore[arg-type]


FATE = make_task("gain", "loss")
MARKED = make_task("gain", "loss", spans=("actor",))
KINDS = make_task("a", "b", "c", kind="multi")


def stated_number(card: str, pattern: str) -> int:
    """A number that a data card states."""
    found = re.search(pattern, card.replace("\n", " "))
    assert found is not None, pattern
    return int(found[1].replace(",", ""))


def sentence(number: int) -> str:
    """A text of ten words that shares no three words in a row with another number's."""
    return " ".join(f"{WORDS[(number + step * step) % len(WORDS)]}{number}" for step in range(10))


def example(number: int, *labels: str, text: str | None = None, actor: Span | None = None, **fields: str) -> Example:
    return Example(
        where=f"data.csv:{number}",
        id=str(number),
        text=sentence(number) if text is None else text,
        labels=labels or ("gain",),
        spans=(("actor", actor),) if actor else (),
        **fields,
    )


def write(path: Path, content: str | bytes) -> Path:
    data = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data) if path.name.lower().endswith(".gz") else data)
    return path


def write_rows(path: Path, rows: list[dict]) -> Path:
    return write(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def labelled(numbers, label: str = "gain", **fields) -> list[dict]:
    return [{"text": sentence(number), "label": label, **fields} for number in numbers]


def load(tmp_path: Path, task: Task = FATE, strict: bool = True, **splits):
    """Write each split given as rows, pass everything else to the config, and load."""
    for name in ("train", "validation", "test"):
        if isinstance(splits.get(name), list):
            splits[name] = str(write_rows(tmp_path / f"{name}.jsonl", splits[name]))
    return load_splits(DataConfig(**splits), task, strict=strict)
