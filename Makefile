SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON_IN_VENV := .venv/bin/python
SET_UP := infra/set-up.sh requirements-uv.lock
FRONT_END := infra/front-end.sh shared/web/package-lock.json requirements-node.lock
BUNDLE := shared/web/bundle
RUN := .venv/run.stamp $(BUNDLE)
DEV := .venv/dev.stamp $(BUNDLE)

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: $(RUN) ## Set up what is missing, then serve at http://127.0.0.1:8000 until Ctrl-C
	@exec $(PYTHON_IN_VENV) -m services.cli serve --end-with-parent=$$PPID

.PHONY: fresh
fresh: $(RUN) ## Start over with an empty ledger and no demo (asks first; YES=1 answers)
	@exec $(PYTHON_IN_VENV) -m services.cli serve --end-with-parent=$$PPID --fresh $(if $(filter 1,$(YES)),--yes)

.PHONY: test
test: $(DEV) ## Run every suite, with the time of each
	@exec $(PYTHON_IN_VENV) -m tests.suites

.PHONY: lint
lint: $(DEV) ## Run the linters alone
	@exec $(PYTHON_IN_VENV) -m tests.suites ruff format mypy import-linter hadolint compose

.PHONY: fmt
fmt: $(DEV) ## Format the code and fix what can be fixed
	@.venv/bin/ruff check --fix --quiet . ; .venv/bin/ruff format .

.PHONY: schemas
schemas: $(DEV) ## Write the schemas and reference pages that follow from the code
	@$(PYTHON_IN_VENV) -m shared.events.schemas
	@$(PYTHON_IN_VENV) -m shared.policy.document
	@$(PYTHON_IN_VENV) -m tests.contract.test_asyncapi

.PHONY: bench
bench: $(DEV) ## Measure against the references; writes build/bench.json
	@exec $(PYTHON_IN_VENV) -m tests.benchmarks

.PHONY: soak
soak: $(DEV) ## Let weeks go by with faults, kill processes, live a day on a wall, for SOAK_MINUTES (10)
	@exec $(PYTHON_IN_VENV) -m tests.soak

.PHONY: chaos
chaos: $(DEV) ## Do CHAOS_FAULTS (200) faults to several machines under load; CHAOS_SEED again
	@exec $(PYTHON_IN_VENV) -m tests.chaos

.PHONY: cluster
cluster: $(DEV) ## Run two of each part with a real Kafka and PostgreSQL until Ctrl-C
	@exec $(PYTHON_IN_VENV) -m infra.cluster $$PPID

# The packages of the tests include those of the product, so each of the two leaves `run` served.
.venv/run.stamp: requirements.lock $(SET_UP) $(FRONT_END)
	@infra/set-up.sh requirements.lock
	@infra/front-end.sh --omit=dev
	@rm -f .venv/dev.stamp
	@touch $@

.venv/dev.stamp: requirements-dev.lock requirements.lock $(SET_UP) $(FRONT_END)
	@infra/set-up.sh requirements-dev.lock
	@infra/front-end.sh
	@touch .venv/run.stamp $@

# The directory itself is among what it is made of, for modules that went.
$(BUNDLE): shared/web/bundle.sh shared/web/package-lock.json shared/web/static $(wildcard shared/web/static/*.js)
	@shared/web/bundle.sh
