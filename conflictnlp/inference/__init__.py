"""From a bundle and texts to predictions; the one road that evaluation, commands and Python share."""

from conflictnlp.inference.model import Model
from conflictnlp.inference.prediction import Evidence, Prediction

__all__ = ["Evidence", "Model", "Prediction"]
