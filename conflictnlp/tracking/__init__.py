"""Everything that touches MLflow: the store, runs, logged models, and what users call them by."""
