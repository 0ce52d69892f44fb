"""Trained bundles in other forms: an ONNX graph for a faster runtime, and a folder for a model hub."""
