# shellcheck shell=bash
# Sourced by up.sh: the servers that only tests need. They stand in front of, or beside, those of servers.sh.

# Core packages alone: mariadb-server would add a system service. pgbouncer is unpacked for the same reason, beside its libraries.
EXTRA_PACKAGES=(libc-ares2 libevent-2.1-7 mariadb-client-core mariadb-server-core openssl php8.2-mysql)

pooler_fetched() { [[ -x $STACK/bin/pgbouncer ]]; }
fetch_pooler() {
  local b=$STACK/build-pooler
  rm -rf "$b"
  mkdir -p "$b" "$STACK/bin"
  cd "$b" || return
  # A machine that had all packages already may still lack apt's lists.
  "${APT[@]}" -o APT::Sandbox::User=root download pgbouncer ||
    { "${APT[@]}" update && "${APT[@]}" -o APT::Sandbox::User=root download pgbouncer; }
  dpkg-deb -x pgbouncer_*.deb .
  mv usr/sbin/pgbouncer "$STACK/bin/pgbouncer"
  cd "$STACK" || return
  rm -rf "$b"
}

# Every database of the server goes through it, also those that a test makes a moment from now. The names of databases come and
# go, so idle connections are given up soon. Its own console, database pgbouncer, answers SHOW to the functions' role.
pooler_conf() {
  local d=$STACK/pooler
  cat <<CONF
[databases]
* = host=127.0.0.1 port=$PG_PORT
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $POOLER_PORT
unix_socket_dir =
auth_type = scram-sha-256
auth_file = $d/users.txt
stats_users = blogposter_fn
pool_mode = transaction
default_pool_size = 4
max_db_connections = 10
max_client_conn = 200
server_idle_timeout = 10
autodb_idle_timeout = 30
server_login_retry = 1
CONF
}

start_pooler() {
  local d=$STACK/pooler
  pooler_fetched || fetch_pooler
  install -d -o www-data -g www-data -m 700 "$d"
  (
    umask 077
    pooler_conf >"$d/pgbouncer.ini"
    printf '"blogposter_fn" "%s"\n"blogposter_owner" "%s"\n' "$(secret pg_fn)" "$(secret pg_owner)" >"$d/users.txt"
  )
  chown www-data:www-data "$d/pgbouncer.ini" "$d/users.txt"
  spawn pooler "$d" "$STACK/bin/pgbouncer" "$d/pgbouncer.ini"
}

# make_certificates makes an authority that only this stack knows, and one certificate for all its servers.
make_certificates() {
  local d=$STACK/tls new=$STACK/tls.new
  [[ ! -s $d/server.crt ]] || return 0
  rm -rf "$d" "$new"
  install -d -m 755 "$new"
  local key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650)
  openssl req -x509 "${key[@]}" -subj "/CN=Blog-Poster local stack" -addext basicConstraints=critical,CA:TRUE \
    -addext keyUsage=critical,keyCertSign -keyout "$new/ca.key" -out "$new/ca.crt"
  openssl req -x509 "${key[@]}" -CA "$new/ca.crt" -CAkey "$new/ca.key" -subj /CN=127.0.0.1 \
    -addext subjectAltName=IP:127.0.0.1,DNS:localhost -addext basicConstraints=critical,CA:FALSE \
    -addext extendedKeyUsage=serverAuth -keyout "$new/server.key" -out "$new/server.crt"
  chmod 600 "$new/ca.key"
  chmod 644 "$new"/*.crt
  chown www-data:www-data "$new/server.key"
  chmod 600 "$new/server.key"
  mv "$new" "$d"
}

start_redis_tls() {
  local d=$STACK/redis_tls
  install -d -o www-data -g www-data -m 700 "$d"
  (
    umask 077
    cat >"$d/redis.conf" <<CONF
bind 127.0.0.1
port 0
tls-port $REDIS_TLS_PORT
tls-cert-file $STACK/tls/server.crt
tls-key-file $STACK/tls/server.key
tls-ca-cert-file $STACK/tls/ca.crt
tls-auth-clients no
requirepass $(secret redis)
dir $d
maxmemory 64mb
maxmemory-policy allkeys-lru
save ""
CONF
  )
  chown www-data:www-data "$d/redis.conf"
  spawn redis_tls "$d" "$STACK/bin/redis-server" "$d/redis.conf"
}

# The same buckets as the plain server's: what one has put, the other gives.
start_s3_tls() {
  local d=$STACK/s3
  ROOT_ACCESS_KEY=$(secret s3_access) ROOT_SECRET_KEY=$(secret s3_secret) \
    spawn s3_tls "$d" "$STACK/bin/versitygw-$VERSITYGW" --port "127.0.0.1:$S3_TLS_PORT" --region us-east-1 --iam-dir "$d/iam" \
    --cert "$STACK/tls/server.crt" --key "$STACK/tls/server.key" \
    posix --versioning-dir "$d/versions" "$d/buckets"
}

mariadb_conf() {
  local d=$STACK/mariadb
  cat <<CONF
[mariadbd]
datadir = $d/data
socket = $d/socket
pid-file = $d/pid
bind-address = 127.0.0.1
port = $MARIADB_PORT
# the site's database and account, at each start: safe to repeat
init-file = $d/site.sql
character-set-server = utf8mb4
skip-name-resolve
skip-log-bin
performance-schema = off
innodb-buffer-pool-size = 64M
innodb-flush-log-at-trx-commit = 0
CONF
}

start_mariadb() {
  local d=$STACK/mariadb
  install -d -o www-data -g www-data -m 700 "$d"
  (
    umask 077
    mariadb_conf >"$d/my.cnf"
    cat >"$d/site.sql" <<SQL
CREATE DATABASE IF NOT EXISTS wordpress;
CREATE USER IF NOT EXISTS 'wordpress'@'127.0.0.1';
ALTER USER 'wordpress'@'127.0.0.1' IDENTIFIED BY '$(secret mariadb_wordpress)';
GRANT ALL ON wordpress.* TO 'wordpress'@'127.0.0.1';
ALTER USER 'root'@'localhost' IDENTIFIED BY '$(secret mariadb_root)';
SQL
  )
  chown www-data:www-data "$d/my.cnf" "$d/site.sql"
  if [[ ! -d $d/data ]]; then
    # Renamed when whole, so that an interrupted run is not taken for a database.
    rm -rf "$d/new"
    (cd "$d" && setpriv --reuid=www-data --regid=www-data --init-groups mariadb-install-db --no-defaults --datadir="$d/new" \
      --auth-root-authentication-method=normal --skip-test-db)
    mv "$d/new" "$d/data"
  fi
  spawn mariadb "$d" mariadbd --defaults-file="$d/my.cnf"
}

start_mariadb_and_its_site() {
  running mariadb || start_mariadb
  running wordpress_mariadb || start_wordpress_mariadb
}

# The offline model's word vectors: a file, no server. vectors.sh does nothing when it is there.
VECTORS=$STACK/vectors/glove-100d.bin
vectors_made() { [[ -s $VECTORS ]]; }
make_vectors() { BLOGPOSTER_STACK=$STACK "$HERE/vectors.sh"; }
