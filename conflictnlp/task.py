"""What is to be learnt: the kind of task, its ordered labels with their definitions, and the spans that are marked."""

from __future__ import annotations

from dataclasses import dataclass
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
        )
