# `make demo` and `make test` are all that a fresh machine with Python 3.11 to 3.13 needs.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
COUNT ?= 5000
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --quiet

.PHONY: help demo report test check fuzz chaos bench profile bi scale sample reference facts contract lock clean
.DEFAULT_GOAL := help

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY) ## run the whole pipeline on data/sample, and print a table
	@$(VENV)/bin/crime-rates demo

report: $(READY) ## write the report of the sample, and open it in a browser
	@test -e data/demo/warehouse/crime_rates.duckdb || $(VENV)/bin/crime-rates demo
	@$(VENV)/bin/crime-rates report --data-dir data/demo
	@$(VENV)/bin/python -m webbrowser "file://$(CURDIR)/data/demo/report/index.html" > /dev/null || true

WORKERS ?= 2
test: $(READY) ## run the tests, in WORKERS=2 processes
	@$(VENV)/bin/python -m pytest --numprocesses $(WORKERS) --dist loadgroup

fuzz: $(READY) ## mutate workbooks by the thousand (COUNT=5000), and check that each is read or refused
	@$(VENV)/bin/python -m tools.fuzz --count $(COUNT)

check: $(READY) ## lint, check the format, the walls between the rooms, and types
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/lint-imports
	@$(VENV)/bin/mypy

contract: $(READY) ## write docs/contract.md, and what this contract version promises
	@$(VENV)/bin/python -m sql.contract_docs

SEED ?= 1
chaos: $(READY) ## make the pipeline fail on purpose, for minutes, and write what came of it into docs/reliability.md
	@$(VENV)/bin/python -m tools.chaos --seed $(SEED) --write

bench: $(READY) ## measure against baselines of the same run, for a quarter of an hour; writes docs/performance.md
	@$(VENV)/bin/python -m tools.benchmark --write

profile: $(READY) ## say where a cold run on full-size workbooks spends its time; writes docs/performance.md
	@$(VENV)/bin/python -m tools.benchmark.profile --write

bi: $(READY) ## read a published database with BI clients while another is published; fills in docs/clients.md
	@$(VENV)/bin/python -m tools.bi_compat

scale: $(READY) ## run each storage × publication × runner, pools, hosts and growth, for a quarter of an hour; fills in docs/scale.md
	@$(VENV)/bin/python -m pytest -m services
	@$(VENV)/bin/python -m tools.scale --write

PUBLISHED ?= ../shared/data
sample: $(READY) ## write data/sample anew from the published files in a folder (PUBLISHED=…)
	@$(VENV)/bin/python -m tools.make_sample $(PUBLISHED)

reference: $(READY) ## write the tables of areas and successions in data/reference anew from the same folder
	@$(VENV)/bin/python -m tools.make_reference $(PUBLISHED)

facts: $(READY) ## write the printed figures that the backtests compare with anew from the same folder
	@$(VENV)/bin/python -m tools.make_backtest_facts $(PUBLISHED)

lock: ## pin the dependencies of pyproject.toml anew (needs uv)
	uv pip compile pyproject.toml --extra report --extra s3 --extra lake --extra dask --group dev --universal --python-version 3.11 --generate-hashes --no-strip-extras \
		--no-header --no-annotate --no-emit-index-url --output-file requirements.lock

clean: ## remove the environments and what the demo made
	rm -rf $(VENV) .bi data/demo

# the lock is complete, so pip resolves nothing: --no-deps
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else \
		"make: expected Python 3.11 to 3.13, found %d.%d: name one with make PYTHON=python3.12 …" % v)'
	@echo "Setting up $(VENV) (once, about a minute) …"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install --no-deps --require-hashes --requirement requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@
