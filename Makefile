# The commands of this repository. `make` without a target lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STATE := build/devcluster
DEVCLUSTER := $(BIN)/sluice-devcluster
QUICKSTART := $(BIN)/python -m sluice_devcluster.quickstart
MANIFESTS := $(BIN)/python -m sluice_manifests
PROJECTS := crds operator runtime devcluster manifests relay simulators clients/python dashboard/server cli
# Empty: the kind of cluster that is up, otherwise processes.
CLUSTER ?=
# The name of the kind cluster of `make up CLUSTER=kind`: sluice if it is empty.
KIND_CLUSTER_NAME ?=
# An image with Java and the emulator, instead of Google's.
EMULATOR_IMAGE ?=
TAPE ?=
SPEED ?= 1
NPM ?= npm
TENANT ?=
PAGE := dashboard/build/page
# Tests wait more than they compute, so this is more than the number of cores.
WORKERS ?= 3
# A worker runs a file of tests at a time, in the order of `testpaths`. By itself, xdist would start the files with few
# tests last, and among these are the longest.
IN_PARALLEL := -n $(WORKERS) --dist loadfile --no-loadscope-reorder
BENCH ?=
PLAN ?=
CHECKS ?=
SECONDS ?= 3600
REPOSITORY ?=
DOWNLOAD_URL ?=

DOCKER ?= docker
IMAGES ?= operator runtime
# `kind load` cannot load the attestations that BuildKit adds to an image by default.
export BUILDX_NO_DEFAULT_ATTESTATIONS ?= 1
PYTHON_BASE_IMAGE ?= $(shell sed -n 's/^PYTHON_BASE_IMAGE=//p' base-images.txt)
KIND_NODE_IMAGE ?=
VERSION ?= $(shell sed -n 's/^version = "\(.*\)"/\1/p' operator/pyproject.toml)
REVISION = $(shell git describe --always --dirty --abbrev=40 --exclude='*' 2>/dev/null || echo unknown)
# The origin of this clone if it is an https URL: a local path has no meaning for others.
SOURCE ?= $(or $(filter https://%,$(shell git config --get remote.origin.url)),unknown)
# pip's settings are passed by name: a variable that is not set is not set in the build either.
BUILD_ARGUMENTS = --build-arg PYTHON_BASE_IMAGE=$(PYTHON_BASE_IMAGE) \
  --build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) --build-arg SOURCE=$(SOURCE) \
  $(foreach name,PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_TRUSTED_HOST PIP_DEFAULT_TIMEOUT,--build-arg $(name)) \
  $(foreach name,HTTP_PROXY HTTPS_PROXY NO_PROXY,--build-arg $(name))

.PHONY: help
help: ## list the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-24s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/installed: requirements/dev.txt $(PROJECTS:%=%/pyproject.toml)
	@echo "installing into $(VENV) (the first time, this takes about a minute)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.11 ...")'
	@$(PYTHON) -m venv $(VENV) || { echo "python3 -m venv failed: on Debian, apt-get install python3-venv"; exit 1; }
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps $(PROJECTS:%=-e ./%)
	@touch $@

.PHONY: setup
setup: $(VENV)/installed ## create .venv and install sluice-operator and sluice-runtime into it

.PHONY: up
up: build-notice setup ## start cluster, emulator, operator and sample job; CLUSTER=kind uses Docker; TAPE=file [SPEED=n] replays a tape
	@DOCKER='$(DOCKER)' PYTHON_BASE_IMAGE='$(PYTHON_BASE_IMAGE)' $(QUICKSTART) up --state $(STATE) --manifests manifests \
	  --cluster '$(CLUSTER)' --kind-cluster-name '$(KIND_CLUSTER_NAME)' --kind-node-image '$(KIND_NODE_IMAGE)' \
	  --emulator-image '$(EMULATOR_IMAGE)' $(if $(TAPE),--tape '$(TAPE)') --speed $(SPEED)

# Before .venv exists, so that it is the first line: it needs no package.
.PHONY: build-notice
build-notice:
	@PYTHONPATH=devcluster/src:manifests/src $(PYTHON) -m sluice_devcluster.build_notice $(STATE) '$(CLUSTER)' 2>/dev/null || true

