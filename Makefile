# `make demo` and `make test` do all the set-up on a machine with Python 3.11 or newer, pip and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test test-slow test-browser lint docs constraints clean

demo: $(INSTALLED)  ## train on the embedded sample and code a long article of its test split
	$(BIN)/python scripts/demo.py

test: $(INSTALLED)  ## the quick tests, under 6 minutes on two cores
	OMP_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false $(BIN)/python -m pytest -n 2 -m "not slow and not browser"

test-slow: $(VENV)/.spark  ## the tests that take minutes; those of Spark need Java too
	$(BIN)/python -m pytest -m slow --timeout=900

test-browser: $(INSTALLED)  ## the MLflow UI in headless Chromium, where there is one
	$(BIN)/python -m pytest -m browser

lint: $(VENV)/.dev  ## style, types, docstrings, import order of the rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pydoclint conflictnlp
	$(BIN)/lint-imports

docs: $(VENV)/.docs  ## the documentation site in site/, warnings as errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

$(INSTALLED): pyproject.toml constraints.txt
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt setuptools wheel
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[offline,test]"
	touch $@

$(VENV)/.dev: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

$(VENV)/.docs: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[docs]"
	touch $@

# Spark is 400 MB, which `make test` does without.
$(VENV)/.spark: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[spark]"
	touch $@

constraints: $(VENV)/.dev $(VENV)/.docs $(VENV)/.spark  ## pin what this environment holds
	$(BIN)/python scripts/write_constraints.py > constraints.tmp && mv constraints.tmp constraints.txt

clean:
	rm -rf $(VENV) demo build dist site *.egg-info
