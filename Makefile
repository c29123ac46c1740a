# Commands of the project. Each makes .venv, installs what it needs there the first time, and nothing after that.
#
#   make demo     a network learns to read digits        make bench   measure (BENCH_ARGS='--help' lists options)
#   make test     the tests                              make docs    write docs/names.md and docs/functions.md
#   make lint     style, types and the table of names    make clean   remove .venv, caches and what demos wrote

PYTHON ?= python3
BENCH_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
# What is installed is stale once the project's metadata is newer.
INSTALLED_FOR := pyproject.toml
# Tests of functions, which run on the NumPy engine first; tests/engines has the compiler's own.
COMPILED := tests/functions tests/control tests/graph tests/keras
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help demo test lint bench docs clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | head -5

demo: $(VENV)/installed-demo
	@$(BIN)/tapeflow run examples/digits.py

test: $(VENV)/installed-test
	@$(BIN)/python -m pytest -q -n 2
	@echo "what runs in functions a second time, compiled"
	@TAPEFLOW_ENGINE=llvm $(BIN)/python -m pytest -q -n 2 $(COMPILED)

lint: $(VENV)/installed-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python docs/generate.py --check

# bytecode first: some environments write none, and the time to import would be the time to compile
bench: $(VENV)/installed-demo
	@$(BIN)/python -m compileall -q tapeflow
	@$(BIN)/python -m bench $(BENCH_ARGS)
	@$(BIN)/python -m bench.tracing

docs: $(VENV)/installed-demo
	@$(BIN)/python docs/generate.py

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis bench/results examples/*.png
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@echo "making $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV)

# One rule for every extra: demo, test, dev.
$(VENV)/installed-%: $(INSTALLED_FOR) | $(BIN)/python
	@echo "installing tapeflow[$*] into $(VENV)"
	@$(PIP) install --editable '.[$*]'
	@$(BIN)/python -m compileall -q tapeflow
	@touch $@
