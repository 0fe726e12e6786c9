# Two commands: `make demo` scores the demo visit, `make test` runs all checks.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: install demo test lint clean

install: $(STAMP)

$(STAMP): pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(0 if sys.version_info >= (3, 11) else 'msw_ml needs Python 3.11 or newer: make PYTHON=python3.11 …')"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable '.[pyannote,train,serve,dev]'
	touch $(STAMP)

demo: install
	$(BIN)/msw score datasets/demo/visit.ogg --output scores --speakers 3 --role S3=child --target "keeping smoke out of the flat"
	@echo "The report lies in scores/visit/report.html"

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/pytest

clean:
	rm -rf scores build .pytest_cache .mypy_cache .ruff_cache
