"""The code that MLflow loads a logged bundle with (models from code: nothing is unpickled)."""

from __future__ import annotations

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
        """Return prediction, probability, prob_<label> and error for each row."""
        frame = self.model.predict_frame(model_input)
        chances = [f"prob_{label}" for label in self.model.labels]
        return frame[["prediction", "probability", *chances, "error"]]


set_model(BundleModel())
