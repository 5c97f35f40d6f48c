# Needs make and Python 3.11 or later, nothing else: everything is installed into .venv by the first target that needs it, which takes
# minutes and up to 6 GB (torch for GPUs; torch's own site has the line for a build for processors alone, to run in .venv first).
#   make test             all that CI runs: format, lint, types, tests
#   make demo [DATA=DIR]  the main job as a user would do it; DIR: a folder per class, or the Fashion-MNIST idx files
.DEFAULT_GOAL := help
.PHONY: help setup test lint format docs demo faults walk slow bench tables versus clean

SYSTEM = $(shell for python in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	$$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& command -v $$python && break; done)
PYTHON := .venv/bin/python
PEER := 0.6.0

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## */\1\t/' | expand -t 10

MINUTES = @echo "installing evergrow with torch into .venv: some minutes, up to 6 GB"

.venv/made:
	@test -n "$(SYSTEM)" || { echo "evergrow needs Python 3.11 or later with venv; none was found on PATH." >&2; exit 1; }
	$(SYSTEM) -m venv .venv
	@touch $@

.venv/user: pyproject.toml | .venv/made
	$(MINUTES)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/dev: pyproject.toml | .venv/made
	$(MINUTES)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch .venv/user $@

setup: .venv/dev  ## install evergrow and the tools to work on it into .venv

test: lint  ## everything CI runs
	$(PYTHON) -m pytest -q

lint: .venv/dev  ## format, lint and types, without changing a file
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy

format: .venv/dev  ## put every file in order
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

docs: .venv/dev  ## write docs/cli.md from the command line's own help
	$(PYTHON) docs/generate.py

demo: .venv/user  ## the main job, as a user would do it; DATA=DIR for your own images
	$(PYTHON) -m evergrow demo $(if $(DATA),--data "$(DATA)")

faults: .venv/dev  ## attack it: kills, failing calls, threads, 10,000 mutated manifests and inputs (half an hour)
	rm -f benchmarks/results/faults.json
	EVERGROW_FIGURES=benchmarks/results/faults.json EVERGROW_FAULTS=200 EVERGROW_MANIFESTS=10000 \
		EVERGROW_INPUTS=10000 $(PYTHON) -m pytest -q tests/faults tests/model/test_threads.py
	$(PYTHON) -m tests.faults.figures benchmarks/results/faults.json

walk: .venv/made  ## install the wheel alone in an empty environment and walk the README there (minutes, 6 GB)
	rm -rf build/walk
	$(PYTHON) -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir build/walk .
	$(SYSTEM) -m venv build/walk/venv
	build/walk/venv/bin/python -m pip install --quiet --disable-pip-version-check build/walk/*.whl
	build/walk/venv/bin/python scripts/walk_readme.py README.md

slow: .venv/dev  ## the tests that take long
	$(PYTHON) -m pytest -q -m slow

bench: .venv/dev  ## the benchmarks there are; `make bench-digits` runs one
	@ls benchmarks/*.py | sed -E '/(bare|beside|common|embedded|peer|tables|versus)\.py/d; s|benchmarks/(.*).py|make bench-\1|'

bench-%: .venv/dev
	$(PYTHON) benchmarks/$*.py

tables: .venv/dev  ## make the tables of README and docs, and the figure, of benchmarks/results
	$(PYTHON) benchmarks/tables.py

.venv-versus/made: pyproject.toml | .venv/made
	$(PYTHON) -m venv .venv-versus
	.venv-versus/bin/python -m pip install --quiet --disable-pip-version-check --editable . 'avalanche-lib==$(PEER)'
	@touch $@

versus: .venv-versus/made  ## side by side with avalanche-lib, in a venv of its own; ARGS=--quick for a short form
	.venv-versus/bin/python benchmarks/versus.py $(ARGS)

clean:  ## everything that was made here
	rm -rf .venv .venv-versus .pytest_cache .mypy_cache .ruff_cache .hypothesis demo dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
