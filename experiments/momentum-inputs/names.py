"""Does a label depend on names? Every mention replaced, by invented names or by the opponent's."""

from __future__ import annotations

import random
from collections import defaultdict

import numpy as np
from sklearn.metrics import f1_score

from conflictnlp.composition import compose, load_task
from conflictnlp.data import Example
from conflictnlp.data.load import read_split
from conflictnlp.models import TransformerClassifier
from conflictnlp.task import Task
from conflictnlp.text import Passage, find_mentions, rename

DRAWS = 5
# No training has met these: what `invent_name` makes up is what training's renamed copies bear.
NAMES = (
    "Karvel Front", "Army of the Tissan Valley", "Ombrian forces", "Second Lantar Brigade", "Movement for a Free Isk",
    "Dunmar militia", "Ostrel National Guard", "Sons of the Bright River", "Velkan troops", "Hadur Liberation Army",
    "Council of Pell fighters", "Northern Mirra Alliance", "Quorin gendarmerie", "Red Banner of Eskar", "Talvian army",
    "Jebrin rebels", "Defenders of Cael", "Rastan People's Corps", "Uldine separatists", "Ninth Korath Division",
)  # fmt: skip
ISIL = ("isil", "isis", "islamic state", "daesh")


def macro_f1(gold: list, found: list, labels: list | None = None) -> float:
    return float(f1_score(gold, found, average="macro", labels=labels or sorted(set(gold)), zero_division=0))


def read_momentum() -> tuple[Task, list[Example], list[Example]]:
    """Return the task, train and dev."""
    task = load_task("momentum")
    data = compose(["task=momentum", "data=momentum"])[0].data
    return task, read_split(data, task, "train"), read_split(data, task, "test")


def by_names(
    model: TransformerClassifier, fitted: list[Example], held: list[Example], found: list[str], task: Task
) -> dict[str, float]:
    """Return what a model's labels on held-out rows owe to the names in them: by parts of the rows, and replaced."""
    known = {name.casefold() for row in fitted for name in dict(row.spans)["actor"].names}
    return _parts(held, found, known) | _dependence(model, held, found, task)


def _parts(examples: list[Example], found: list[str], known: set[str]) -> dict[str, float]:
    """Return macro-F1 without the texts that name ISIL, and for actors whose name training has shown or not."""
    kept = {
        "without ISIL": [not any(word in row.text.casefold() for word in ISIL) for row in examples],
        "seen actors": [dict(row.spans)["actor"].names[0].casefold() in known for row in examples],
    }
    kept["unseen actors"] = [not seen for seen in kept["seen actors"]]
    result: dict[str, float] = {}
    for name, own in kept.items():
        held = [(row.label, label) for row, label, keep in zip(examples, found, own, strict=True) if keep]
        result[name] = macro_f1([one for one, _ in held], [other for _, other in held])
        result[f"{name}: rows"] = len(held)
    return result


def _dependence(
    model: TransformerClassifier, examples: list[Example], before: list[str], task: Task
) -> dict[str, float]:
    """Return label flips and macro-F1 before and after: mean over draws of invented names, and names exchanged."""
    passages = [example.passage(task) for example in examples]
    gold = [str(example.label) for example in examples]
    flips, after = [], []
    for draw in range(DRAWS):
        generator = random.Random(draw)
        renamed = list(model.predict([rename(passage, 0, generator.choice(NAMES)) for passage in passages]))
        flips.append(np.mean([one != other for one, other in zip(before, renamed, strict=True)]))
        after.append(macro_f1(gold, renamed))
    result = {
        "invented: flips": float(np.mean(flips)),
        "invented: macro-F1 before": macro_f1(gold, before),
        "invented: macro-F1 after": float(np.mean(after)),
    }
    pairs = list(_exchanged(examples, task))
    held = [index for index, _ in pairs]
    changed = list(model.predict([passage for _, passage in pairs]))
    result |= {
        "exchanged: pairs": len(held),
        "exchanged: flips": float(np.mean([before[i] != label for i, label in zip(held, changed, strict=True)])),
        "exchanged: macro-F1 before": macro_f1([gold[i] for i in held], [before[i] for i in held]),
        "exchanged: macro-F1 after": macro_f1([gold[i] for i in held], changed),
    }
    return result


def _exchanged(examples: list[Example], task: Task):
    """Yield (row, passage) of texts with two coded actors, their names exchanged and the row's actor still marked."""
    by_text = defaultdict(list)
    for index, example in enumerate(examples):
        by_text[example.text].append(index)
    for rows in by_text.values():
        if len(rows) != 2:
            continue
        words = [dict(examples[row].spans)["actor"].names[0] for row in rows]
        spans = [find_mentions(examples[rows[0]].text, [name]) for name in words]
        if not all(spans) or any(a < d and c < b for a, b in spans[0] for c, d in spans[1]):
            continue
        for place, row in enumerate(rows):
            # Both roles in one passage, so that renaming one moves the other's offsets.
            both = Passage(examples[row].text, (tuple(spans[place]), tuple(spans[1 - place])))
            both = rename(rename(both, 0, words[1 - place]), 1, words[place])
            yield row, Passage(both.text, both.spans[:1])
