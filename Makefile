# `make demo` and `make test` set everything up first. Another Python: make setup PYTHON=python3.12
PYTHON ?= python3
OUT ?= out/demo
BIN := .venv/bin
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
endif

.PHONY: setup demo test test-slow test-ray check docs constraints clean help

help:
	@echo "make setup | demo | test | test-slow | test-ray | check | docs | constraints | clean; make demo PROMPT='your own prompt'"

setup:
	@$(PYTHON) scripts/bootstrap.py

demo: setup
	@$(BIN)/python scripts/demo.py --out $(OUT) $(if $(PROMPT),--prompt "$(PROMPT)")

test: setup  # worksteal: neighbours stay in one process, so what they share is made once
	@$(BIN)/python -m pytest -n auto --dist worksteal -m "not slow"

test-slow: setup
	@$(BIN)/python -m pytest -m "slow"
	@$(BIN)/python scripts/test_oldest.py

test-ray: setup
	@$(BIN)/python -m pip install --quiet -c constraints.txt 'ray[serve]'
	@$(BIN)/python -m pytest tests/server/test_ray_serve.py tests/evaluation/bench/test_ray_cluster.py tests/cli/test_bench.py -k ray

check: setup
	@scripts/check

docs: setup
	@$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "The front page is docs/_build/html/index.html"

constraints:
	@$(PYTHON) -m pip install --quiet --upgrade --target .uv uv
	@PYTHONPATH=.uv $(PYTHON) scripts/renew_constraints.py $(if $(UPGRADE),--upgrade)

clean:
	rm -rf .venv .oldest .uv out docs/_build build dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find src emoji tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +
