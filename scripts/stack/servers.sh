# shellcheck shell=bash
# Sourced by up.sh: sets up and starts one server each. Every function may be repeated and never touches data that is there.

# secret NAME prints the password of that name, made at its first use and known to root only.
secret() {
  local file=$STACK/secrets/$1
  if [[ ! -s $file ]]; then
    (umask 077 && head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"$file.new" && mv "$file.new" "$file")
  fi
  cat "$file"
}

# spawn NAME FOLDER COMMAND... starts a server in FOLDER and notes its pid. It runs as www-data, an account that every Debian
# has and that owns nothing: none of these servers needs more. It gets a session of its own, so that down.sh can end its
# children with it, and none of our open files, or a pipe behind up.sh would wait for it.
spawn() {
  local name=$1 folder=$2
  shift 2
  (cd "$folder" && exec setsid setpriv --reuid=www-data --regid=www-data --init-groups "$@") \
    </dev/null >"$STACK/logs/$name.log" 2>&1 3>&- 4>&- 9>&- &
  echo $! >"$STACK/run/$name.pid"
  await "$name"
}

await() {
  local name=$1 pid port
  port=$(port_of "$name")
  for ((i = 0; i < 300; i++)); do
    if port_open "$port"; then
      echo "$port" >"$STACK/run/$name.port"
      say "$(label "$name") is up on 127.0.0.1:$port"
      return
    fi
    pid=$(pid_of "$name")
    [[ -e /proc/$pid ]] || break
    sleep 0.05
  done
  tail_of "$STACK/logs/$name.log"
  die "$(label "$name") did not start: see $STACK/logs/$name.log"
}

postgres_conf() {
  cat <<CONF
listen_addresses = '127.0.0.1'
port = $PG_PORT
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
# pgvector is not preloaded; these two only work when they are
shared_preload_libraries = 'pg_stat_statements,pg_cron'
cron.database_name = 'blogposter'
# jobs run as background workers: through a connection they would need a password
cron.use_background_workers = on
max_connections = 200
shared_buffers = 256MB
effective_cache_size = 1GB
work_mem = 4MB
# change capture for backups reads the log
wal_level = logical
# Tests create a database each, and syncing costs most of that. A power cut may ruin these databases, and they hold nothing that
# up.sh and the migrations cannot make again. synchronous_commit stays on: with it off, what was just committed is missing
# from the log that change capture reads.
fsync = off
full_page_writes = off
log_timezone = 'UTC'
timezone = 'UTC'
CONF
}

as_postgres() { (cd / && setpriv --reuid=postgres --regid=postgres --init-groups "$@" 3>&- 4>&- 9>&-); }

init_postgres() {
  local data=$STACK/postgres/data
  install -d -o postgres -g postgres -m 700 "$STACK/postgres"
  rm -rf "$STACK/postgres/new"
  # initdb runs as postgres, who may not read our secrets
  secret pg_superuser >/dev/null
  install -o postgres -g postgres -m 600 "$STACK/secrets/pg_superuser" "$STACK/postgres/password"
  as_postgres "$PG_BIN/initdb" -D "$STACK/postgres/new" -U postgres -E UTF8 --locale=C.UTF-8 --no-sync \
    --auth=scram-sha-256 --pwfile="$STACK/postgres/password"
  rm "$STACK/postgres/password"
  echo "include 'blogposter.conf'" >>"$STACK/postgres/new/postgresql.conf"
  # Renamed when whole, so that an interrupted initdb is not taken for a database.
  mv "$STACK/postgres/new" "$data"
}

psql_as_superuser() {
  PGPASSWORD=$(secret pg_superuser) OWNER_PASSWORD=$(secret pg_owner) FN_PASSWORD=$(secret pg_fn) \
    psql -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$PG_PORT" -U postgres "$@"
}

start_postgres() {
  local data=$STACK/postgres/data log=$STACK/logs/postgres.log
  [[ -s $data/PG_VERSION ]] || init_postgres
  postgres_conf >"$data/blogposter.conf"
  : >"$log"
  chown postgres:postgres "$log" "$data/blogposter.conf"
  as_postgres "$PG_BIN/pg_ctl" -D "$data" -l "$log" -w -t 60 start </dev/null ||
    { tail_of "$log"; die "PostgreSQL did not start: see $log"; }
  await postgres
  psql_as_superuser -d postgres -f "$HERE/postgres.sql"
  psql_as_superuser -d template1 -f "$HERE/extensions.sql"
  psql_as_superuser -d blogposter -f "$HERE/extensions.sql"
}

start_redis() {
  local d=$STACK/redis
  install -d -o www-data -g www-data -m 700 "$d"
  (
    umask 077
    cat >"$d/redis.conf" <<CONF
bind 127.0.0.1
port $REDIS_PORT
requirepass $(secret redis)
dir $d
maxmemory 256mb
maxmemory-policy allkeys-lru
appendonly yes
save 900 1 300 10 60 10000
CONF
  )
  chown www-data:www-data "$d/redis.conf"
  # The binary looks at the name it is called by.
  mkdir -p "$STACK/bin"
  ln -sfn /usr/bin/redis-check-rdb "$STACK/bin/redis-server"
  spawn redis "$d" "$STACK/bin/redis-server" "$d/redis.conf"
}

# s3 PATH CURL-OPTIONS... prints the status of a signed request. The key travels on stdin, where no process list shows it.
s3() {
  curl -sS -o /dev/null -w '%{http_code}' "${@:2}" -K - --aws-sigv4 aws:amz:us-east-1:s3 \
    -H "x-amz-content-sha256: UNSIGNED-PAYLOAD" "http://127.0.0.1:$S3_PORT$1" \
    <<<"user = \"$(secret s3_access):$(secret s3_secret)\""
}

start_s3() {
  local d=$STACK/s3 code
  install -d -o www-data -g www-data -m 700 "$d" "$d"/{buckets,versions,iam}
  ROOT_ACCESS_KEY=$(secret s3_access) ROOT_SECRET_KEY=$(secret s3_secret) \
    spawn s3 "$d" "$STACK/bin/versitygw-$VERSITYGW" --port "127.0.0.1:$S3_PORT" --region us-east-1 --iam-dir "$d/iam" \
    posix --versioning-dir "$d/versions" "$d/buckets"
  [[ "$(s3 /blogposter --head)" == 200 ]] || code=$(s3 /blogposter -X PUT)
  [[ ${code:-200} == 200 ]] || die "S3 refused to create bucket blogposter (HTTP $code): see $STACK/logs/s3.log"
}
