"""The code that MLflow loads a logged bundle with (models from code: nothing is unpickled)."""

from __future__ import annotations

import sys
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel


class BundleModel(PythonModel):
    """A bundle behind MLflow's pyfunc interface."""

    def load_context(self, context: Any) -> None:
        """Load and verify the bundle among the model's artifacts."""
        from conflictnlp.inference import Model

        self.model = Model(context.artifacts["bundle"])

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Return prediction, probability, prob_<label> and error for each row.

        The parameter `abstain_below` leaves a prediction of lower probability empty.
        """
        from conflictnlp.errors import InputError

        # A corpus keeps such a row with its error; a request that breaks the signature is refused whole.
        if "text" in model_input and not all(isinstance(text, str) for text in model_input["text"].dropna()):
            raise InputError("the column text must hold strings, as the model's signature says")
        frame = self.model.predict_frame(model_input, (params or {}).get("abstain_below"))
        chances = [f"prob_{label}" for label in self.model.labels]
        words = ["error"] if self.model.task.is_multi else ["prediction", "error"]
        return with_nulls(frame[["prediction", "probability", *chances, "error"]], words)


def with_nulls(frame: pd.DataFrame, words: list[str]) -> pd.DataFrame:
    """Let what is missing reach its reader as such, from the scoring server and from Spark.

    The server writes NaN as it is, which is no JSON; None becomes null. For Spark MLflow turns what is missing among
    words into the words "None" or "nan"; there they are left empty.

    Args:
        frame: predictions.
        words: its columns of strings.

    Returns:
        a copy.
    """
    frame = frame.copy()
    for name in frame.columns[frame.isna().any()]:
        values = frame[name].astype(object)
        frame[name] = values.where(values.notna(), "" if name in words and _on_spark() else None)
    return frame


def _on_spark() -> bool:
    pyspark = sys.modules.get("pyspark")
    return pyspark is not None and pyspark.TaskContext.get() is not None


set_model(BundleModel())
