.DEFAULT_GOAL := help
.PHONY: help setup demo test check fmt bench rivals long screenshots clean

PYTHON ?= python3
# With an NVIDIA GPU: make ... FAISS=gpu
FAISS ?= cpu
PORT ?= 8501
STUDIES ?= 60
BIN := .venv/bin
DEMO := CINESEEK_HOME=.demo/home CINESEEK_KEY_FILE=.demo/key
PYTEST := $(BIN)/python -m pytest
RIVALS := CINESEEK_RIVALS_PYTHON=$(CURDIR)/.venv-rivals/bin/python

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "%-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.installed-$(FAISS) ## install everything into .venv

.venv/.installed-$(FAISS): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$(FAISS),postgres,train,dev]'
	@touch $@

demo: setup ## simulate an archive, index it, search it, serve the UI
	$(BIN)/cineseek-index phantoms .demo/archive --studies $(STUDIES) --seed 7
	$(DEMO) $(BIN)/cineseek-index run .demo/archive --reports .demo/archive/reports.jsonl
	$(DEMO) $(BIN)/cineseek search "dilated left ventricle with reduced ejection fraction" --limit 5
	@$(DEMO) PORT=$(PORT) exec $(BIN)/cineseek-web

test: setup ## every test that needs no special hardware
	$(PYTEST) -n 2 --dist loadfile

check: setup ## format, lint, import rules, types
	$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/lint-imports && $(BIN)/pyright --pythonpath $(BIN)/python

fmt: setup ## rewrite the code the way `make check` wants it
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

bench: setup ## measure search, ingest and encoding; prints tables
	OMP_NUM_THREADS=1 $(PYTEST) -m bench -s tests/bench

rivals: setup .venv-rivals/.installed ## exact search beside HNSW, pgvector and Milvus, in one run
	$(RIVALS) $(PYTEST) -m bench -s tests/bench/test_rivals_bench.py

# apart from .venv, for Milvus brings a faiss-cpu that would overwrite a faiss-gpu unseen
.venv-rivals/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-rivals
	.venv-rivals/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	.venv-rivals/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[cpu,rivals]'
	@touch $@

long: setup .venv-rivals/.installed ## what takes hours
	$(RIVALS) $(PYTEST) -m long

screenshots: setup ## pictures of the UI, into docs/
	$(BIN)/python docs/screenshots.py

clean: ## remove the demo's state
	rm -rf .demo
