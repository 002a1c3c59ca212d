# Two commands need nothing but Python 3.11 or newer and make:  make sandbox   make test
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
TESTS ?= tests

.PHONY: help sandbox test quick crash fuzz pictures check lock clean soak

sandbox: .venv/run.stamp  ## try the whole bot on this machine, no account needed
	@$(BIN)/python -m bot sandbox

test: .venv/dev.stamp  ## set up and run every test
	$(BIN)/python -m pytest -n 6 --dist loadgroup $(TESTS)

quick: .venv/dev.stamp  ## the pure parts, at each save
	$(BIN)/python -m pytest -q -n 2 --dist loadgroup $(QUICK)

QUICK := tests/budget tests/slack tests/rules tests/commands tests/cartesia/test_protocol.py
unexport PYTHONDONTWRITEBYTECODE  # pytest keeps the tests it has compiled, which each of its processes would do anew

crash: .venv/dev.stamp  ## kill the bot at every point of telling a crossing (half an hour; `make test` holds a short form)
	$(BIN)/python -m tests.crash

soak: .venv/dev.stamp  ## an hour of checks, commands and faults, and what the bot holds meanwhile
	$(BIN)/python -m tests.soak

fuzz: .venv/dev.stamp .venv/fuzz.stamp  ## look for bytes that the bot stumbles over, until it finds some or SECONDS are over
	$(BIN)/python -m tests.fuzz $(TARGET) -max_total_time=$(SECONDS) -max_len=4096

TARGET ?= http_mode
SECONDS ?= 1200

pictures: .venv/dev.stamp .venv/axe.stamp  ## take the pictures of the sandbox that the docs show
	PICTURES=docs/pictures $(BIN)/python -m pytest -q -n 2 tests/browser

check: .venv/dev.stamp  ## lint, formatting, types, and the arrows between the parts
	$(BIN)/ruff check bot tests
	$(BIN)/ruff format --check bot tests
	$(BIN)/mypy
	$(BIN)/lint-imports

lock: .venv/dev.stamp  ## pin the newest allowed versions, with hashes, naming no index
	$(BIN)/pip-compile $(LOCK) -o requirements.txt pyproject.toml
	$(BIN)/pip-compile $(LOCK) --extra dev -c requirements.txt -o requirements-dev.txt pyproject.toml

help:  ## what make can do here
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

LOCK := --quiet --upgrade --generate-hashes --allow-unsafe --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host

clean:  ## let go of everything that was built here
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "agent-usage-bot needs Python 3.11 or newer: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv .venv

.venv/run.stamp: requirements.txt | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

.venv/axe.stamp:  # the browser tests' accessibility check; needs npm
	npm install --silent --no-audit --no-fund --no-save --no-package-lock --prefix .venv/axe axe-core@4.14.1
	@touch $@

.venv/fuzz.stamp: | .venv/bin/python  # the fuzzer; no test needs it
	$(BIN)/pip install --quiet --disable-pip-version-check atheris==3.0.0
	@touch $@

.venv/dev.stamp: requirements-dev.txt | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
