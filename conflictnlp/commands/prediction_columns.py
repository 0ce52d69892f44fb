"""The columns of predict's Parquet output and their types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from conflictnlp.config import ColumnsConfig
from conflictnlp.errors import InputError
from conflictnlp.inference.arguments import is_missing
from conflictnlp.inference.model import Model
from conflictnlp.inference.records import output_columns

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH = 1024


class ColumnTypes:
    """The types that the input's columns have over all rows, held in constant memory.

    Args:
        model: its output columns have types of their own, whatever the input holds.
        columns: names of the input's columns; texts are texts, whatever a faulty row holds.
        given: the types of the input's columns where its format tells them; they are kept.
    """

    def __init__(self, model: Model, columns: ColumnsConfig, given: pa.Schema | None = None) -> None:
        import pyarrow as pa

        kept = {field.name: field.type for field in given or ()}
        self._id = kept.get("id", pa.string())
        self._fixed = {columns.text: pa.string(), columns.title: pa.string()} | kept | prediction_types(model)
        self._schema = pa.schema([])
        self._batch: list[Mapping[str, Any]] = []

    def add(self, values: Mapping[str, Any]) -> None:
        """Look at a row.

        Args:
            values: its fields by column.

        Raises:
            InputError: a column holds values that no one type holds.
        """
        if is_missing(values.get("id")):
            # Its place, a text, becomes its id.
            self._id = self._fixed["id"]
        self._batch.append(values)
        if len(self._batch) == _BATCH:
            self._unify()

    def schema(self, names: list[str]) -> pa.Schema:
        """Return the output's schema.

        Args:
            names: the input's columns, then the prediction's, in the order of the output.

        Returns:
            a type for each; a column of unknown type without any value is text.

        Raises:
            InputError: as `add`.
        """
        import pyarrow as pa

        self._unify()
        types = {field.name: pa.string() if pa.types.is_null(field.type) else field.type for field in self._schema}
        types |= self._fixed | {"id": self._id}
        return pa.schema([(name, types[name]) for name in names])

    def _unify(self) -> None:
        import pyarrow as pa

        names = dict.fromkeys(name for values in self._batch for name in values if name not in self._fixed)
        with type_faults_told():
            own = pa.schema([(name, pa.array([values.get(name) for values in self._batch]).type) for name in names])
            self._schema = pa.unify_schemas([self._schema, own], promote_options="permissive")
        self._batch = []


@contextmanager
def type_faults_told() -> Iterator[None]:
    """Tell what Parquet cannot hold as an InputError."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError) as error:
        raise InputError(
            f"the input's columns change their type on the way ({error}); write .jsonl instead of .parquet"
        ) from error


def chances_type() -> pa.DataType:
    """Return the type of probabilities by label."""
    import pyarrow as pa

    return pa.map_(pa.string(), pa.float64())


def evidence_type() -> pa.DataType:
    """Return the type of a prediction's evidence."""
    import pyarrow as pa

    fields = [("start", pa.int64()), ("end", pa.int64()), ("text", pa.string())]
    return pa.list_(pa.struct([*fields, ("probabilities", chances_type()), ("weight", pa.float64())]))


def prediction_types(model: Model) -> dict[str, Any]:
    """Return the types of the columns that a prediction adds.

    Args:
        model: tells the columns.

    Returns:
        Arrow types by name.
    """
    import pyarrow as pa

    types = {name: pa.string() for name in output_columns(model)}
    types |= {"start": pa.int64(), "end": pa.int64(), "probability": pa.float64(), "evidence": evidence_type()}
    types |= {f"prob_{label}": pa.float64() for label in model.labels}
    if model.task.is_multi:
        types["prediction"] = pa.list_(pa.string())
    return types
