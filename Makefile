# Every target does its own set-up and can be run again; nothing is needed but Python 3.11 or newer, git and make.
#
#   PYTHON=python3.12   the Python that .venv is made with
#   PROFILE=full        what `make refresh` measures: quick (the default), full, or one of your own
#   KB_ARGS=...         more arguments for kb, e.g. KB_ARGS=--no-commit
#   PYTEST_ARGS=...     more arguments for pytest, e.g. PYTEST_ARGS="-x tests/records"
#   JOBS=4              how many tests `make test` runs at a time, where they do not mind
#   PIP_ARGS=...        more arguments for pip

SHELL = /bin/sh
VENV = .venv
BIN = $(VENV)/bin
PYTHON ?=
PROFILE ?= quick
KB_ARGS ?=
PYTEST_ARGS ?=
JOBS ?= 2
PIP_ARGS ?=

# Tried in this order where PYTHON is not given: the versions that were tested first.
PYTHONS = python3.11 python3.12 python3.13 python3 python

# One stamp per set of extras; each larger set satisfies the smaller ones.
CREATED = $(VENV)/.kb-created
SITE = $(VENV)/.kb-site
RUN = $(VENV)/.kb-run
DEV = $(VENV)/.kb-dev
PINS = pyproject.toml constraints.txt
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(PIP_ARGS)

.PHONY: help refresh build serve test audit quick-test check setup setup-dev clean distclean
.DEFAULT_GOAL = help

help:
	@echo "make refresh     measure this machine (PROFILE=$(PROFILE)), commit the results, build the site"
	@echo "make build       build the site from the results that are there; needs no framework"
	@echo "make serve       the site at a local address, rebuilt on every change"
	@echo "make test        every check and every test"
	@echo "make quick-test  the checks, and the tests that take less than about ten seconds"
	@echo "make audit       the problem notes, and which of them are about what is installed here"
	@echo "make check       lint, format, types and import rules only"
	@echo "make setup       only install what 'make refresh' needs, into $(VENV)"
	@echo "make clean       remove what was generated; 'make distclean' removes $(VENV) as well"

refresh: $(RUN)
	@status=0; $(BIN)/kb refresh --profile "$(PROFILE)" $(KB_ARGS) || status=$$?; $(look); exit $$status

build: $(SITE)
	@status=0; $(BIN)/kb build $(KB_ARGS) || status=$$?; $(look); exit $$status

# The site is kept where a run ends with failed cases (exit code 4), so the hint comes in any case, then the status.
look = if [ -f site/index.html ]; then \
	echo; echo "The site:  $$(pwd)/site/index.html"; echo "Served:    make serve"; fi

serve: $(SITE)
	$(BIN)/kb serve $(KB_ARGS)

test: check
	@together=0; alone=0; \
	echo "== tests that can stand others beside them"; \
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup -m "not alone" $(PYTEST_ARGS) || together=$$?; \
	echo "== tests that must be alone"; \
	$(BIN)/python -m pytest -m alone $(PYTEST_ARGS) || alone=$$?; \
	case "$$together $$alone" in "0 0" | "0 5" | "5 0") ;; *) echo "FAILED: see above"; exit 1 ;; esac

audit: $(DEV)
	$(BIN)/kb problem lint
	$(BIN)/kb audit --fail-on critical

quick-test: check
	@echo "== tests (the quick ones)"
	$(BIN)/python -m pytest -m "not slow" $(PYTEST_ARGS)

check: $(DEV)
	@echo "== lint"
	$(BIN)/ruff check .
	@echo "== format"
	$(BIN)/ruff format --check .
	@echo "== types"
	$(BIN)/mypy
	@echo "== import rules"
	$(BIN)/lint-imports

setup: $(RUN)

setup-dev: $(DEV)

$(CREATED):
	@for python in $(or $(PYTHON),$(PYTHONS)); do \
		if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "making $(VENV) with $$($$python --version)"; \
			$$python -m venv $(VENV) && touch $@ && exit 0; \
			exit 1; \
		fi; \
	done; \
	echo "no Python 3.11 or newer with venv among: $(or $(PYTHON),$(PYTHONS))" >&2; \
	echo "install one (on Debian and Ubuntu: python3 and python3-venv), or say where it is: make PYTHON=/path/to/python3" >&2; \
	exit 1

$(SITE): $(CREATED) $(PINS)
	@echo "installing what the site needs into $(VENV)"
	@$(INSTALL) -e ".[site]"
	@touch $(SITE)

$(RUN): $(CREATED) $(PINS)
	@echo "installing kb and the frameworks into $(VENV): some minutes and about 3 GB the first time"
	@$(INSTALL) -e ".[all]"
	@touch $(SITE) $(RUN)

$(DEV): $(CREATED) $(PINS)
	@echo "installing kb, the frameworks and the tools for tests into $(VENV): some minutes and about 3 GB the first time"
	@$(INSTALL) -e ".[all,dev]"
	@touch $(SITE) $(RUN) $(DEV)

clean:
	rm -rf site docs/generated build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find kb tests -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV) *.egg-info
