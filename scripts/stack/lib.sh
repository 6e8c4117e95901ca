# shellcheck shell=bash
# shellcheck disable=SC2034 # the scripts that source this use them
# What up.sh, down.sh and status.sh share: where the stack lives, and which processes are its own.

# A path without spaces or quotes can go into configuration files and into stack.env as it is.
STACK=$(realpath -m -- "${BLOGPOSTER_STACK:-/var/lib/blogposter-dev}")
PG_PORT=${BP_PG_PORT:-55432}
REDIS_PORT=${BP_REDIS_PORT:-56379}
S3_PORT=${BP_S3_PORT:-57070}
WP_PORT=${BP_WP_PORT:-58080}
POOLER_PORT=${BP_POOLER_PORT:-56432}
REDIS_TLS_PORT=${BP_REDIS_TLS_PORT:-56380}
S3_TLS_PORT=${BP_S3_TLS_PORT:-57443}
MARIADB_PORT=${BP_MARIADB_PORT:-53306}
WP2_PORT=${BP_WP2_PORT:-58081}
PG_BIN=/usr/lib/postgresql/15/bin
SERVERS=(postgres redis s3 wordpress)
# What tests need beside them: the same servers as a network puts them, behind a pooler and behind TLS, and WordPress on its other database.
EXTRAS=(pooler redis_tls s3_tls mariadb wordpress_mariadb)

# Background jobs send their output to a log, so messages for the reader go to the script's own stdout and stderr.
exec 3>&1 4>&2
say() { printf '[%3ds] %s\n' "$SECONDS" "$*" >&3; }
DIE_STATUS=1
die() {
  local first=$1
  shift
  printf 'stack: %s\n' "$first" >&4
  [[ $# -eq 0 ]] || printf '  %s\n' "$@" >&4
  exit "$DIE_STATUS"
}

[[ $STACK =~ ^/[A-Za-z0-9._/-]+$ ]] ||
  die "BLOGPOSTER_STACK=$STACK holds characters other than letters, digits and ._/- : choose another folder"

label() {
  case $1 in
    postgres) echo PostgreSQL ;;
    redis) echo Redis ;;
    s3) echo "S3 (versitygw)" ;;
    wordpress) echo WordPress ;;
    pooler) echo "the pooler (pgbouncer)" ;;
    redis_tls) echo "Redis over TLS" ;;
    s3_tls) echo "S3 over TLS" ;;
    mariadb) echo MariaDB ;;
    wordpress_mariadb) echo "WordPress on MariaDB" ;;
  esac
}

port_of() {
  case $1 in
    postgres) echo "$PG_PORT" ;;
    redis) echo "$REDIS_PORT" ;;
    s3) echo "$S3_PORT" ;;
    wordpress) echo "$WP_PORT" ;;
    pooler) echo "$POOLER_PORT" ;;
    redis_tls) echo "$REDIS_TLS_PORT" ;;
    s3_tls) echo "$S3_TLS_PORT" ;;
    mariadb) echo "$MARIADB_PORT" ;;
    wordpress_mariadb) echo "$WP2_PORT" ;;
  esac
}

port_variable() {
  case $1 in
    postgres) echo BP_PG_PORT ;;
    redis) echo BP_REDIS_PORT ;;
    s3) echo BP_S3_PORT ;;
    wordpress) echo BP_WP_PORT ;;
    pooler) echo BP_POOLER_PORT ;;
    redis_tls) echo BP_REDIS_TLS_PORT ;;
    s3_tls) echo BP_S3_TLS_PORT ;;
    mariadb) echo BP_MARIADB_PORT ;;
    wordpress_mariadb) echo BP_WP2_PORT ;;
  esac
}

# Bash itself can knock at a port, so neither ss nor nc has to be installed.
port_open() { (exec 5<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Pids are recycled: a recorded pid is ours only while that process works inside our folder. All servers do.
# A zombie has no working folder, so it counts as stopped.
ours() { [[ -n $1 && "$(readlink "/proc/$1/cwd" 2>/dev/null)" == "$STACK"/* ]]; }

pid_of() {
  local file=$STACK/run/$1.pid pid=
  [[ $1 != postgres ]] || file=$STACK/postgres/data/postmaster.pid
  [[ -r $file ]] && read -r pid <"$file"
  echo "$pid"
}

running() { ours "$(pid_of "$1")"; }

# orphaned: the server's first process is gone, but children of it live on and keep its port, as PHP's workers do.
orphaned() {
  local pid stat
  pid=$(pid_of "$1")
  [[ -n $pid && $1 != postgres ]] && ! ours "$pid" || return 1
  for stat in /proc/[0-9]*/stat; do
    # the process group is the third field after the name, which stands in parentheses and may hold anything
    if [[ "$(sed 's/.*) //' "$stat" 2>/dev/null | cut -d' ' -f3)" == "$pid" ]] && ours "$(basename "${stat%/stat}")"; then return; fi
  done
  return 1
}

# end_group ends a server and its children: each is the leader of a process group of its own, see spawn in servers.sh.
end_group() {
  local name=$1 pid port
  pid=$(pid_of "$name") port=$(started_port "$name")
  kill -TERM -- "-$pid" 2>/dev/null || true
  for ((i = 0; i < 200; i++)); do
    if ! ours "$pid" && ! port_open "$port"; then return; fi
    sleep 0.05
  done
  say "$(label "$name") did not stop in 10 s, killing it"
  kill -KILL -- "-$pid" 2>/dev/null || true
}

# The port a running server was started with, which need not be the one the variables name now.
started_port() { cat "$STACK/run/$1.port" 2>/dev/null || true; }

tail_of() { [[ ! -r $1 ]] || tail -n 15 "$1" | cut -c1-300 >&4; }
