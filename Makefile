# `make` lists the targets. The two that matter: make demo, make test.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo up down wipe check test test-short lint fmt fmt-check golden migrate invoke build bench eval clean

STACK := $(or $(BLOGPOSTER_STACK),/var/lib/blogposter-dev)
BIN := .build/bin
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
export GOFLAGS := -buildvcs=false
# What make demo is told reaches the program through the environment: no shell ever reads it as code.
TOPIC ?=
SOURCES ?=
URL ?=
export TOPIC SOURCES URL
FN ?=
export FN

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: announce up programs ## run the main job once: a topic goes in, an article stands on a real WordPress (TOPIC=, or TOPIC=auto, SOURCES=, URL=)
	@if [ "$$TOPIC" = auto ]; then scripts/stack/vectors.sh; fi
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
	@go build -o $(BIN)/ ./scripts/dev ./scripts/modelserver ./scripts/sourceserver ./scripts/rivalserver ./scripts/demo ./scripts/site ./scripts/migrate

build: ## build every function as it is deployed
	@for f in packages/*/*/build.sh; do (cd "$$(dirname "$$f")" && ./build.sh); done

check: fmt-check lint test ## what CI runs

test: ## pass every test, on real servers, with the race detector
	@scripts/stack/up.sh --all
	@scripts/test.sh

test-short: ## the tests that need no servers
	@go test ./...

lint: ## golangci-lint, go vet, gosec: no findings
	@go vet ./...
	@go run $(GOLANGCI) run ./...

fmt: ## format all Go files (gofumpt, goimports)
	@go run $(GOLANGCI) fmt ./...

fmt-check: ## show what make fmt would change, and fail if anything
	@go run $(GOLANGCI) fmt --diff ./...

golden: ## write the golden files anew; read the diff before you commit it
	@go test ./lib/markup/... ./lib/crawl/... -update

migrate: ## apply the migrations that are missing to the stack's database
	@[ -r "$(STACK)/stack.env" ] || { echo "there is no stack yet: run make up" >&2; exit 1; }
	@set -a; . "$(STACK)/stack.env"; set +a; go run ./scripts/migrate

# The key goes to curl on a descriptor: on its command line every process could read it.
invoke: ## wake a function on the local platform that make demo started (FN=pipeline/draft)
	@[[ "$$FN" =~ ^[a-z]+/[a-z]+$$ ]] || { echo "name a function, such as FN=pipeline/draft" >&2; exit 1; }
	@key=$$(sed -n 's/^FUNCTIONS_ACCESS_KEY=//p' .build/demo/settings.env); \
	  [ -n "$$key" ] || { echo "there is no key yet: run make demo" >&2; exit 1; }; \
	  curl -sS --fail-with-body --max-time 10 -K <(printf 'user = "%s"\n' "$$key") -H 'Content-Type: application/json' -d '{}' \
	    "http://127.0.0.1:3233/api/v1/namespaces/_/actions/$$FN?blocking=false"; echo

bench: up programs ## print sizes, start times, and what a stage costs in SQL and milliseconds
	@scripts/bench.sh

eval: ## print what the product's choices rest on: how near labelled texts are, and the limits that part them
	@scripts/stack/vectors.sh
	@MODEL_VECTORS="$(STACK)/vectors/glove-100d.bin" go run ./scripts/eval

clean: ## delete what was built
	@rm -rf .build packages/*/*/exec coverage*