# Node's packages, installed again when the lock file changes.
dashboard/node_modules/installed: dashboard/package.json dashboard/package-lock.json
	@command -v $(NPM) >/dev/null && node -e 'const [major, minor] = process.versions.node.split("."); process.exit(+major > 20 || (+major === 20 && +minor >= 19) ? 0 : 1)' \
	  || { echo "Node.js 20.19 or later with npm is needed: install it from your distribution or from nodejs.org"; exit 1; }
	@echo "installing Node's packages into dashboard/node_modules (the first time, this takes about a minute)"
	@cd dashboard && $(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: page
page: dashboard/node_modules/installed ## build the dashboard's page into dashboard/build/page
	@echo "building the page"
	@cd dashboard && $(NPM) run --silent build:page -- --logLevel warn

.PHONY: dashboard
dashboard: setup ## show the quotes of `make up` in a browser, until `make down`; [TENANT=name]; the last line is the URL
	@$(QUICKSTART) check --state $(STATE) --manifests manifests
	@$(MAKE) --no-print-directory page
	@$(QUICKSTART) dashboard --state $(STATE) --manifests manifests --page $(PAGE) $(if $(TENANT),--tenant $(TENANT))

.PHONY: status
status: setup ## show the jobs and their quotes
	@$(QUICKSTART) status --state $(STATE) --manifests manifests

.PHONY: down
down: setup ## stop everything that `make up` started
	@$(DEVCLUSTER) down --state $(STATE)

.PHONY: kubeconfig
kubeconfig: setup ## print the path of the cluster's kubeconfig
	@$(DEVCLUSTER) kubeconfig --state $(STATE)

.PHONY: firestore-emulator-host
firestore-emulator-host: setup ## print the emulator's address
	@$(DEVCLUSTER) firestore-emulator-host --state $(STATE)

.PHONY: dashboard-test
dashboard-test: dashboard/node_modules/installed ## lint, type-check and test the dashboard's code (needs Node.js; seconds)
	@cd dashboard && $(NPM) run --silent lint
	@cd dashboard && $(NPM) run --silent typecheck
	@cd dashboard && $(NPM) run --silent test

.PHONY: test
test: setup dashboard-test page ## run unit, architecture and integration tests (the first run builds Kubernetes and helm, about 5 minutes)
	@$(DEVCLUSTER) build >/dev/null
	@$(MANIFESTS) tools >/dev/null
	@$(BIN)/pytest $(IN_PARALLEL)

.PHONY: test-waits
test-waits: setup page ## run the same Python tests and print the ten waits that needed the largest part of their deadline
	@$(DEVCLUSTER) build >/dev/null
	@$(MANIFESTS) tools >/dev/null
	@mkdir -p build && rm -f build/test-waits.jsonl
	@SLUICE_TEST_WAITS=$(CURDIR)/build/test-waits.jsonl $(BIN)/pytest -q $(IN_PARALLEL)
	@PYTHONPATH=tests $(BIN)/python -m support.waits build/test-waits.jsonl

# What depends on the API server's version: the policies, the CRD, the manifests, the watches of the pods over
# WebSockets, and stops through all of them.
KUBERNETES_TESTS := admission check_command documents gitops ingest_pod_image kubernetes_version manifests pause_admission \
  pause_rights platform_user_ids pod_pause_watch pod_shape policy_proof role_binding schema schema_sweep security \
  slot_leases stops stops_beyond_bounds stops_versions

.PHONY: test-kubernetes
test-kubernetes: setup ## run the tests of policies, CRD and stops on another Kubernetes: VERSION=1.30 (compiles it once)
	@SLUICE_KUBERNETES_VERSION=$(VERSION) $(DEVCLUSTER) build >/dev/null
	@$(MANIFESTS) tools >/dev/null
	@SLUICE_KUBERNETES_VERSION=$(VERSION) $(BIN)/pytest $(IN_PARALLEL) \
	  $(KUBERNETES_TESTS:%=tests/integration/test_%.py)

.PHONY: faults
faults: setup ## run the fault tests with each plan on a real API server; PLAN='create: lose POST pods 1' replays one
	@$(DEVCLUSTER) build >/dev/null
	@SLUICE_FAULT_PLANS=all SLUICE_FAULT_PLAN='$(PLAN)' \
	  $(BIN)/pytest -q -s $(if $(PLAN),tests/faults/test_worlds.py -k invariants,tests/faults)

.PHONY: faults-all
faults-all: faults ## run the fault tests, then those of outages, leaders, nodes, quotas and webhooks (needs libfaketime)
	@for seed in 1 2 3; do SLUICE_FAULT_SEED=$$seed $(BIN)/pytest -q tests/outages || exit 1; done

.PHONY: fault-soak
fault-soak: setup ## change 200 jobs at random while faults strike at random, for SECONDS (3600)
	@$(DEVCLUSTER) build >/dev/null
	@SLUICE_SOAK_JOBS=200 SLUICE_SOAK_SECONDS=$(SECONDS) $(BIN)/pytest -q -s tests/outages/test_soak.py

.PHONY: test-unit
test-unit: setup ## run the tests that need no cluster
	@$(BIN)/pytest -n 2 --dist loadfile tests/unit tests/architecture simulators/tests

.PHONY: coverage
coverage: setup ## measure the coverage (lines and branches) of the unit tests alone, and compare it with its floors
	@mkdir -p build
	@for name in contract operator runtime cli; do \
	  COVERAGE_FILE=build/coverage-$$name $(BIN)/pytest -q -n 2 --dist loadfile tests/unit/$$name --cov=sluice_$$name \
	    --cov-config=pyproject.toml --cov-report=term:skip-covered --cov-report=json:build/coverage-$$name.json || exit 1; done
	@PYTHONPATH=tests $(BIN)/python -m support.coverage_floors build

.PHONY: images
images: ## build the container images sluice-operator and sluice-runtime
	@for name in $(IMAGES); do \
	  echo "building sluice-$$name:$(VERSION)"; \
	  $(DOCKER) build --quiet $(BUILD_ARGUMENTS) --file $$name/Dockerfile --tag sluice-$$name:$(VERSION) . || exit 1; done

.PHONY: dashboard-image
dashboard-image: page ## build the container image sluice-dashboard, which serves the page
	@echo "building sluice-dashboard:$(VERSION)"
	@$(DOCKER) build --quiet $(BUILD_ARGUMENTS) --file dashboard/Dockerfile --tag sluice-dashboard:$(VERSION) .

# It builds images and a cluster of its own beside those of the other tests.
UP_ON_KIND := test_up_on_kind.py

.PHONY: e2e
e2e: setup ## run the tests on a kind cluster of their own (needs Docker, kind and kubectl; about 10 minutes)
	@DOCKER='$(DOCKER)' PYTHON_BASE_IMAGE='$(PYTHON_BASE_IMAGE)' KIND_NODE_IMAGE='$(KIND_NODE_IMAGE)' \
	  $(BIN)/pytest tests/e2e --ignore tests/e2e/$(UP_ON_KIND)

.PHONY: test-up-on-kind
test-up-on-kind: setup ## run make up CLUSTER=kind and the commands after it on a cluster of its own (2 minutes; needs what e2e needs)
	@DOCKER='$(DOCKER)' PYTHON_BASE_IMAGE='$(PYTHON_BASE_IMAGE)' KIND_NODE_IMAGE='$(KIND_NODE_IMAGE)' \
	  $(BIN)/pytest tests/e2e/$(UP_ON_KIND)

.PHONY: plugin
plugin: ## build kubectl-sluice, one file for PATH, and its completion into build/plugin (needs only Python)
	@$(PYTHON) cli/tools/build_plugin.py build/plugin

.PHONY: bench
bench: setup ## measure all that has a target; BENCH="--help" lists more, BENCH=stops measures stops under faults
	@PYTHONPATH=tests $(BIN)/python -m bench $(BENCH)

.PHONY: bench-compare
bench-compare: ## compare the last `make bench` with the recorded runs; exit code 1 if a figure is worse by more than chance
	@PYTHONPATH=tests $(BIN)/python -m bench.compare

.PHONY: bench-record
bench-record: ## add the last `make bench` to the recorded runs in tests/bench/recorded.json
	@PYTHONPATH=tests $(BIN)/python -m bench.compare --record

.PHONY: bench-operator
bench-operator: setup ## measure the operator beside two others; BENCH="burst --jobs 600" chooses, BENCH=--help lists
	@PYTHONPATH=tests $(BIN)/python -m bench.operator_cost $(BENCH)

.PHONY: soak
soak: setup ## run one pod at 1,000 quotes a second with a fault each minute, for SECONDS (3600)
	@PYTHONPATH=tests $(BIN)/python -m bench.soak $(SECONDS)

.PHONY: outage
outage: setup ## run one pod at 1,000 quotes a second while Firestore is stopped, then killed, for a minute (5 minutes)
	@PYTHONPATH=tests $(BIN)/python -m bench.outage

.PHONY: week
week: setup ## play the week of Thanksgiving with twelve faults, 20 times as fast, and check all that is reported (12 minutes)
	@PYTHONPATH=tests $(BIN)/python -m week

.PHONY: first-contact
first-contact: setup ## check Alpaca's test stream, Google's identity and a write to Firestore with your keys; CHECKS="stream identity firestore"
	@$(BIN)/sluice-runtime first-contact $(CHECKS)

.PHONY: lint
lint: setup ## run ruff, codespell, mypy --strict and import-linter
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/codespell
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

.PHONY: format
format: setup ## format the code
	@$(BIN)/ruff check --fix --quiet || true
	@$(BIN)/ruff format

.PHONY: crds
crds: setup ## generate the CRDs, their references, the plugin's data and the chart's copy from the types
	@$(BIN)/python -m sluice_contract .
	@$(MANIFESTS) chart manifests/chart

.PHONY: verdicts
verdicts: ## copy the sentences of clients/verdicts.json to the client libraries
	@cp clients/verdicts.json clients/python/src/sluice_client/verdicts.json
	@{ echo '// Generated by make verdicts from clients/verdicts.json.'; \
	  echo '// biome-ignore-all format: the file keeps the form of its source.'; \
	  printf 'export const VERDICT_TEXTS = %s as const;\n' "$$(cat clients/verdicts.json)"; } > dashboard/src/lib/verdictTexts.ts

.PHONY: chart
chart: setup ## generate the Grafana dashboards, and the Helm chart from the other folders of manifests
	@$(MANIFESTS) dashboards manifests/monitoring/dashboards
	@$(MANIFESTS) chart manifests/chart

.PHONY: verify
verify: setup ## check that the generated files are up to date
	@rm -rf build/verify && $(BIN)/python -m sluice_contract build/verify
	@$(MANIFESTS) dashboards build/verify/manifests/monitoring/dashboards
	@$(MANIFESTS) chart build/verify/manifests/chart
	@for file in $$(cd build/verify && find . -type f); do \
	  diff -u "$$file" "build/verify/$$file" || { echo "$$file is out of date: run make crds chart"; exit 1; }; done
	@diff -rq manifests/chart build/verify/manifests/chart || { echo "manifests/chart is out of date: run make chart"; exit 1; }
	@echo "the generated files are up to date"

.PHONY: release
release: setup ## check the tree, build the images, write the files of a release: VERSION=1.2.3 [REPOSITORY=host/path] [DOWNLOAD_URL=https://…]
	@$(MANIFESTS) check $(VERSION)
	@$(MAKE) --no-print-directory images VERSION=$(VERSION)
	@$(MANIFESTS) release $(if $(REPOSITORY),--repository $(REPOSITORY)) $(if $(DOWNLOAD_URL),--download-url $(DOWNLOAD_URL)) \
	  --source '$(SOURCE)' $(VERSION)

.PHONY: lock
lock: setup ## resolve requirements/*.in into hash-locked requirements/*.txt
	@for set in dev build operator runtime runtime-slim alpaca-server page-server; do \
	  $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --python-version 3.11 \
	    --custom-compile-command "make lock" $$([ $$set = dev ] || echo "--constraint requirements/dev.txt") \
	    requirements/$$set.in --output-file requirements/$$set.txt; done

.PHONY: lock-images
lock-images: setup ## write the digests of the base images into base-images.txt (needs Docker and their registry)
	@$(MANIFESTS) lock-images --docker '$(DOCKER)'

.PHONY: clean
clean: ## remove everything that was built or installed in this folder (caches outside stay)
	@[ ! -x $(DEVCLUSTER) ] || $(DEVCLUSTER) down --state $(STATE)
	@rm -rf $(VENV) build dashboard/node_modules dashboard/dist dashboard/build
