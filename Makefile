# `make` lists the targets. The two that matter: make demo, make test.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo up down wipe test test-short lint build bench coverage clean

STACK := $(or $(BLOGPOSTER_STACK),/var/lib/blogposter-dev)
BIN := .build/bin
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
export GOFLAGS := -buildvcs=false
# What make demo is told reaches the program through the environment: no shell ever reads it as code.
TOPIC ?=
SOURCES ?=
URL ?=
export TOPIC SOURCES URL

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: announce up programs ## run the main job once: a topic goes in, an article stands on a real WordPress (TOPIC=, SOURCES=, URL=)
	@$(BIN)/demo -stack "$(STACK)/stack.env" -topic "$$TOPIC" -sources "$$SOURCES" -url "$$URL"

up: ## install and start Postgres, Redis, S3 and WordPress on 127.0.0.1
	@scripts/stack/up.sh

down: ## stop all that make demo and make up started; data is kept
	@if [ -x $(BIN)/demo ]; then $(BIN)/demo -down; fi
	@scripts/stack/down.sh

wipe: down ## stop everything and delete its data
	@scripts/stack/down.sh --wipe
	@rm -rf .build/demo

.PHONY: announce programs
announce:
	@if [ -z "$${ANTHROPIC_API_KEY:-}" ]; then \
	  echo "Blog-Poster demo on the OFFLINE model (no ANTHROPIC_API_KEY is set): text is put together from the pages' own sentences; costs shown are list prices."; \
	else echo "Blog-Poster demo on Anthropic's models: this costs real money, at most \$$0.15."; fi

programs:
	@mkdir -p $(BIN)
	@[ -x $(BIN)/demo ] || echo "building the programs (the first time takes a minute) ..."
	@go build -o $(BIN)/ ./scripts/dev ./scripts/modelserver ./scripts/sourceserver ./scripts/demo ./scripts/site ./scripts/migrate

build: ## build every function as it is deployed
	@for f in packages/*/*/build.sh; do (cd "$$(dirname "$$f")" && ./build.sh); done

test: up ## pass every test, on real servers, with the race detector
	@scripts/test.sh

test-short: ## the tests that need no servers
	@go test ./...

lint: ## golangci-lint, go vet, gosec: no findings
	@go vet ./...
	@go run $(GOLANGCI) run ./...

bench: up programs ## print sizes, start times, and what a stage costs in SQL and milliseconds
	@scripts/bench.sh

clean: ## delete what was built
	@rm -rf .build packages/*/*/exec coverage*
