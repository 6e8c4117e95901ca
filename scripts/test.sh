#!/usr/bin/env bash
# Runs every test against the servers that make up started, with the race detector, and refuses less than 85 % coverage
# of lib and scheduled. A test that finds no server fails (CI is set) instead of being skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
stack=${BLOGPOSTER_STACK:-/var/lib/blogposter-dev}
set -a
# shellcheck disable=SC1091 # made by scripts/stack/up.sh
. "$stack/stack.env"
set +a
export CI=${CI:-1}
least=85
mkdir -p .build
go vet ./...
# Two packages run without the race detector: the offline model's composer has no goroutines, and the end-to-end test runs
# that composer in its own process and the functions in theirs. It would only make their articles take minutes.
plain=(blogposter/scripts/modelserver/compose blogposter/scripts/e2e)
mapfile -t packages < <(go list ./... | grep -vxF -f <(printf '%s\n' "${plain[@]}"))
go test -race -timeout 20m -coverprofile=.build/coverage.out -coverpkg=./lib/...,./scheduled/... "${packages[@]}"
go test -timeout 20m "${plain[@]}"
# Test doubles and test fixtures are not product code.
grep -vE 'test/[a-z_]+\.go:' .build/coverage.out >.build/coverage.product.out
total=$(go tool cover -func=.build/coverage.product.out | awk '/^total:/{sub("%","",$3); print $3}')
echo "coverage of lib and scheduled: $total % (at least $least)"
awk -v got="$total" -v least="$least" 'BEGIN { exit !(got >= least) }'
