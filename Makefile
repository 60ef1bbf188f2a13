# The two commands of the README are `make up` and `make test`; both set up whatever is missing.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv/bin

.PHONY: up down test check fast bench prove clean lock setup setup-dev format

setup:            ## what running needs, except Debian packages (the supervisor adds those)
	@$(PYTHON) scripts/bootstrap.py run

setup-dev:        ## what testing needs, Debian packages included
	@$(PYTHON) scripts/bootstrap.py test

up: setup
	@$(VENV)/python manage.py up

down:
	@test -x $(VENV)/python || { echo "Nothing is set up here, so nothing runs."; exit 0; }
	@$(VENV)/python manage.py down

check: setup-dev
	@$(VENV)/python scripts/check.py

fast:             ## only the fast Python tests, nothing set up
	@$(VENV)/python -m pytest -q -m "not cluster and not browser and not faults"

test: setup-dev
	@$(VENV)/python scripts/check.py --all

prove: setup-dev  ## every open lesson on the real cluster; writes docs/course-proof.md
	@$(VENV)/python scripts/prove.py

bench: setup-dev
	@$(VENV)/python -m bench

format:
	@$(VENV)/ruff format . && $(VENV)/ruff check --fix .

lock:             ## hashed requirements, without download addresses
	@for f in base dev tools; do $(VENV)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url --no-header requirements/$$f.in -o requirements/$$f.txt; done

clean: down
	@$(PYTHON) scripts/clean.py
