"""What is to be learnt: the kind of task, its ordered labels with their definitions, and the spans that are marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from conflictnlp.errors import InputError

Kind = Literal["single", "multi"]

# YAML reads these bare words as booleans; a label spelt so would arrive as another string than its author wrote.
_BOOLEAN_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null", "~"})
_SPANS = frozenset({"actor", "source", "target"})


@dataclass(frozen=True)
class Label:
    """One class of a task and its line in the codebook."""

    name: str
    definition: str


@dataclass(frozen=True)
class Task:
    """A classification task: labels stand in their declared order everywhere.

    Attributes:
        name: the task's name, also its MLflow experiment and registered model.
        kind: "single" (one label per example) or "multi" (any number, none included).
        labels: the classes in order.
        spans: roles marked in the text: (), ("actor",) or ("source", "target").
        optional_spans: roles that an example may lack.
        background: the label of a text that says nothing of the question ("none" of momentum), if there is one.
        names_matter: whether the label may depend on an actor's name; if not, models are trained not to look at it.
        finds_actors: whether models of the task find the actors by themselves where nobody names them.
        description: one line for the model card.
        coarser: codings that follow from the labels, by their task's name: the labels of each of its classes.
    """

    name: str
    kind: Kind
    labels: tuple[Label, ...]
    spans: tuple[str, ...] = ()
    optional_spans: tuple[str, ...] = ()
    background: str | None = None
    names_matter: bool = True
    finds_actors: bool = False
    description: str = ""
    coarser: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in ("single", "multi"):
            raise InputError(f"task.kind={self.kind!r}: must be 'single' or 'multi'")
        for name in self.label_names:
            if name.lower() in _BOOLEAN_WORDS or not name.strip():
                raise InputError(
                    f"task.labels: {name!r} is spelt like a boolean or empty word; YAML changes bare yes/no/on/off, "
                    "so choose another name for the label (for instance 'no_event')"
                )
        if len(set(self.label_names)) != len(self.labels):
            raise InputError(f"task.labels: a label stands twice in {list(self.label_names)}")
        if self.kind == "single" and len(self.labels) < 2:
            raise InputError(f"task.labels: a single-label task needs two labels or more, got {list(self.label_names)}")
        if not self.labels:
            raise InputError("task.labels: no label is declared; use a task file of conf/task or set task.labels")
        if self.background is not None and self.background not in self.label_names:
            raise InputError(f"task.background={self.background!r}: not among the labels {list(self.label_names)}")
        unknown = set(self.spans) - _SPANS
        if unknown:
            raise InputError(f"task.spans: {sorted(unknown)} unknown; roles are {sorted(_SPANS)}")
        if self.finds_actors and self.spans != ("actor",):
            raise InputError(f"task.finds_actors: task {self.name} does not read a text for one actor")
        for coding, classes in self.coarser.items():
            told = [label for labels in classes.values() for label in labels]
            if self.is_multi or sorted(told) != sorted(self.label_names):
                raise InputError(
                    f"task.coarser.{coding}: must put each label of a single-label task into one class, "
                    f"and has {', '.join(told)}; the labels are {', '.join(self.label_names)}"
                )

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels' names in their declared order."""
        return tuple(label.name for label in self.labels)

    @property
    def is_multi(self) -> bool:
        """Whether an example may bear several labels or none."""
        return self.kind == "multi"

    @property
    def codebook(self) -> str:
        """The labels and their definitions as a Markdown table."""
        rows = [f"| {label.name} | {label.definition} |" for label in self.labels]
        return "\n".join(["| label | definition |", "|---|---|", *rows])

    def codes(self, label: str) -> dict[str, str]:
        """Return a label with those that follow from it, by the name of the task."""
        return {self.name: label} | {
            coding: next(name for name, labels in classes.items() if label in labels)
            for coding, classes in self.coarser.items()
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the task as plain JSON values, as bundles store it."""
        return {
            "name": self.name,
            "kind": self.kind,
            "labels": [{"name": label.name, "definition": label.definition} for label in self.labels],
            "spans": list(self.spans),
            "optional_spans": list(self.optional_spans),
            "background": self.background,
            "names_matter": self.names_matter,
            "finds_actors": self.finds_actors,
            "description": self.description,
            "coarser": {name: {k: list(v) for k, v in classes.items()} for name, classes in self.coarser.items()},
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Task:
        """Build a task from `to_dict`'s values or from a task config's."""
        return cls(
            name=str(values["name"]),
            kind=values["kind"],
            labels=tuple(Label(str(label["name"]), str(label["definition"])) for label in values["labels"]),
            spans=tuple(values.get("spans") or ()),
            optional_spans=tuple(values.get("optional_spans") or ()),
            background=values.get("background"),
            names_matter=bool(values.get("names_matter", True)),
            finds_actors=bool(values.get("finds_actors", False)),
            description=str(values.get("description") or ""),
            coarser=values.get("coarser") or {},
        )
