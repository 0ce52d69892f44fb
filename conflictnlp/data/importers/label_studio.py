"""Label Studio's JSON export of texts: choices, and marked words.

Source: https://labelstud.io/guide/task_format (`docs/source/guide/export.md`, "Label Studio JSON format of annotated
tasks", and `docs/source/tags/{text,choices,labels}.md` at https://github.com/HumanSignal/label-studio). A choice for
one region (`perRegion`) bears the region's id. JSON_MIN is refused: it does not tell codes from data.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conflictnlp.data.importers.annotations import CARRIED, Coded, Marked, carried, locate, rows_of
from conflictnlp.data.importers.documents import read_objects
from conflictnlp.data.importers.record import Fault, Format, Imported, Note, Options
from conflictnlp.data.read import Row
from conflictnlp.errors import InputError

_READ = ("choices", "labels")


def read(path: Path, options: Options) -> Iterator[Imported]:
    """Read tasks with their annotations; predictions and skipped annotations are not read.

    Args:
        path: the export.
        options: `text_field`, the field of the data that holds the text; `control`, the tag whose codes are the
            labels; `multi`.

    Yields:
        rows as `annotations.rows_of` makes them.

    Raises:
        InputError: the file cannot be read or is of another format, or an option is needed.
    """
    tasks = list(read_objects(path))
    for task in tasks[:1]:
        if not isinstance(task.values.get("data"), dict) or not isinstance(task.values.get("annotations"), list):
            raise InputError(
                f"{task.where}: no 'data' and 'annotations'; export as JSON from Label Studio (not as JSON_MIN or CSV)"
            )
    found = [control for task in tasks for control in _controls(task)]
    kinds = {name: kind for name, kind in found if kind in _READ}
    _check_control(path, kinds, options.control)
    texts: list[Coded | Fault | Note] = []
    for task in tasks:
        data, annotations = task.values.get("data"), task.values.get("annotations")
        if not isinstance(data, dict) or not isinstance(annotations, list):
            texts.append(Fault(task.where, "no 'data' and 'annotations'"))
            continue
        name = options.text_field or _text_field(data, task.where)
        if not isinstance(data.get(name), str):
            texts.append(Fault(task.where, f"the field {name!r} of the data holds no text"))
        else:
            known = {"id": str(task.values.get("id", "")), **carried(data), "text": data[name]}
            texts.append(_settled(task, known, annotations, _left_out(kinds, options.control)))
    texts += [Note(f"results of type {kind}, not read") for _, kind in found if kind not in _READ]
    yield from rows_of(texts, path, options)


def _check_control(path: Path, kinds: dict[str, str], control: str | None) -> None:
    choices = sorted(name for name, kind in kinds.items() if kind == "choices")
    if control is None and len(choices) > 1:
        raise InputError(f"{path}: choices of several kinds ({', '.join(choices)}); name the labels' with --control")
    if control is not None and control not in kinds:
        raise InputError(f"{path}: no codes of {control!r} (--control); there are some of {', '.join(sorted(kinds))}")


def _left_out(kinds: dict[str, str], control: str | None) -> frozenset[str]:
    """Return the tags whose codes are of no account once the labels' is named."""
    if control is None:
        return frozenset()
    # Marked words are actors whatever they are marked as, if a choice is the label.
    kept = {name for name, kind in kinds.items() if kind == "labels"} if kinds[control] == "choices" else set()
    return frozenset(kinds) - kept - {control}


def _text_field(data: dict[str, Any], where: str) -> str:
    fields = [name for name, value in data.items() if isinstance(value, str) and name not in CARRIED]
    if "text" in fields:
        return "text"
    if len(fields) != 1:
        raise InputError(f"{where}: which field of the data is the text ({', '.join(data)})? name it with --text-field")
    return fields[0]


def _results(annotation: Any) -> list[dict[str, Any]]:
    """Return an annotation's results; none of a skipped one."""
    if not isinstance(annotation, dict) or annotation.get("was_cancelled"):
        return []
    return [result for result in annotation.get("result") or [] if isinstance(result, dict)]


def _controls(task: Row) -> Iterator[tuple[str, str]]:
    """Yield the tag and the type of each result."""
    annotations = task.values.get("annotations")
    for annotation in annotations if isinstance(annotations, list) else []:
        for result in _results(annotation):
            yield str(result.get("from_name")), str(result.get("type"))


def _settled(
    task: Row, known: dict[str, Any], annotations: list[Any], left_out: frozenset[str]
) -> Coded | Fault | Note:
    """Return the one coding that a task's annotations agree on, or that is marked as ground truth."""
    kept = [one for one in annotations if isinstance(one, dict) and not one.get("was_cancelled")]
    kept = [one for one in kept if one.get("ground_truth")] or kept
    if not kept:
        return Note("tasks without an annotation (or skipped), left out")
    codings = [_coded(task.where, known, one, left_out) for one in kept]
    if fault := next((coding for coding in codings if isinstance(coding, Fault)), None):
        return fault
    if any(coding != codings[0] for coding in codings):
        return Fault(task.where, f"its {len(kept)} annotations differ; settle them, or mark one as ground truth")
    return codings[0]


def _coded(where: str, known: dict[str, Any], annotation: dict[str, Any], left_out: frozenset[str]) -> Coded | Fault:
    chosen: dict[str, tuple[str, ...]] = {}
    whole: tuple[str, ...] = ()
    regions: dict[str, tuple[int, int, tuple[str, ...]]] = {}
    for number, result in enumerate(_results(annotation)):
        value, kind = result.get("value"), str(result.get("type"))
        if kind not in _READ or str(result.get("from_name")) in left_out:
            continue
        names = value.get(kind) if isinstance(value, dict) else None
        if not isinstance(value, dict) or not isinstance(names, list) or not all(isinstance(n, str) for n in names):
            return Fault(where, f"the {kind} {names!r} are no list of names (nested choices are not read)")
        region = str(result.get("id", number))
        if kind == "labels":
            place = locate(known["text"], value.get("start"), value.get("end"), value.get("text"))
            if isinstance(place, str):
                return Fault(where, place)
            regions[region] = (*place, tuple(names))
        elif "start" in value:
            chosen[region] = tuple(names)
        else:
            whole = tuple(names)
    spans = [Marked(start, end, names, chosen.get(region, ())) for region, (start, end, names) in regions.items()]
    return Coded(where, known, whole, tuple(sorted(spans, key=lambda span: (span.start, span.end, span.labels))))


FORMAT = Format(
    "label-studio",
    "Label Studio's JSON: choices become labels, marked words actors",
    read,
    frozenset({"multi", "text_field", "control"}),
)
