PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
BENCHMARKS := $(wildcard $(addprefix benchmarks/,cost.py api.py refresh.py as_of.py alerts.py))
# What a public installation sets: the checks judge that one, and not this machine's.
LINT_ENV := ENV_FILE= DATABASE_URL= REDIS_URL= DEBUG=0 HTTPS=1 ALLOWED_HOSTS=tracker.example.org DATA_DIR=$(VENV)/lint-check

.PHONY: run test lint bench clean

run: $(VENV)/.installed
	@$(BIN)/python -m scripts.run

test: $(VENV)/.installed-dev
	@$(BIN)/python -m scripts.run_tests $(ARGS)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(LINT_ENV) $(BIN)/python manage.py makemigrations --check --dry-run
	$(LINT_ENV) $(BIN)/python manage.py check --deploy --fail-level WARNING

bench: $(VENV)/.installed-dev
	@set -e; for script in $(BENCHMARKS); do echo "== $$script"; $(BIN)/python $$script $(ARGS); done

clean:
	rm -rf $(VENV) staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.installed: requirements.txt
	@$(PYTHON) scripts/install.py $(VENV) requirements.txt

$(VENV)/.installed-dev: requirements.txt requirements-dev.txt
	@$(PYTHON) scripts/install.py $(VENV) requirements-dev.txt
