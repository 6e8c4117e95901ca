#!/usr/bin/env bash
# Runs every test against the servers that scripts/stack/up.sh --all started, with the race detector, then those of what speaks to
# Postgres once more behind the pooler, and refuses too little coverage (scripts/coverage.sh). A test that finds no server fails
# (CI is set) instead of being skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
stack=${BLOGPOSTER_STACK:-/var/lib/blogposter-dev}
set -a
# shellcheck disable=SC1091 # made by scripts/stack/up.sh
. "$stack/stack.env"
set +a
export CI=${CI:-1}
module=$(go list -m)
counted=$module/lib/...,$module/scheduled/...,$module/packages/...
cover=$PWD/.build/coverage
rm -rf "$cover"
mkdir -p "$cover/functions"
go vet ./...

# These run without the race detector. The offline model's composer has no goroutines. The others run the functions in processes of
# their own, which it does not see, and their articles would take minutes in it.
alone=("$module/scripts/modelserver/compose")
spawning=("$module/scripts/e2e" "$module/scripts/network")
# Behind the pooler, in transaction mode, must pass what passes without.
pooled=("$module/lib/store/..." "$module/scripts/network")

mapfile -t packages < <(go list ./... | grep -vxF -f <(printf '%s\n' "${alone[@]}" "${spawning[@]}"))
go test -race -timeout 20m -coverprofile="$cover/unit.out" -coverpkg="$counted" "${packages[@]}"
go test -timeout 20m "${alone[@]}"

# The functions that these tests build count what they reach, and leave it in a folder when they end; a result from the test cache
# would leave nothing. What was built so is deleted: nobody shall deploy it.
trap 'rm -f packages/*/*/exec' EXIT
go test -count=1 -timeout 20m -exec "env 'GOFLAGS=-buildvcs=false -cover -coverpkg=$counted' GOCOVERDIR=$cover/functions" "${spawning[@]}"
go tool covdata textfmt -i="$cover/functions" -o="$cover/functions.out"

TEST_THROUGH_POOLER=1 go test -timeout 20m "${pooled[@]}"
scripts/coverage.sh "$cover/merged.out" "$cover/unit.out" "$cover/functions.out"
