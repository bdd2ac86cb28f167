# Everything that one does with a checkout. `make` alone lists the targets.
#
#   PYTHON   the Python that the environment is made from (3.11 to 3.14)
#   PORT     where the local cloud listens
#   CDK_ARGS options for `cdk deploy`, such as `-c environment=test` or `--profile films`

PYTHON ?= python3
PORT ?= 4566
CDK_ARGS ?=

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# The value is the major version that the banner is about.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20

PYTHON_READY := .venv/.ready
NODE_READY := node_modules/.ready
READY := $(PYTHON_READY) $(NODE_READY)

RUN := .venv/bin/python
CDK := node_modules/.bin/cdk

.PHONY: help
help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(READY) ## install the Python and Node packages into .venv and node_modules

.PHONY: demo
demo: $(READY) ## deploy to a local cloud, train on real films, print recommendations, stop everything
	@$(RUN) -m demo --port $(PORT)

.PHONY: local
local: $(READY) ## the same, and stay up until Ctrl-C
	@$(RUN) -m demo --port $(PORT) --keep

.PHONY: deploy
deploy: $(READY) ## deploy to AWS, with the credentials that the AWS CLI would use
	@$(CDK) deploy --all --app "$(RUN) app.py" $(CDK_ARGS)

.PHONY: test
test: $(READY) ## run all tests, end-to-end included
	@$(RUN) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

.PHONY: lint
lint: $(PYTHON_READY) ## check style and types
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy

.PHONY: format
format: $(PYTHON_READY) ## put the code into the project's style
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

.PHONY: benchmark
benchmark: $(READY) ## measure synthesis and the start of the Lambda functions
	@$(RUN) -m benchmarks.synth

.PHONY: clean
clean: ## remove everything that make made
	rm -rf .venv node_modules .cache dist cdk.out
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(PYTHON_READY): pyproject.toml
	@$(MAKE) check-python
	@$(PYTHON) tools/install.py python
	@touch $@

$(NODE_READY): package.json package-lock.json .npmrc
	@$(MAKE) check-python
	@$(PYTHON) tools/install.py node
	@touch $@

.PHONY: check-python
check-python:
	@"$(PYTHON)" -c "" >/dev/null 2>&1 || { \
	  echo "Error: $(PYTHON) is not there or does not run: install Python 3.11 to 3.14, or name one with 'make PYTHON=/path/to/python3'." >&2; exit 1; }
	@"$(PYTHON)" tools/check_python.py
