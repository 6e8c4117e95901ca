# shellcheck shell=bash
# Sourced by up.sh: the file that tells programs where the servers are.

WP_ADMIN='admin'
TEST_KEYS=(TEST_DATABASE_URL TEST_FN_DATABASE_URL TEST_POOLER_FN_DATABASE_URL REDIS_TLS_URL S3_TLS_ENDPOINT STACK_CA_FILE
  WP_MARIADB_URL WP_MARIADB_APP_PASSWORD MODEL_VECTORS)
OWN_KEYS=(DATABASE_URL MIGRATE_DATABASE_URL REDIS_URL S3_ENDPOINT S3_BUCKET S3_ACCESS_KEY S3_SECRET_KEY WP_URL WP_USER WP_APP_PASSWORD)

# uses_own_servers: every variable is set, and not by a stack.env of ours that the caller has loaded.
uses_own_servers() {
  local key
  for key in "${OWN_KEYS[@]}"; do [[ -n ${!key:-} ]] || return 1; done
  [[ ! -s $STACK/secrets/pg_fn || $DATABASE_URL != *":$(cat "$STACK/secrets/pg_fn")@127.0.0.1:"* ]]
}

# Values go unquoted where a shell takes them as they are, else in single quotes.
pair() {
  local value=$2
  [[ $value != *[\'$'\n']* ]] || die "$1 holds a quote or a line break, which stack.env cannot: encode it (%27, %0A)"
  [[ $value =~ ^[A-Za-z0-9_@%+=:,./?~-]*$ ]] || value="'$value'"
  printf '%s=%s\n' "$1" "$value"
}

own_env() {
  local key
  for key in "${OWN_KEYS[@]}"; do
    [[ $key == WP_APP_PASSWORD ]] || pair "$key" "${!key}"
  done
  # WordPress shows it in groups of four, and takes it with or without the spaces.
  pair WP_APP_PASSWORD "${WP_APP_PASSWORD// /}"
  pair S3_REGION "${S3_REGION:-us-east-1}"
  for key in "${TEST_KEYS[@]}"; do
    [[ -z ${!key:-} ]] || pair "$key" "${!key}"
  done
}

local_env() {
  local pg=127.0.0.1:$PG_PORT owner fn
  owner=blogposter_owner:$(secret pg_owner)
  fn=blogposter_fn:$(secret pg_fn)
  pair DATABASE_URL "postgres://$fn@$pg/blogposter?sslmode=disable"
  pair MIGRATE_DATABASE_URL "postgres://$owner@$pg/blogposter?sslmode=disable"
  # Tests create databases of their own beside this one.
  pair TEST_DATABASE_URL "postgres://$owner@$pg/postgres?sslmode=disable"
  pair TEST_FN_DATABASE_URL "postgres://$fn@$pg/postgres?sslmode=disable"
  pair REDIS_URL "redis://default:$(secret redis)@127.0.0.1:$REDIS_PORT/0"
  pair S3_ENDPOINT "http://127.0.0.1:$S3_PORT"
  pair S3_REGION us-east-1
  pair S3_BUCKET blogposter
  pair S3_ACCESS_KEY "$(secret s3_access)"
  pair S3_SECRET_KEY "$(secret s3_secret)"
  pair WP_URL "http://127.0.0.1:$WP_PORT"
  pair WP_USER "$WP_ADMIN"
  pair WP_APP_PASSWORD "$(cat "$(app_password wordpress)")"
  extras_env
}

# An extra that runs is named, whether this call asked for it or an earlier one.
extras_env() {
  ! running pooler || pair TEST_POOLER_FN_DATABASE_URL "postgres://blogposter_fn:$(secret pg_fn)@127.0.0.1:$(started_port pooler)/postgres?sslmode=disable"
  ! running redis_tls || pair REDIS_TLS_URL "rediss://default:$(secret redis)@127.0.0.1:$(started_port redis_tls)/0"
  ! running s3_tls || pair S3_TLS_ENDPOINT "https://127.0.0.1:$(started_port s3_tls)"
  [[ ! -s $STACK/tls/ca.crt ]] || pair STACK_CA_FILE "$STACK/tls/ca.crt"
  if running wordpress_mariadb; then
    pair WP_MARIADB_URL "http://127.0.0.1:$(started_port wordpress_mariadb)"
    pair WP_MARIADB_APP_PASSWORD "$(cat "$(app_password wordpress_mariadb)")"
  fi
  ! vectors_made || pair MODEL_VECTORS "$VECTORS"
}

# write_env FUNCTION replaces stack.env in one move: who reads it never finds half of it.
write_env() {
  (umask 077 && "$1" >"$STACK/stack.env.new") && mv "$STACK/stack.env.new" "$STACK/stack.env"
}
