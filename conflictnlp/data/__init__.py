"""Labelled data: read, checked and split."""

from conflictnlp.data.example import Example
from conflictnlp.data.load import load_splits
from conflictnlp.data.sources import read_rows
from conflictnlp.data.splits import Splits

__all__ = ["Example", "Splits", "load_splits", "read_rows"]
