# FieldService 360. `make run` starts everything, `make test` proves everything; see README.md.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 5000
# DEMO=0 starts empty and leads through the set-up; TLS=1 serves https with a certificate of our own.
DEMO ?= 1
TLS ?= 0
# Where the benchmarks find the car parts; `make bench DATA=…` says otherwise.
DATA ?=
VENV := .venv
BIN := $(VENV)/bin
# uv ignores pip's settings, so it is handed the index, links and certificates that pip is configured with.
PIP_INDEX = $(or $(PIP_INDEX_URL),$(shell $(BIN)/pip config get global.index-url 2>/dev/null))
UV = $(if $(PIP_INDEX),UV_DEFAULT_INDEX=$(PIP_INDEX)) $(if $(PIP_CERT),SSL_CERT_FILE=$(PIP_CERT)) VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv
NPM = PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm

# Python keeps what it compiled, whatever the shell says: without it every start compiles 2,000 files anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test test-fast check bench audit browser front texts lock clean

run: $(VENV)/.run front texts
	@I_KNOW=$(I_KNOW) $(BIN)/python -m fieldservice.serve $(if $(filter 0,$(DEMO)),,--demo) $(if $(filter 1,$(TLS)),--tls) --host $(HOST) --port $(PORT)

test: $(VENV)/.test front texts browser
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not audit"

test-fast: $(VENV)/.test front texts
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not browser and not slow and not database and not audit"

bench: $(VENV)/.test front texts browser
	$(BIN)/python -m benchmarks $(if $(DATA),--data $(DATA))

audit: $(VENV)/.test front texts browser benchmarks/lighthouse/node_modules/.installed
	$(BIN)/python -m pytest -q -m audit
	$(BIN)/python -m benchmarks.audit

check: $(VENV)/.test texts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m fieldservice.foundation.catalogues check
	$(BIN)/bandit -q -c pyproject.toml -r fieldservice config.py wsgi.py
	$(BIN)/python -m pytest -q tests/guards

front: node_modules/.installed
	@$(BIN)/node static/build.mjs

texts: $(VENV)/.run
	@$(BIN)/python -P fieldservice/foundation/catalogues.py compile

# The browsers of the tests come from the system; where one is missing it is installed if that is possible.
browser:
	@tests/install-browser

lock: $(VENV)/.uv
	$(UV) pip compile --universal --generate-hashes --no-emit-index-url --custom-compile-command "make lock" requirements.in -o requirements.txt
	$(UV) pip compile --universal --generate-hashes --no-emit-index-url --custom-compile-command "make lock" requirements-dev.in -o requirements-dev.txt

$(VENV)/.uv: requirements-uv.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-uv.txt
	@touch $@

$(VENV)/.run: requirements.txt $(VENV)/.uv
	$(UV) pip install -q --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.test: requirements-dev.txt $(VENV)/.run
	$(UV) pip install -q --require-hashes -r requirements-dev.txt
	@touch $@

node_modules/.installed: package-lock.json $(VENV)/.run
	@$(NPM) ci --silent --no-audit --no-fund
	@touch $@

benchmarks/lighthouse/node_modules/.installed: benchmarks/lighthouse/package-lock.json $(VENV)/.run
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(CURDIR)/$(BIN)/npm --prefix benchmarks/lighthouse ci --silent --no-audit --no-fund
	@touch $@

clean:
	rm -rf $(VENV) node_modules benchmarks/lighthouse/node_modules static/dist build
