# The project's commands. `make help` lists them; README.md tells what each is for.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash

PYTHON ?= $(shell command -v python3.11 || command -v python3)
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
LOCK := PIP_FIND_LINKS= $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras \
	--no-header --no-emit-index-url --no-emit-trusted-host --no-emit-find-links

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

run: $(VENV)/installed-run ## Start the demo hospital on http://127.0.0.1:8080
	$(BIN)/clinledger demo

setup: $(VENV)/installed-dev ## Create .venv with everything that development needs

test: $(VENV)/installed-dev ## Run every test but the long ones, on real PostgreSQL
	$(BIN)/pytest -q -n $(JOBS) -m "not long"

test-long: $(VENV)/installed-dev ## Run the tests that take minutes: kills, loads, many patients
	$(BIN)/pytest -q -n $(JOBS) -m long --timeout 1800

check: format lint types imports unit ## Check format, lint, types, import rules; run the unit tests

format: $(VENV)/installed-dev ## Check that every file is formatted (ruff format . does it)
	$(BIN)/ruff format --check .

lint: $(VENV)/installed-dev ## Check the style rules
	$(BIN)/ruff check .

types: $(VENV)/installed-dev ## Check the types, strictly
	$(BIN)/pyright

imports: $(VENV)/installed-dev ## Check who may import whom
	$(BIN)/lint-imports

unit: $(VENV)/installed-dev ## Run the tests that need no database
	$(BIN)/pytest -q -n $(JOBS) -m "not long" tests/unit tests/project

bench: $(VENV)/installed-dev ## Measure everything against its baselines; SIZE=10m KEEP=FOLDER for the long run
	$(BIN)/python -m tests.benchmarks

lock: $(VENV)/installed-dev ## Resolve the dependencies of pyproject.toml anew, with hashes
	$(LOCK) --extra build --output-file requirements.txt pyproject.toml
	$(LOCK) --extra build --extra dev --constraint requirements.txt \
		--output-file requirements-dev.txt pyproject.toml

clean: ## Remove caches and .venv; ledgers stay (.clinledger)
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage htmlcov
	rm -rf build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One environment serves both: the development set contains the other one.
$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11, 1) and "Python 3.11.1 or later is needed")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed-run: requirements.txt pyproject.toml | $(VENV)/bin/python
	$(PIP) install --quiet --require-hashes --no-deps --requirement requirements.txt
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed-run
	$(PIP) install --quiet --require-hashes --no-deps --requirement requirements-dev.txt
	touch $@

.PHONY: help run setup test test-long check format lint types imports unit bench lock clean
