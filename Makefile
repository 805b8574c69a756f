# Every target works in a fresh clone: it makes .venv and installs what it needs first.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check
GRID   ?= ablations/five_factor.yaml
STUDY  ?= cifar10_cpu
PUBLISHED ?= results/published/cifar10-cpu

# Twenty seconds of compiling that the first run, or the first of each test process, would wait for.
COMPILE := $(BIN)/python -c 'import runner.pool.process.preload'

# Tests start a thousand programs: without bytecode each compiles the project again, a third of a second.
unexport PYTHONDONTWRITEBYTECODE

# The tests that wait for processes and servers begin first, and more of them than there are cores.
SLOW_FIRST := tests/faults tests/store_contract tests/acceptance
SIDE_BY_SIDE := -n 3 --dist loadfile --no-loadscope-reorder
# Three programs that each calculate with small matrices in two threads wait for each other: a test
# of 3 s took 64.
test long faults: export OPENBLAS_NUM_THREADS := 1

.PHONY: help quickstart test coverage long faults lint format audit bench bench-cuda published publish-cuda docs notebook reference schema clean
.DEFAULT_GOAL := help

help:  ## show what each target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

quickstart: $(VENV)/.run  ## install, then run the shipped five-factor grid and its analysis
	$(BIN)/python -m runner grid $(GRID)

test: $(VENV)/.test  ## run the test suite, all but what is marked long
	$(BIN)/python -m pytest $(SLOW_FIRST) tests -m "not long" $(SIDE_BY_SIDE) --durations 20 $(COVERED)

# Tracing costs half as much again, so that it has a target of its own.
coverage: COVERED := --cov --cov-report=term:skip-covered --cov-fail-under=90
coverage: test  ## the same, with the lines that it runs; below 90 % it fails

long: $(VENV)/.test  ## run the tests marked long, wherever they are, the faults among them
	$(BIN)/python -m pytest tests -m long $(SIDE_BY_SIDE) --timeout 900

faults: $(VENV)/.test  ## inject every fault of the matrix, the minutes-long ones too
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) --timeout 900 $$($(BIN)/python -m tests.faults.matrix)

lint: $(VENV)/.lint  ## ruff (format, rules, security) and mypy --strict
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.lint  ## rewrite the code in the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

audit: $(VENV)/.lint  ## look for known vulnerabilities in what is installed
	$(BIN)/pip-audit --local --skip-editable

bench: $(VENV)/.bench  ## cells per hour beside the peers, on this machine's cores
	$(BIN)/python -m tests.benchmarks.peers
	$(BIN)/python -m tests.benchmarks.own_trainers

bench-cuda: $(VENV)/.bench  ## the rows of the speed table that need a CUDA device
	$(BIN)/python -m pytest -m cuda tests
	$(BIN)/python -m tests.benchmarks.cuda

published: $(VENV)/.run  ## make a published study's page, figures and tables again from what is kept of it
	$(BIN)/python -m analysis report $(STUDY) --storage $(PUBLISHED)/study.db --out $(PUBLISHED)
	$(BIN)/python -m runner export $(STUDY) --storage $(PUBLISHED)/study.db --to parquet --out $(PUBLISHED)
# That study has a page of its own, results/README.md, with the verdicts of a second setting.
ifeq ($(STUDY),cifar10_cpu)
	$(BIN)/python -m analysis compare $(STUDY) $(STUDY)_more --storage $(PUBLISHED)/study.db > $(PUBLISHED)/compare.txt
	$(BIN)/python -m tests.published
endif

publish-cuda: STUDY := cifar10_cuda
publish-cuda: $(VENV)/.run  ## run the study on this machine's CUDA devices and publish it
	$(BIN)/python -m runner grid ablations/$(STUDY).yaml --results build/publish
	$(BIN)/python -m runner copy $(STUDY) --results build/publish --to results/published/cifar10-cuda/study.db
	$(MAKE) published STUDY=$(STUDY) PUBLISHED=results/published/cifar10-cuda

docs: $(VENV)/.docs  ## build the documentation into build/docs; a warning fails
	$(BIN)/python -m sphinx -q -W --keep-going -c docs . build/docs

notebook: $(VENV)/.test  ## run the shipped notebook and write it with its outputs
	$(BIN)/python -m tests.notebook

reference: $(VENV)/.run  ## recompute the reference cases' expected numbers (needs R: tests/analysis/cases/README.md)
	Rscript tests/analysis/cases/make/reference.R
	$(BIN)/python tests/analysis/cases/make/designs.py

schema: $(VENV)/.run  ## export the JSON Schema of the specification file
	$(BIN)/python -m runner schema > ablations/schema.json

clean:  ## remove the environment and what runs have written (results/ is kept)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache build *.egg-info .coverage*

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv --upgrade-deps $(VENV)

$(VENV)/.run: pyproject.toml | $(BIN)/python
	$(PIP) -e '.[train,parquet]'
	$(COMPILE)
	@touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python
	$(PIP) -e '.[test]'
	$(COMPILE)
	@touch $@ $(VENV)/.docs $(VENV)/.run

$(VENV)/.docs: pyproject.toml | $(BIN)/python
	$(PIP) -e '.[train,docs]'
	@touch $@ $(VENV)/.run

$(VENV)/.lint: pyproject.toml | $(BIN)/python
	$(PIP) -e '.[train,lint]'
	@touch $@ $(VENV)/.run

$(VENV)/.bench: pyproject.toml | $(BIN)/python
	$(PIP) -e '.[test,bench]'
	$(COMPILE)
	@touch $@ $(VENV)/.test $(VENV)/.run
