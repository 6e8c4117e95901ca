#!/usr/bin/env bash
# Starts real servers for development and tests on 127.0.0.1: PostgreSQL 15 with pgvector and pg_cron, Redis, an S3 server
# (versitygw) and WordPress 6.8. Installs what is missing, on Debian 12, as root. A second call changes nothing that runs.
#   up.sh              what the product runs on
#   up.sh --all        also what its tests need: a pooler (pgbouncer), Redis and S3 over TLS, WordPress on MariaDB, word vectors
#   BLOGPOSTER_STACK   its folder (/var/lib/blogposter-dev); stack.env in there says where the servers are
#   BP_PG_PORT BP_REDIS_PORT BP_S3_PORT BP_WP_PORT   other ports than 55432 56379 57070 58080
#   BP_POOLER_PORT BP_REDIS_TLS_PORT BP_S3_TLS_PORT BP_MARIADB_PORT BP_WP2_PORT   other ports than 56432 56380 57443 53306 58081
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$HERE/lib.sh"
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$HERE/env.sh"
# shellcheck source-path=SCRIPTDIR source=install.sh
. "$HERE/install.sh"
# shellcheck source-path=SCRIPTDIR source=servers.sh
. "$HERE/servers.sh"
# shellcheck source-path=SCRIPTDIR source=wordpress.sh
. "$HERE/wordpress.sh"
# shellcheck source-path=SCRIPTDIR source=extras.sh
. "$HERE/extras.sh"

ALL=
case ${1:-} in
  '') ;;
  --all) ALL=1 ;;
  *) die "unknown option $1: use up.sh or up.sh --all" ;;
esac
WANTED=("${SERVERS[@]}")
[[ -z $ALL ]] || WANTED+=("${EXTRAS[@]}")

unsupported() {
  die "$1" \
    "The local servers need Debian 12 on amd64 or arm64, root, Go and npm. Elsewhere, set these to servers of your own and try again:" \
    "DATABASE_URL MIGRATE_DATABASE_URL REDIS_URL S3_ENDPOINT S3_ACCESS_KEY S3_SECRET_KEY S3_BUCKET WP_URL WP_USER WP_APP_PASSWORD"
}

check_machine() {
  local id version tool
  # shellcheck disable=SC1091 # describes the machine, not this repository
  id=$(. /etc/os-release 2>/dev/null && echo "${ID:-}")
  # shellcheck disable=SC1091
  version=$(. /etc/os-release 2>/dev/null && echo "${VERSION_ID:-}")
  [[ $id == debian && $version == 12 ]] || unsupported "this is not Debian 12 (${id:-unknown} ${version:-})"
  [[ $EUID -eq 0 ]] || unsupported "not root: packages cannot be installed"
  case $(dpkg --print-architecture) in
    amd64 | arm64) ;;
    *) unsupported "no tested packages for the architecture $(dpkg --print-architecture)" ;;
  esac
  for tool in go npm make; do
    command -v "$tool" >/dev/null || unsupported "$tool is not on the PATH: install it first"
  done
}

