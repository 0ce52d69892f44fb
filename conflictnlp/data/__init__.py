"""Labelled data: read, checked and split."""

from conflictnlp.data.example import Example
from conflictnlp.data.load import Splits, load_splits
from conflictnlp.data.sources import read_rows

__all__ = ["Example", "Splits", "load_splits", "read_rows"]
