# foedus: `make report` rebuilds the replication report, `make test` runs every check.
# Both set up .venv from nothing; Python 3.11+ and make are all they ask for.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
DATA ?= auto
JOBS ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
RESULTS ?= results
PROFILE ?= local
OFFLINE ?=
SNAKEFLAGS ?=
PYTEST ?= -n 2

# The same bytes on every machine: one thread a process (the DAG runs jobs side by side), no
# random hashing, no clock, no locale, no settings of the user's own. Explained in docs/reproducing.md.
export OPENBLAS_NUM_THREADS := 1
export OMP_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export NUMBA_NUM_THREADS := 1
export POLARS_MAX_THREADS := 1
export FOEDUS_THREADS := 1
export PYTHONHASHSEED := 0
export PYTHONNOUSERSITE := 1
export SOURCE_DATE_EPOCH := 315532800
export LC_ALL := C.UTF-8
export TZ := UTC
export MPLBACKEND := Agg
export MPLCONFIGDIR := $(CURDIR)/.venv/matplotlib
unexport PYTHONPATH
unexport PYTHONHOME

BIN := $(CURDIR)/.venv/bin
RUN := env PATH="$(BIN):$$PATH" "$(BIN)/python" -m
FOEDUS := $(RUN) foedus
offline := $(if $(OFFLINE),--offline)

.PHONY: help setup report test docs bench clean distclean lock baseline format

help: ## what can be made (this list)
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18
	@echo "  settings: DATA=auto|real|simulated  JOBS=n  RESULTS=folder  OFFLINE=1  PROFILE=local|slurm|kubernetes"

setup: ## make .venv from requirements.lock, when it isn't up to date
	@command -v "$(PYTHON)" >/dev/null || { echo "set-up: error: there is no $(PYTHON) here. Install Python 3.11 or newer, or say where it is: make PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" workflow/set_up.py

report: setup ## raw files to results/ and the report, redoing only what has changed
	@$(FOEDUS) choose-data "$(DATA)" --data "$(RESULTS)" $(offline)
	@"$(BIN)/python" workflow/run_dag.py --profile "config/profiles/$(PROFILE)" --cores "$(JOBS)" \
	  --config results="$(RESULTS)" --rerun-incomplete $(SNAKEFLAGS)
	@$(FOEDUS) choose-data --end --data "$(RESULTS)"

test: setup ## every check: style, types, layers, tests
	@echo "== ruff check";   $(RUN) ruff check .
	@echo "== ruff format";  $(RUN) ruff format --check .
	@echo "== snakefmt";     $(RUN) snakefmt --check Snakefile workflow
	@echo "== mypy";         $(RUN) mypy
	@echo "== lint-imports"; "$(BIN)/python" "$(BIN)/lint-imports"
	@echo "== pytest";       $(RUN) pytest $(PYTEST)

docs: setup ## the manual as a site, in results/docs/
	@$(FOEDUS) docs --data "$(RESULTS)"

bench: setup ## what is fast, measured
	@for script in benchmarks/bench_*.py; do echo "== $$script"; "$(BIN)/python" "$$script"; done

format: setup ## let the formatters rewrite the code
	@$(RUN) ruff check --fix . && $(RUN) ruff format . && $(RUN) snakefmt Snakefile workflow

lock: setup ## pin the newest versions that fit pyproject.toml (give UPGRADE=1), or only what is new
	@env PATH="$(BIN):$$PATH" "$(BIN)/python" workflow/lock.py $(if $(UPGRADE),--upgrade)

baseline: report ## accept this run's estimates as the reviewed ones in results/baseline/
	@$(FOEDUS) baseline --data "$(RESULTS)"

MADE := comparison curves docs estimates figures lineage panels report samples studies tables world \
  comparison.csv comparison.parquet estimates.csv estimates.parquet foedus.duckdb provenance.json \
  ro-crate-metadata.json

clean: ## remove everything made but the reviewed baseline and .venv
	@rm -rf $(foreach name,$(MADE),"$(RESULTS)/$(name)")
	@rm -rf logs .snakemake .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache dist
	@echo "removed what was made; 'make distclean' also removes .venv"

distclean: clean ## clean, and .venv too
	@rm -rf .venv
