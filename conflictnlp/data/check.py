"""What can be wrong with labelled data, found before it falsifies a result."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from conflictnlp.data.example import Example
from conflictnlp.data.near_duplicates import near_duplicates, normalise
from conflictnlp.task import Task
from conflictnlp.text import find_mentions

# Faults falsify a result unless the rows go; notes are for the researcher to know.
FAULTS = {
    "empty_text": "empty text",
    "wordless_text": "text without a word",
    "actor_not_in_text": "marked actor does not stand in the text",
    "wrong_offsets": "offsets do not hold the marked words",
    "conflicting_labels": "the same text (and actors) with different labels",
}
NOTES = {
    "long_text": "over-long text (read in windows)",
    "encoding": "sign of a wrong encoding",
    "loose_offsets": "offsets hold the marked words but for blanks, signs or case",
    "duplicate": "repeated text with the same label",
    "near_duplicate": "nearly the same text as another of its split",
}
LEAKS = {
    "leak": "text stands in a later split too",
    "near_leak": "nearly the same text stands in a later split",
    "group_leak": "group stands in a later split too",
}
# Of rows beside the data's own.
LATE = {"late": "not dated before data.extra_before"}
OTHER_LABELS = "with other labels there"
_MOJIBAKE = re.compile("\ufffd|Ã[\x80-\xbf©¨¼¶¤±³]|â€|Â[\xa0£»«]|ï»¿|aEUR|[\x00-\x08\x0b\x0c\x0e-\x1f]")
_WORD = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Finding:
    """One row and what is wrong with it."""

    kind: str
    split: str
    index: int
    where: str
    detail: str


@dataclass
class DataReport:
    """What the checks found, per split, and what was dropped because of it.

    Attributes:
        rows: examples per split as read.
        labels: count of each label per split, in declared order.
        findings: every fault, note and leak.
        dropped: rows left out, by split and kind.
        shared: how many texts stand in two splits, and how many rows of each split bear one of them.
    """

    rows: dict[str, int] = field(default_factory=dict)
    labels: dict[str, dict[str, int]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    dropped: dict[str, dict[str, int]] = field(default_factory=dict)
    shared: dict[str, int] = field(default_factory=dict)

    def of(self, kinds: Iterable[str]) -> list[Finding]:
        """Return the findings of some kinds."""
        wanted = set(kinds)
        return [finding for finding in self.findings if finding.kind in wanted]

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many rows of each split show each kind of finding."""
        table: dict[str, Counter[str]] = defaultdict(Counter)
        for finding in self.findings:
            table[finding.kind][finding.split] += 1
        return {kind: dict(table[kind]) for kind in (*FAULTS, *NOTES, *LEAKS) if kind in table}

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, with the first 20 rows of each kind."""
        examples = {kind: [f"{f.where}: {f.detail}" for f in self.of([kind])[:20]] for kind in self.counts()}
        return {
            "rows": self.rows,
            "labels": self.labels,
            "counts": self.counts(),
            "dropped": self.dropped,
            "shared": self.shared,
            "examples": examples,
        }

    def to_text(self) -> str:
        """Return the report as lines for a terminal."""
        splits = list(self.rows)
        lines = ["rows: " + ", ".join(f"{split} {count}" for split, count in self.rows.items())]
        for split in splits:
            total = max(1, self.rows[split])
            shares = ", ".join(f"{label} {n} ({n / total:.0%})" for label, n in self.labels[split].items())
            lines.append(f"labels in {split}: {shares}")
        titles = {**FAULTS, **NOTES, **LEAKS, **LATE}
        for kind, table in self.counts().items():
            level = "fault" if kind in FAULTS else "leak" if kind in LEAKS else "note"
            lines.append(f"{level}: {titles[kind]}: " + ", ".join(f"{split} {n}" for split, n in table.items()))
            lines.extend(f"    {f.where}: {f.detail}" for f in self.of([kind])[:3])
        if self.shared:
            rows = ", ".join(f"{name} {n}" for name, n in self.shared.items() if name != "texts")
            lines.append(f"texts in two splits: {self.shared['texts']} (rows: {rows})")
        for split, kinds in self.dropped.items():
            lines.append(f"dropped from {split}: " + ", ".join(f"{titles[k]} {n}" for k, n in kinds.items()))
        if not self.findings:
            lines.append("no faults found")
        return "\n".join(lines)


def check_split(split: str, examples: Sequence[Example], task: Task, long_words: int) -> list[Finding]:
    """Check the rows of one split, each by itself and for repeats.

    Args:
        split: its name.
        examples: its rows.
        task: tells the spans.
        long_words: a text of more words is noted.

    Returns:
        findings in row order within each kind.
    """
    findings: list[Finding] = []
    for index, example in enumerate(examples):
        findings.extend(
            Finding(kind, split, index, example.where, detail)
            for kind, detail in _row_findings(example, task, long_words)
        )
    findings.extend(_repeats(split, examples))
    return findings


def check_near_duplicates(splits: Mapping[str, Sequence[Example]], threshold: float) -> list[Finding]:
    """Find texts that stand, exactly or nearly, twice within a split or in two splits.

    A pair across splits is reported for the earlier one (train before validation before test), the one that
    `on_leak=drop_train` takes the row from.

    Args:
        splits: examples by split, in the order train, validation, test.
        threshold: Jaccard similarity from which two texts are nearly the same.

    Returns:
        findings of the kinds near_duplicate, leak and near_leak.
    """
    places = _places(splits)
    order = {split: rank for rank, split in enumerate(splits)}
    findings: dict[tuple[str, str, int], Finding] = {}

    def add(kind: str, split: str, index: int, other: Example) -> None:
        example = splits[split][index]
        detail = f"see {other.where}: {other.text[:60]!r}"
        if kind == "leak" and example.labels != other.labels and _marks(example) == _marks(other):
            detail += f", {OTHER_LABELS}: {'+'.join(other.labels or ()) or '(none)'}"
        findings.setdefault((kind, split, index), Finding(kind, split, index, example.where, detail))

    for found in places.values():
        latest = max((split for split, _ in found), key=lambda split: order[split])
        others = [splits[latest][index] for split, index in found if split == latest]
        by_marks = {_marks(other): other for other in reversed(others)}
        for split, index in found:
            if split != latest:
                add("leak", split, index, by_marks.get(_marks(splits[split][index]), others[0]))
    texts = list(places)
    for first, second in near_duplicates(texts, threshold):
        mine, theirs = places[texts[first]], places[texts[second]]
        for one, other in ((mine, theirs), (theirs, mine)):
            last = max(other, key=lambda place: order[place[0]])
            for split, index in one:
                if order[split] < order[last[0]]:
                    if ("leak", split, index) not in findings:
                        add("near_leak", split, index, splits[last[0]][last[1]])
                elif any(place[0] == split for place in other) and one is theirs:
                    near = next(place for place in other if place[0] == split)
                    add("near_duplicate", split, index, splits[near[0]][near[1]])
    return sorted(findings.values(), key=lambda f: (order[f.split], f.index))


def check_groups(splits: Mapping[str, Sequence[Example]]) -> list[Finding]:
    """Find rows whose group stands in a later split as well.

    Args:
        splits: examples by split, in the order train, validation, test.

    Returns:
        findings of the kind group_leak.
    """
    order = list(splits)
    last = {example.group: (split, example) for split in order for example in splits[split] if example.group}
    return [
        Finding(
            "group_leak", split, index, example.where, f"group {example.group!r}, see {last[example.group][1].where}"
        )
        for split in order
        for index, example in enumerate(splits[split])
        if example.group and last[example.group][0] != split
    ]


def shared_texts(splits: Mapping[str, Sequence[Example]]) -> dict[str, int]:
    """Count the texts that stand in two splits or more.

    Args:
        splits: examples by split.

    Returns:
        their number as `texts`, and under each split's name its rows that bear one; empty if there is none.
    """
    shared = [found for found in _places(splits).values() if len({split for split, _ in found}) > 1]
    rows = Counter(split for found in shared for split, _ in found)
    return {"texts": len(shared), **{split: rows[split] for split in splits}} if shared else {}


def _places(splits: Mapping[str, Sequence[Example]]) -> dict[str, list[tuple[str, int]]]:
    places: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for split, examples in splits.items():
        for index, example in enumerate(examples):
            # Texts without a word have nothing to tell them apart: all count as one.
            if example.text.strip():
                places[normalise(example.text)].append((split, index))
    return places


def label_counts(examples: Sequence[Example], task: Task) -> dict[str, int]:
    """Count each declared label, in declared order, zero included."""
    counts = Counter(label for example in examples for label in example.labels or ())
    return {label: counts[label] for label in task.label_names}


def _row_findings(example: Example, task: Task, long_words: int) -> Iterable[tuple[str, str]]:
    text = example.text
    if not text.strip():
        yield "empty_text", "the text is empty"
        return
    if not _WORD.search(text):
        yield "wordless_text", f"no word in {text[:40]!r}"
    words = text.count(" ") + 1
    if words > long_words:
        yield "long_text", f"about {words} words"
    if broken := _MOJIBAKE.search(text):
        around = text[max(0, broken.start() - 10) : broken.end() + 10]
        yield "encoding", f"{around!r}"
    for role, span in example.spans:
        if span.start is not None and span.end is not None:
            held = text[span.start : span.end] if 0 <= span.start < span.end <= len(text) else ""
            detail = f"{role} {span.words!r}: characters {span.start} to {span.end} hold {held[:40]!r}"
            if normalise(held) not in {normalise(name) for name in span.names} or not held:
                yield "wrong_offsets", detail
            elif held not in span.names:
                yield "loose_offsets", detail
        elif not find_mentions(f"{example.title}\n{text}", span.names):
            yield "actor_not_in_text", f"{role} {span.words!r} is not in {text[:40]!r}"


def _marks(example: Example) -> tuple[str, ...]:
    """Return what the row asks of its text: the actors, and where it knows them, their places."""
    return tuple(f"{role}:{normalise(''.join(span.names[:1]))}@{span.start}" for role, span in example.spans)


def _repeats(split: str, examples: Sequence[Example]) -> list[Finding]:
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, example in enumerate(examples):
        if text := normalise(example.text):
            groups[(text, *_marks(example))].append(index)
    findings: list[Finding] = []
    for indexes in groups.values():
        if len(indexes) < 2:
            continue
        labels = {examples[index].labels for index in indexes}
        if len(labels) > 1:
            told = ", ".join(sorted("+".join(label or ()) or "(none)" for label in labels))
            findings.extend(
                Finding("conflicting_labels", split, i, examples[i].where, f"labels {told}") for i in indexes
            )
        else:
            first = examples[indexes[0]].where
            findings.extend(Finding("duplicate", split, i, examples[i].where, f"see {first}") for i in indexes[1:])
    return findings
