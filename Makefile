# Eleven verbs at most. `make run` and `make test` do all their own set-up on a fresh Debian 12 machine.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp

.PHONY: help setup run test test-pythons test-long lint types corpus bench lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): requirements/dev.lock pyproject.toml
	@bash tools/setup-python.sh "$(PYTHON)" "$(VENV)"
	@touch $(STAMP)

setup: $(STAMP) ## create .venv from the lock file

run: $(STAMP) ## start the demo: poise serve --demo
	@bash tools/build-desktop.sh --if-node
	@exec $(BIN)/poise serve --demo $(ARGS)

lint: $(STAMP) ## ruff and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(STAMP) ## mypy --strict
	$(BIN)/mypy

test: $(STAMP) ## the whole suite, as CI runs it
	@bash tools/test.sh

test-pythons: ## unit and property tests on each Python 3.11-3.13 of this machine; names the absent ones
	@bash tools/test-pythons.sh

test-long: $(STAMP) ## real-time and long proofs; reports under docs/proof
	@bash tools/test-long.sh

corpus: $(STAMP) ## labelled faults with their evidence, under build/corpus (ARGS="--causes C3 --seeds 2")
	@$(BIN)/python tools/corpus.py $(ARGS)

bench: $(STAMP) ## side by side with Prosody and ejabberd; writes bench/report.md
	@bash bench/run.sh $(ARGS)

lock: ## refresh requirements/*.lock (needs uv)
	uv pip compile -q --python-version 3.11 --universal --generate-hashes --no-header --no-emit-index-url --no-annotate pyproject.toml -o requirements/run.lock
	uv pip compile -q --python-version 3.11 --universal --generate-hashes --no-header --no-emit-index-url --no-annotate --extra dev pyproject.toml -o requirements/dev.lock

clean: ## remove what the targets made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis bench/out bench/xdrive web/node_modules src/poise/server/desktop/static
