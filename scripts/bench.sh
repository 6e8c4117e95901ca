#!/usr/bin/env bash
# Builds every function as it is deployed and measures it against the servers that make up started.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
set -a
# shellcheck disable=SC1091 # made by scripts/stack/up.sh
. "${BLOGPOSTER_STACK:-/var/lib/blogposter-dev}/stack.env"
set +a
make -s build
CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o .build/bin/ ./scripts/bench/hello ./scripts/bench/hellodb
go run ./scripts/bench
