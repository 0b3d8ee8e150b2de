# The only door: `make` lists what there is. Needs Python 3.11 or newer and make; the rest is installed into .venv.

PYTHON ?= python3
UV ?= uv
BIN := .venv/bin
VENV := .venv/pyvenv.cfg
LOCKED := .venv/locked
READY := .venv/ready
INSTALL := -m pip --disable-pip-version-check -qq install --no-compile
BENCH_READY := .venv-bench/ready
WORKERS ?= auto
SIZE ?= 100M
ROUNDS ?= 5
MINUTES ?= 10
LOCK := $(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --custom-compile-command "make lock"

# Modules are compiled once, and not again whenever a test starts the program.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test lint format imports types unit fix lock sample bench fuzz clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' Makefile

demo: $(READY) ## count the example goals on the sample events
	$(BIN)/microfunnel run sample_data/events.csv --goals goals.example.yaml

test: ## check lint, format, layers and types, and run the tests; all of them, even when one fails
	@$(MAKE) --no-print-directory --jobs=2 $(READY) $(BENCH_READY)
	@failed=0; \
	$(MAKE) --no-print-directory --keep-going --jobs=2 types lint format imports || failed=1; \
	$(MAKE) --no-print-directory unit || failed=1; \
	exit $$failed

lint: $(READY)
	$(BIN)/ruff check

format: $(READY)
	$(BIN)/ruff format --check

imports: $(READY)
	$(BIN)/lint-imports

types: $(READY)
	$(BIN)/mypy

# What measures time comes last, when nothing else runs.
unit: $(READY) $(BENCH_READY)
	@failed=0; \
	$(BIN)/python -m pytest --numprocesses=$(WORKERS) --dist=worksteal -m "not alone" || failed=1; \
	$(BIN)/python -m pytest -m alone || failed=1; \
	exit $$failed

fix: $(READY) ## format the code and mend what ruff can mend
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

lock: ## resolve the newest versions into the lock files (needs uv)
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: python3 -m pip install uv" >&2; exit 1; }
	$(LOCK) pyproject.toml --output-file requirements.lock
	$(LOCK) pyproject.toml --constraints requirements.lock --group dev --output-file requirements-dev.lock
	$(LOCK) --group bench --output-file requirements-bench.lock

sample: $(READY) ## make the sample events again
	$(BIN)/python sample_data/make_sample.py

bench: $(READY) $(BENCH_READY) ## measure beside ClickHouse and DuckDB; takes half an hour (or SIZE=20M, ONLY=chdb,bare)
	$(BIN)/python benchmarks/bench.py --size $(SIZE) --only "$(ONLY)" --rounds $(ROUNDS)

fuzz: $(READY) ## feed broken files to the program, for MINUTES=10; SEED=... breaks them in the same way again
	MINUTES=$(MINUTES) SEED=$(SEED) $(BIN)/python tests/fuzz/fuzzing.py

clean: ## remove everything that make has made
	rm -rf .venv .venv-bench benchmarks/data build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find benchmarks microfunnel sample_data tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Made anew when the lock changes, so that what runs is exactly what the lock says.
$(VENV): requirements-dev.lock
	@command -v $(PYTHON) >/dev/null || { \
		echo "microfunnel needs Python 3.11 or newer; there is no $(PYTHON)." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "microfunnel needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)." >&2; \
		echo "Name another one, for example: make PYTHON=python3.12 test" >&2; exit 1; }
	@echo "Installing into .venv (once; a minute or so) ..." >&2
	@$(PYTHON) -m venv --clear .venv

# Most modules are never imported; those that are get compiled then.
$(LOCKED): $(VENV)
	@$(BIN)/python $(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $(LOCKED)

$(READY): $(LOCKED) pyproject.toml
	@$(BIN)/python $(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $(READY)

# The rivals have an environment of their own: microfunnel must not need what they bring.
$(BENCH_READY): requirements-bench.lock | $(VENV)
	@echo "Installing the benchmark's rivals into .venv-bench (once; 1 GB) ..." >&2
	@$(PYTHON) -m venv --clear .venv-bench
	@.venv-bench/bin/python $(INSTALL) --require-hashes -r requirements-bench.lock
	@touch $(BENCH_READY)
