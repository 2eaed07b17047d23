# ossgate's commands. `make demo` and `make test` set up all that they need: git, make and Python 3.11+ with venv are enough.
# On the command line: make demo PORT=8080 EMULATOR_PORT=9090 DATA_DIR=/tmp/demo ; make test ARGS="tests/signer -x" ;
# and PYTHON=python3.12 where python3 is older.

PYTHON ?= python3
PORT = 8000
EMULATOR_PORT = 9000
DATA_DIR = ossgate-data
ARGS =

VENV := .venv
PY := $(VENV)/bin/python
# Stamps: a second run compares two dates and starts at once.
MADE := $(VENV)/.made
RUN_TIME := $(VENV)/.run-time
DEVELOPMENT := $(VENV)/.development
INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check --no-input --require-hashes
COMPILE := build/uv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
	--python-version 3.11 --extra postgresql --extra redis

.PHONY: all demo test faults check bench lock clean
.DELETE_ON_ERROR:

# What CI runs: the checks, then the tests.
all: check test

# Run ossgate and a local OSS, without an account; the page is at http://127.0.0.1:8000/.
demo: $(RUN_TIME)
	@$(PY) -m ossgate demo --port "$(PORT)" --emulator-port "$(EMULATOR_PORT)" --data-dir "$(DATA_DIR)"

# Run all tests. Those of the pages want Chromium, those of the ledger also PostgreSQL, and skip where there is none.
test: $(DEVELOPMENT)
	@$(PY) -m pytest $(ARGS)

# Break everything that can break, on SQLite and PostgreSQL, with what takes minutes and kills servers by the hundred;
# `make test` runs the short part. Wants Linux; those with PostgreSQL skip where there is none.
faults: $(DEVELOPMENT)
	@$(PY) -m pytest tests/faults tests/reconcile/test_state_machine.py -m "" $(ARGS)

# Check format, lint and types; changes nothing.
check: $(DEVELOPMENT)
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy

# Measure, each number beside a bare Flask view on the same machine. ARGS="--quick" takes a minute; further parts are
# ARGS=workers, commits, growth (less with --largest 10000), signing and others; reconciliation has `-m bench.reconcile`.
bench: $(DEVELOPMENT)
	@$(PY) -m bench $(ARGS)

# Resolve the dependencies of pyproject.toml anew into both lock files. For maintainers; what is locked stays at its
# version unless UPGRADE=--upgrade is given. Of the extras those are locked that the tests use.
UPGRADE =
lock: build/uv/.made
	$(COMPILE) $(UPGRADE) pyproject.toml --output-file requirements.lock
	$(COMPILE) $(UPGRADE) pyproject.toml --group dev --constraint requirements.lock --output-file requirements-dev.lock

# Remove what the other targets made, but never the data of a demo.
clean:
	rm -rf $(VENV) build dist artefacts .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(MADE):
	@command -v "$(PYTHON)" >/dev/null || { \
		echo "There is no $(PYTHON) here. Install Python 3.11 or newer (Debian, Ubuntu: apt-get install python3 python3-venv)," \
			"or name another: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "ossgate needs Python 3.11 or newer, and $(PYTHON) is $$("$(PYTHON)" -V 2>&1)." \
			"Name another: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments. Install its venv module" \
			"(Debian, Ubuntu: apt-get install python3-venv)." >&2; exit 1; }
	@"$(PYTHON)" -m venv $(VENV)
	@touch $@

$(RUN_TIME): requirements.lock $(MADE)
	@echo "Installing what ossgate runs with into $(VENV) (once) …"
	@$(INSTALL) -r requirements.lock
	@touch $@

$(DEVELOPMENT): requirements-dev.lock $(MADE)
	@echo "Installing what ossgate is developed with into $(VENV) (once) …"
	@$(INSTALL) -r requirements-dev.lock
	@touch $@

build/uv/.made:
	@"$(PYTHON)" -m venv --clear build/uv
	@build/uv/bin/python -m pip install --quiet --disable-pip-version-check uv
	@touch $@
