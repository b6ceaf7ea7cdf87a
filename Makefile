# farhand. `make demo` shows it, `make test` proves it; each sets up what it needs.
.DEFAULT_GOAL := help
SHELL := /bin/sh
.DELETE_ON_ERROR:

VENV := .venv
PY := $(VENV)/bin/python
NPM := $(PY) scripts/npm.py
STAMPS := .make
WWW := src/farhand/server/www/index.html
# The tests run what users install: the wheel, not the checkout.
PYTEST := env -u PYTHONPATH $(PY) -m pytest -p no:cacheprovider

PY_SOURCES := $(shell find src -name '*.py' -o -name py.typed)
WEB_SOURCES := $(shell find web -name node_modules -prune -o -name dist -prune -o -name test -prune -o -type f -print)

.PHONY: help demo test setup check fmt test-unit test-web bench bench-peers measure proofs fuzz soak gen console clean \
  performance picture

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

demo: setup ## See it: server, simulated robot and console on this machine (ARGS=--robots 2)
	$(VENV)/bin/farhand demo $(ARGS)

test: setup system-packages check ## Everything: checks and all tests
	$(PYTEST) -n 2 -m "not webrtc and not browser and not process"
	$(PYTEST) --reruns 1 --max-suite-reruns 4 --rerun-show-tracebacks -m "webrtc or browser or process"
	$(MAKE) --no-print-directory test-web
	$(MAKE) --no-print-directory fuzz SECONDS=5

setup: $(STAMPS)/installed $(STAMPS)/npm ## .venv with the built wheel and the tools (quick when nothing changed)

$(STAMPS)/venv: scripts/make_venv.sh
	@mkdir -p $(STAMPS)
	test -x $(PY) || sh scripts/make_venv.sh
	@touch $@

$(STAMPS)/tools: $(STAMPS)/venv pyproject.toml constraints.txt
	$(PY) scripts/requirements.py > $(STAMPS)/requirements.txt
	$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt \
	  -r $(STAMPS)/requirements.txt --group dev
	@touch $@

$(STAMPS)/npm: $(STAMPS)/tools web/package-lock.json
	$(NPM) ci --no-audit --no-fund
	@touch $@

# The stamp, not the page itself: a page that is older than its sources is built again.
$(STAMPS)/console: $(STAMPS)/npm $(WEB_SOURCES)
	$(NPM) run build --workspace console
	test -f $(WWW)
	@touch $@

$(STAMPS)/installed: $(STAMPS)/tools $(STAMPS)/console $(PY_SOURCES) pyproject.toml hatch_build.py README.md LICENSE
	rm -rf $(STAMPS)/wheel
	$(PY) -m build --wheel --no-isolation --outdir $(STAMPS)/wheel . > $(STAMPS)/wheel.log || { cat $(STAMPS)/wheel.log; exit 1; }
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall $(STAMPS)/wheel/*.whl
	@touch $@

.PHONY: system-packages
system-packages:
	@sh scripts/system_packages.sh

check: $(STAMPS)/tools $(STAMPS)/npm ## Format, lint, types, layers, generated files; Python and TypeScript
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	PYTHONPATH=src $(VENV)/bin/lint-imports
	PYTHONPATH=src $(PY) scripts/gen_protocol.py --check
	$(PY) scripts/performance_page.py --check
	PYTHONPATH=src $(PY) scripts/cli_page.py --check
	$(NPM) run --silent lint
	$(NPM) run --silent types

fmt: $(STAMPS)/tools $(STAMPS)/npm ## Format and fix what can be fixed
	$(VENV)/bin/ruff check --fix --exit-zero .
	$(VENV)/bin/ruff format .
	$(NPM) run --silent fmt

test-unit: setup test-web ## No browser, no network, under a minute
	$(PYTEST) -n 2 -m "not webrtc and not browser and not process and not slow"

test-web: $(STAMPS)/npm
	$(NPM) run --silent test

bench: bench-peers ## Measure beside the peers (ARGS="video --quick")
	$(VENV)/bin/farhand bench $(ARGS)

bench-peers: setup
	@$(PY) -m farhand.kits.bench.peers.presence

measure: bench-peers ## All benches anew into docs/bench, on a machine that does nothing else (NAMES="video")
	$(PY) scripts/measure.py $(NAMES)

proofs: setup ## The safety rules: state machines, and a mutant for each rule
	FARHAND_PROOF_EXAMPLES=$${FARHAND_PROOF_EXAMPLES:-20000} \
	FARHAND_PROOF_STEPS=$${FARHAND_PROOF_STEPS:-1000000} $(PYTEST) tests/proofs # a million steps

SECONDS ?= 60
fuzz: setup ## Each decoder of remote bytes, SECONDS each
	$(PY) scripts/fuzz.py $(SECONDS)

MINUTES ?= 10
soak: setup ## The demo under load for MINUTES; fails when memory grows
	$(PY) scripts/soak.py $(MINUTES)

gen: $(STAMPS)/tools $(STAMPS)/npm ## Files made from the wire structs
	PYTHONPATH=src $(PY) scripts/gen_protocol.py

performance: $(STAMPS)/tools ## docs/performance.md from the raw figures in docs/bench
	$(PY) scripts/performance_page.py

picture: setup ## The README's picture of the console
	$(PY) scripts/picture.py

console: $(STAMPS)/console ## The console, into the package

clean: ## Everything that was built; not .venv
	rm -rf $(STAMPS) dist src/farhand/server/www .mypy_cache .ruff_cache .hypothesis .import_linter_cache \
	  .pytest_cache .coverage .coverage.*
