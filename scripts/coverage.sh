#!/usr/bin/env bash
# Merges coverage profiles and refuses less than 85 % of lib, of scheduled, of packages, or of the three together. A statement
# counts as covered when any profile has reached it. Files that scripts/coverage-exclude.txt names are left out.
#   coverage.sh OUT PROFILE...   writes the merged profile to OUT, for go tool cover -html=OUT
#   COVERAGE_LEAST               another bound than 85
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
least=${COVERAGE_LEAST:-85}
[[ $# -ge 2 ]] || { echo "usage: scripts/coverage.sh OUT PROFILE..." >&2; exit 2; }
out=$1
shift

# A profile's line: module/path/file.go:from,to statements count
awk -v module="$(go list -m)/" '
  FILENAME == "scripts/coverage-exclude.txt" { if ($0 !~ /^(#|$)/) exclude[++n] = $0; next }
  $1 == "mode:" { next }
  {
    file = substr($1, length(module) + 1)
    sub(/:[0-9.,]+$/, "", file)
    if (!(file in counted)) {
      counted[file] = 1
      for (i = 1; i <= n; i++) if (file ~ exclude[i]) counted[file] = 0
    }
    if (!counted[file]) next
    block = $1 " " $2
    if (!(block in hits)) order[++blocks] = block
    if ($3 > 0) hits[block] = 1; else hits[block] += 0
  }
  END { print "mode: set"; for (i = 1; i <= blocks; i++) print order[i], hits[order[i]] }
' scripts/coverage-exclude.txt "$@" >"$out"

awk -v module="$(go list -m)/" -v least="$least" '
  function line(name, covered, all) {
    share = all ? 100 * covered / all : 0
    printf "coverage of %-10s %5.1f %% of %5d statements (at least %s)\n", name ":", share, all, least
    if (share < least) short = 1
  }
  $1 == "mode:" { next }
  {
    group = substr($1, length(module) + 1)
    sub(/\/.*/, "", group)
    all[group] += $2; total += $2
    if ($3 > 0) { covered[group] += $2; reached += $2 }
  }
  END {
    line("lib", covered["lib"], all["lib"])
    line("scheduled", covered["scheduled"], all["scheduled"])
    line("packages", covered["packages"], all["packages"])
    line("all three", reached, total)
    exit short
  }
' "$out"
