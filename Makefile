# make run   set up .venv and run the quick study; prints where the report is
# make test  set up .venv with development tools; lint, type-check, check layering, test
# make house print how the house stands: floors, circles, long files, private words; fails above a limit
# make mutants make small mistakes in a copy of the checkout, one at a time, and see whether the tests notice
# make bench measure the benchmark ratios
# make floors install the wheel into fresh environments, from the lowest declared versions to the newest, and use it there
# make clients install tools of other projects into environments of their own, and run their tests there
# make lock  write requirements.lock, constraints.txt with hashes

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: run test house mutants bench slow floors clients lock clean

run: $(VENV)/run.stamp
	$(BIN)/coopgym run quick

test: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 2 -m "not slow"

slow: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -m slow --timeout=3600

house: $(VENV)/dev.stamp
	$(BIN)/python -m tests.house

mutants: $(VENV)/dev.stamp
	$(BIN)/python -m tests.mutation

bench: $(VENV)/dev.stamp
	$(BIN)/coopgym bench

floors: $(VENV)/dev.stamp
	$(BIN)/python -m tests.floors

clients: $(VENV)/dev.stamp
	$(BIN)/python -m tests.clients.environments

# torch stays out, as does what torch alone needs: which of its builds is right, and what that brings, depends on the machine.
lock: $(VENV)/dev.stamp
	echo "torch ; python_version < '3'" > $(VENV)/without_torch.txt
	$(BIN)/uv pip compile pyproject.toml --extra dev --constraints constraints.txt --overrides $(VENV)/without_torch.txt \
		--universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url --quiet \
		--custom-compile-command "make lock" --output-file requirements.lock

clean:
	rm -rf $(VENV) build *.egg-info

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -c constraints.txt -e ".[torch,bench]"
	touch $@

$(VENV)/dev.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -c constraints.txt -e ".[dev]"
	touch $@ $(VENV)/run.stamp