# Before anything is started: a port that somebody else listens on, or a server of ours on another port than asked for.
check_ports() {
  local name port taken=()
  for name in "${WANTED[@]}"; do
    port=$(port_of "$name")
    [[ $port =~ ^[0-9]+$ ]] || die "$(port_variable "$name")=$port is not a port number"
    if running "$name"; then
      [[ "$(started_port "$name")" == "$port" ]] ||
        die "$(label "$name") already runs on port $(started_port "$name"), not $port: run scripts/stack/down.sh first"
      continue
    fi
    if orphaned "$name"; then end_group "$name"; fi
    if port_open "$port"; then
      taken+=("port $port for $(label "$name") is taken by another program: stop that, or set $(port_variable "$name") to a free port")
    fi
  done
  [[ ${#taken[@]} -eq 0 ]] || die "${taken[@]}"
}

all_up() {
  local name
  for name in "${WANTED[@]}"; do
    if ! running "$name" || ! port_open "$(port_of "$name")"; then return 1; fi
  done
  for name in "${WORDPRESSES[@]}"; do
    if running "$name" && [[ ! -s $(app_password "$name") ]]; then return 1; fi
  done
  [[ -z $ALL ]] || vectors_made
}

# job NAME FUNCTION runs FUNCTION beside the rest; finish NAME waits for it. set -m gives it a process group, so that
# leave_nothing_behind can end a compiler and its children.
declare -A JOBS=()
job() {
  set -m
  (
    DIE_STATUS=3
    "$2"
  ) </dev/null >"$STACK/logs/$1.log" 2>&1 &
  JOBS[$1]=$!
  set +m
}
finish() {
  local name=$1 hint=$2 rc=0
  [[ -n ${JOBS[$name]:-} ]] || return 0
  wait "${JOBS[$name]}" || rc=$?
  unset "JOBS[$name]"
  [[ $rc -ne 3 ]] || exit 1 # die has said why
  if [[ $rc -ne 0 ]]; then
    tail_of "$STACK/logs/$name.log"
    die "$hint (the lines above end $STACK/logs/$name.log)"
  fi
}
leave_nothing_behind() {
  local pid
  for pid in "${JOBS[@]}"; do kill -TERM -- "-$pid" 2>/dev/null || true; done
  release_services
}

# Starting a server is a job too; it says on fd 3 and 4 what the reader must know.
launch() { running "$1" || job "start-$1" "start_$1"; }
database() {
  if ! pgvector_installed; then
    build_pgvector
    say "pgvector built"
  fi
  start_postgres
}

# The extras start beside the rest; only WordPress on MariaDB takes longer than a blink.
launch_extras() {
  finish certificates "could not make the certificates of the local servers"
  launch redis_tls
  running pooler || pooler_fetched || say "fetching pgbouncer ..."
  launch pooler
  if ! running mariadb || ! running wordpress_mariadb; then
    [[ -s $(app_password wordpress_mariadb) ]] || say "setting up WordPress on MariaDB ..."
    job start-wordpress_mariadb start_mariadb_and_its_site
  fi
}
finish_extras() {
  launch s3_tls
  finish start-redis_tls "Redis did not start over TLS"
  finish start-pooler "the pooler did not start: check the network, from which it may have to be fetched"
  finish start-wordpress_mariadb "WordPress on MariaDB did not start"
  finish start-s3_tls "the S3 server did not start over TLS"
  finish vectors "could not make the word vectors of the offline model: check the network and try again"
}

up() {
  local missing
  mapfile -t missing < <(missing_packages "${PACKAGES[@]}")
  if [[ -n $ALL ]]; then
    mapfile -t -O "${#missing[@]}" missing < <(missing_packages "${EXTRA_PACKAGES[@]}")
    if ! vectors_made; then
      say "fetching word vectors ..."
      job vectors make_vectors
    fi
  fi
  if ! versitygw_built; then
    say "building the S3 server versitygw $VERSITYGW from source (the longest part, about a minute) ..."
    job versitygw build_versitygw
  fi
  if ! debian13_fetched || ! sqlite_dropin_fetched; then
    say "fetching WordPress and pgvector ..."
    debian13_fetched || job fetch-debian13 fetch_debian13
    sqlite_dropin_fetched || job fetch-npm fetch_sqlite_dropin
  fi
  if [[ ${#missing[@]} -gt 0 ]]; then
    say "installing Debian packages: ${missing[*]} ..."
    if ! install_packages "${missing[@]}" </dev/null >"$STACK/logs/packages.log" 2>&1; then
      tail_of "$STACK/logs/packages.log"
      die "could not install ${missing[*]} (the lines above end $STACK/logs/packages.log)"
    fi
    release_services
    say "Debian packages installed"
  fi
  launch redis
  [[ -z $ALL ]] || job certificates make_certificates
  finish fetch-debian13 "could not fetch WordPress and pgvector's source from Debian 13: check the network and try again, or use servers of your own"
  finish fetch-npm "could not fetch WordPress's SQLite drop-in with npm: check the network and try again"
  if ! running postgres; then
    pgvector_installed || say "building pgvector ..."
    job start-postgres database
  fi
  if ! running wordpress; then
    [[ -s $STACK/secrets/wp_application_password ]] || say "setting up WordPress ..."
    launch wordpress
  fi
  [[ -z $ALL ]] || launch_extras
  finish start-redis "Redis did not start"
  finish start-postgres "PostgreSQL did not start"
  finish start-wordpress "WordPress did not start"
  finish versitygw "could not build versitygw"
  launch s3
  finish start-s3 "the S3 server did not start"
  [[ -z $ALL ]] || finish_extras
}

if uses_own_servers; then
  mkdir -p "$STACK" 2>/dev/null || true
  [[ -w $STACK ]] || die "cannot write to $STACK: set BLOGPOSTER_STACK to a folder of yours"
  if [[ -n $ALL ]]; then
    vectors_made || make_vectors
    export MODEL_VECTORS=${MODEL_VECTORS:-$VECTORS}
  fi
  write_env own_env
  say "using your own servers, as the environment names them; wrote $STACK/stack.env"
  exit 0
fi

check_machine
umask 022
mkdir -p "$STACK"/{logs,run,bin,downloads}
# The servers run as other users than root. /root and folders below it are the usual mistake.
setpriv --reuid=www-data --regid=www-data --init-groups test -x "$STACK" ||
  die "only root can enter $STACK: set BLOGPOSTER_STACK to a folder below which everybody may enter"
install -d -m 700 "$STACK/secrets"
exec 9>"$STACK/.lock"
flock -w 600 9 || die "another up.sh or down.sh holds $STACK/.lock: wait for it to end"
check_ports
for name in "${WORDPRESSES[@]}"; do renew_site "$name"; done
if all_up; then
  write_env local_env
  for name in "${WANTED[@]}"; do say "$(label "$name") is already up on 127.0.0.1:$(port_of "$name")"; done
  exit 0
fi
for name in "${WANTED[@]}"; do
  if running "$name"; then say "$(label "$name") is already up on 127.0.0.1:$(port_of "$name")"; fi
done
trap leave_nothing_behind EXIT
up
write_env local_env
say "ready. Addresses and passwords: $STACK/stack.env; site http://127.0.0.1:$WP_PORT/ (user $WP_ADMIN, password in $STACK/secrets/wp_admin)"
