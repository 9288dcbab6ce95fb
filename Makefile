# Everything a person or CI does with this repository. `make help` lists it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# What a person may set: make up ARGS="--demo", make bench BENCH=Gateway, make fuzz FUZZTIME=1m, make race PKG=./pkg/events/...,
# make images REGISTRY=ghcr.io/you/atrium TAG=v1 PLATFORMS=linux/amd64,linux/arm64
ARGS     ?=
BENCH    ?= .
COUNT    ?= 10
FUZZTIME ?= 15s
REQUESTS ?= 10000
SEED     ?= 0
PKG      ?=
REGISTRY ?=
TAG      ?=
PLATFORMS ?=

export PATH := $(CURDIR)/bin:$(PATH)

.PHONY: help
help: ## List what can be made
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

##@ Run

.PHONY: up build images
up: ## Start the whole mesh on this machine (ARGS="--demo --listen :9090")
	@$(MAKE) build
	@exec bin/atrium up $(ARGS)

build: ## Build bin/atrium and every service into bin/
	@scripts/build

images: bin/ko ## Build the image of each service into bin/images (REGISTRY=… pushes them; TAG, PLATFORMS)
	@scripts/images $(if $(REGISTRY),--registry $(REGISTRY)) $(if $(TAG),--tag $(TAG)) $(if $(PLATFORMS),--platforms $(PLATFORMS))

##@ Test

.PHONY: test test-short race cover e2e e2e-k8s bench fuzz fuzz-api
test: bin/helm ## Every test, with race detector, real PostgreSQL and NATS, and the coverage floor
	@scripts/deps gcc postgres
	@scripts/test --race --cover
	@scripts/cover

test-short: bin/helm ## The quick half: no race detector, no coverage, -short
	@scripts/deps postgres
	@scripts/test --short

race: bin/helm ## Hunt a race: COUNT runs of PKG=./services/auth/... with the race detector
	@scripts/deps gcc postgres
	go test -race -shuffle=on -count=$(COUNT) $(or $(PKG),$(error set PKG, for example PKG=./pkg/events/...))

cover: ## The coverage table of the last `make test`, and an HTML page of each service
	@scripts/cover --html

e2e: ## The whole story through the gateway: separate processes, and `atrium up`
	@scripts/deps postgres chromium
	@scripts/build
	ATRIUM_E2E_BIN=$(CURDIR)/bin go test -count=1 -v -timeout=20m ./test/e2e/... ./test/fuzzapi

e2e-k8s: bin/ko bin/helm ## The chart on a real cluster, under load, while everything happens to it (TESTFLAGS=-run=TestMesh)
	@scripts/deps postgres redis
	@scripts/e2e-k8s $(TESTFLAGS)

bench: ## Measure (BENCH=regexp); the numbers of docs/benchmarks.md come from here
	@scripts/deps postgres
	@scripts/bench '$(BENCH)'

fuzz: ## Every fuzz target for FUZZTIME each
	@scripts/fuzz '$(FUZZTIME)'

fuzz-api: ## Send REQUESTS=10000 odd requests, made from the contract, to a whole mesh (SEED=n repeats a run)
	@scripts/deps postgres
	go test -count=1 -v -timeout=60m ./test/fuzzapi -requests='$(REQUESTS)' -seed='$(SEED)'

##@ Keep in shape

.PHONY: lint fmt generate verify chart vuln tidy contract
lint: bin/golangci-lint ## golangci-lint over every module
	@scripts/lint

fmt: bin/golangci-lint ## gofumpt and import order, in place
	@scripts/lint --fix-format

generate: bin/sqlc ## Write again what is generated: queries, docs/openapi.json, docs/configuration.md, the chart's schema
	@scripts/generate

verify: bin/sqlc bin/golangci-lint bin/helm bin/kubeconform bin/kube-score bin/actionlint ## Fail when anything generated, formatted, tidied or promised is stale
	@scripts/verify

chart: bin/helm bin/kubeconform bin/kube-score ## Lint the chart, its value sets, and what is generated from values.yaml
	@scripts/chart

vuln: bin/govulncheck ## Known vulnerabilities in what the code calls
	@scripts/vuln

tidy: ## go mod tidy in every module
	@scripts/tidy

contract: bin/oasdiff ## Breaking changes of the HTTP contract since BASE=origin/main
	@scripts/contract '$(or $(BASE),origin/main)'

##@ Set up

.PHONY: deps tools clean
deps: ## Install what the tests need from the system: a C compiler, PostgreSQL (Debian, Homebrew)
	@scripts/deps gcc postgres

tools: bin/golangci-lint bin/sqlc bin/govulncheck bin/oasdiff bin/benchstat bin/ko bin/helm bin/kubeconform bin/kube-score bin/actionlint ## Build the pinned tools into bin/

clean: ## Remove bin/, coverage/ and the local mesh's data (.atrium/)
	rm -rf bin coverage .atrium

# A pinned tool: tools/<name>.mod says which version; it is built once, without cgo, and again when the file changes.
bin/%: tools/%.mod tools/%.sum
	@echo "building $* ($$(sed -n 's/^tool //p' $<))" >&2
	@GOWORK=off GOFLAGS= CGO_ENABLED=0 GOBIN=$(CURDIR)/bin go -C tools install -modfile=$*.mod tool
	@touch $@
