# Every command of the project. Nothing needs root; everything is made inside this folder.

PYTHON ?= python3
CORES ?= all
CONFIG ?=

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.complete
BENCH := .venv-bench
DOCS := .venv-docs
LIMIT ?= 30
KILLS ?= 3
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES)
# after the targets: Snakemake takes every word behind --configfile for a file
FILE = $(if $(CONFIG),--configfile $(or $(wildcard $(CONFIG)),$(error There is no configuration file $(CONFIG))))

.DEFAULT_GOAL := help
.PHONY: help all figures env test test-workflow test-examples test-faults test-slurm reliability qnode-counts lint format docs bench bench-gpu bench-env other-seeds gallery reference unlock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  CORES=4 and CONFIG=config/minimal.yaml go with all and figures; PYTHON=python3.12 with env; LIMIT=500 with bench."

all: $(STAMP) ## environment, then every table and figure of config/config.yaml
	$(SNAKEMAKE) all $(FILE)

figures: $(STAMP) ## the figures, and what they need
	$(SNAKEMAKE) figures $(FILE)

env: $(STAMP) ## the environment alone: .venv with the versions of constraints.txt

# The stamp comes last, so that an interrupted installation is made again from the start.
$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[workflow,dev,browser]"
	touch $@

test: $(STAMP) ## the tests of library and studies
	$(BIN)/pytest --numprocesses auto --dist loadfile

test-workflow: $(STAMP) ## the minimal study as a whole, and what runs again after which change
	$(BIN)/pytest tests/workflow

test-examples: $(STAMP) ## the shipped examples, run as a user runs them
	$(BIN)/pytest tests/examples

# Both hurt runs of the workflow in many ways; what needs root or Debian packages is skipped where it is missing.
test-faults: $(STAMP) ## kill, damage and fill up: KILLS=3 random kills and every other fault
	PATH=$(abspath $(BIN)):$$PATH $(BIN)/pytest tests/faults --kills $(KILLS)

test-slurm: $(STAMP) ## the workflow on a Slurm of its own; needs root, slurm-wlm and munge
	PATH=$(abspath $(BIN)):$$PATH $(BIN)/pytest tests/slurm

reliability: $(STAMP) ## 50 random kills, and the table of docs/reliability.md, about half an hour
	PATH=$(abspath $(BIN)):$$PATH $(BIN)/pytest tests/faults --kills 50 --report docs/reliability.md

qnode-counts: $(STAMP) ## 5,000 random QNodes, and the table of docs/qnode-counts.md, about ten minutes
	$(BIN)/python tests/qnode_counts.py docs/qnode-counts.md

lint: $(STAMP) ## ruff, mypy, snakefmt and snakemake --lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

format: $(STAMP) ## put everything into the shape that lint asks for
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

# The contenders have an environment of their own: what they depend on is no part of ours.
bench: $(BENCH)/.complete ## time, memory and error beside other packages: docs/benchmarks.md, about half an hour
	$(BENCH)/bin/python -m benchmarks.run --limit $(LIMIT) --report docs/benchmarks.md
	$(BENCH)/bin/python -m benchmarks.planes
	$(BENCH)/bin/python -m benchmarks.small

bench-gpu: $(BENCH)/.complete ## the same cases on a CUDA device, in their section of docs/benchmarks.md
	$(BENCH)/bin/python -m benchmarks.gpu --limit $(LIMIT) --report docs/benchmarks.md

bench-env: $(BENCH)/.complete ## the environment of the benchmarks alone: .venv-bench

$(BENCH)/.complete: pyproject.toml constraints.txt constraints-bench.txt
	$(PYTHON) -m venv --clear $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check \
	  -c constraints.txt -c constraints-bench.txt -e ".[bench]"
	touch $@

# --config comes after the targets: Snakemake takes every word behind it for a setting
other-seeds: $(STAMP) ## the whole study with other seeds, and its numbers in docs/other-seeds.csv
	$(SNAKEMAKE) all --config seed_offset=1000 results_dir=results-other-seeds state_dir=state-other-seeds
	$(BIN)/python -m vqc_landscape.claims.other_seeds results-other-seeds/claims.parquet docs/other-seeds.csv


gallery: ## pictures and verdicts of the last run, for the README and the documentation
	cp results/figures/*.png docs/figures
	cp results/claims.md docs/claims.md

# Code that a page shows is run while the page is built; with --strict, code that fails is an error.
docs: $(DOCS)/.complete ## the documentation, its code run: site/index.html
	PATH=$(abspath $(DOCS))/bin:$$PATH $(DOCS)/bin/mkdocs build --strict

$(DOCS)/.complete: pyproject.toml constraints.txt constraints-docs.txt
	$(PYTHON) -m venv --clear $(DOCS)
	$(DOCS)/bin/python -m pip install --quiet --disable-pip-version-check \
	  -c constraints.txt -c constraints-docs.txt -e ".[workflow,docs]"
	touch $@

reference: $(STAMP) ## config/README.md and the JSON schema, from the configuration's types
	$(BIN)/python -m vqc_landscape.reference

unlock: $(STAMP) ## clear the lock that a killed run left behind
	$(SNAKEMAKE) --unlock $(FILE)

clean: ## remove results, checkpoints and logs; .venv stays
	rm -rf results results-minimal results-examples results-bench results-other-seeds state state-minimal state-examples state-other-seeds .snakemake site
