#!/usr/bin/env bash
# Says for each server of the local stack whether it runs, and where. Exit status 1 when one does not that up.sh starts
# without --all.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ./lib.sh

[[ $EUID -eq 0 ]] || die "only root can see whose process a pid is: run it as root"
rc=0
for name in "${SERVERS[@]}" "${EXTRAS[@]}"; do
  if running "$name"; then
    printf '%-22s up    127.0.0.1:%s  pid %s\n' "$(label "$name")" "$(started_port "$name")" "$(pid_of "$name")"
  else
    printf '%-22s down\n' "$(label "$name")"
    [[ " ${EXTRAS[*]} " == *" $name "* ]] || rc=1
  fi
done
exit $rc
