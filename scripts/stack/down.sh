#!/usr/bin/env bash
# Stops the servers that up.sh started and keeps their data.
#   down.sh          stop
#   down.sh --wipe   stop, then delete databases, buckets, sites and passwords; downloads, word vectors and what was built stay
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ./lib.sh

case ${1:-} in
  '' | --wipe) ;;
  *) die "unknown option $1: use down.sh or down.sh --wipe" ;;
esac
[[ $EUID -eq 0 ]] || die "stopping the servers needs root: run it as root"

stop_postgres() {
  (cd / && setpriv --reuid=postgres --regid=postgres --init-groups \
    "$PG_BIN/pg_ctl" -D "$STACK/postgres/data" -m fast -w -t 30 stop >/dev/null) ||
    die "PostgreSQL did not stop in 30 s: see $STACK/logs/postgres.log"
}

mkdir -p "$STACK"
exec 9>"$STACK/.lock"
flock -w 600 9 || die "another up.sh or down.sh holds $STACK/.lock: wait for it to end"

# Clients before the servers they lean on.
for name in wordpress_mariadb mariadb pooler s3_tls redis_tls wordpress s3 redis postgres; do
  if running "$name" || orphaned "$name"; then
    if [[ $name == postgres ]]; then stop_postgres; else end_group "$name"; fi
    say "$(label "$name") stopped"
  elif [[ " ${SERVERS[*]} " == *" $name "* ]]; then
    say "$(label "$name") is not running"
  fi
  rm -f "$STACK/run/$name".{pid,port}
done

if [[ ${1:-} == --wipe ]]; then
  # Named one by one: a mistyped BLOGPOSTER_STACK must not cost anybody a folder.
  rm -rf "$STACK"/{postgres,redis,s3,wordpress,pooler,redis_tls,mariadb,wordpress_mariadb,tls,secrets,logs,run,stack.env}
  say "data in $STACK deleted"
fi
