"""The configs that ship with conflictnlp: groups of YAML files, found by Hydra under this package's name."""
