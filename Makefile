# Every target prepares what it needs: Python 3.11+ and make are enough.

.DEFAULT_GOAL := help
.PHONY: help init run test check bench lock clean
# Without bytecode every start would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?=
ARGS ?=
BIN := .venv/bin

define NO_PYTHON
multi-llm-chat needs Python 3.11 or newer, and none was found.
  Debian 12+, Ubuntu 24.04+:  sudo apt-get install python3 python3-venv
  macOS:                      brew install python
  installed elsewhere:        make run PYTHON=/path/to/python3
endef
export NO_PYTHON

# The environment's own interpreter if it works, else the first one that is new enough, whole ones first.
define prepare
@for needs in sys,venv,ensurepip sys,venv,pip sys; do \
	for python in $(PYTHON) $(BIN)/python python3 python3.14 python3.13 python3.12 python3.11 python; do \
		if "$$python" -c "import $$needs; sys.exit(sys.version_info < (3, 11))" 2>/dev/null; then \
			exec "$$python" deploy/prepare.py $(1); \
		fi; \
	done; \
done; printf '%s\n' "$$NO_PYTHON" >&2; exit 1
endef

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 15

run: ## start the bot, the web server and the playground; ARGS="--only web,worker"
	$(call prepare,requirements.lock)
	@exec $(BIN)/python main.py run $(ARGS)

init: ## ask for what a first start needs, write .env, and check it
	$(call prepare,requirements.lock)
	@exec $(BIN)/python main.py init $(ARGS)

# Tests wait as much as they work, so one worker more than there are cores.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) + 1)

test: ## run the whole suite; ARGS="-k limits" for a part
	$(call prepare,requirements.lock requirements-dev.lock)
	@exec $(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

check: ## lint, formatting, types and the import rule
	$(call prepare,requirements.lock requirements-dev.lock)
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/python -m mypy
	$(BIN)/python $(BIN)/lint-imports --no-logo

bench: ## measure beside the floor of this machine; ARGS="admit webhooks" for some
	$(call prepare,requirements.lock requirements-dev.lock)
	@exec $(BIN)/python -m benchmarks $(ARGS)

lock: ## pin the dependencies anew; ARGS=--upgrade for the newest
	$(call prepare,requirements.lock)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile $(LOCK) pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile $(LOCK) pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
# pip looks for an extra anew unless the lock names it, and then finds the newest version instead of ours.
LOCK = --quiet --universal --no-strip-extras --python-version 3.11 --generate-hashes --custom-compile-command "make lock" $(ARGS)

clean: ## remove everything that can be made again; data/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
