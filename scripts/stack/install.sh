# shellcheck shell=bash
# Sourced by up.sh: brings onto the machine what the servers need and it lacks.

VERSITYGW=v1.8.0
# WordPress's SQLite drop-in travels inside this npm package; 3.1.56 holds 3.0.2, which works with WordPress 6.8.
WP_SQLITE_NPM=@wp-playground/cli@3.1.56
PACKAGES=(
  curl gcc libc6-dev unzip
  postgresql-15 postgresql-15-cron
  redis-tools # its redis-check-rdb is the server's binary too; redis-server would add a system service on port 6379
  php8.2-cli php8.2-curl php8.2-gd php8.2-mbstring php8.2-sqlite3 php8.2-xml
)
APT=(env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -q -y -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300)

# missing_packages PACKAGE... prints those that are not installed.
missing_packages() {
  local p
  for p in "$@"; do
    [[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" == installed ]] || echo "$p"
  done
}

# Debian starts a server when it installs one, and creates a default PostgreSQL cluster. Both are held back for the time of the
# installation only, and what stood in these files before comes back.
POLICY=/usr/sbin/policy-rc.d
CLUSTER_CONF=/etc/postgresql-common/createcluster.conf
hold_services() {
  if [[ ! -e $POLICY ]]; then
    printf '#!/bin/sh\n# by the Blog-Poster stack, while it installs packages\nexit 101\n' >"$POLICY"
    chmod 755 "$POLICY"
    RESTORE_POLICY=1
  fi
  mkdir -p "${CLUSTER_CONF%/*}"
  if [[ -e $CLUSTER_CONF ]]; then cp -a "$CLUSTER_CONF" "$STACK/createcluster.conf"; fi
  RESTORE_CLUSTER_CONF=1
  { [[ ! -e $CLUSTER_CONF ]] || cat "$CLUSTER_CONF"; echo 'create_main_cluster = false'; } >"$STACK/createcluster.new"
  install -m 644 "$STACK/createcluster.new" "$CLUSTER_CONF"
}

release_services() {
  [[ -z ${RESTORE_POLICY:-} ]] || rm -f "$POLICY"
  if [[ -n ${RESTORE_CLUSTER_CONF:-} ]]; then
    if [[ -e $STACK/createcluster.conf ]]; then
      mv "$STACK/createcluster.conf" "$CLUSTER_CONF"
    elif [[ -e /usr/share/postgresql-common/createcluster.conf ]]; then
      install -m 644 /usr/share/postgresql-common/createcluster.conf "$CLUSTER_CONF"
      rm -f "$CLUSTER_CONF.ucf-dist" # the package's copy, laid beside ours
    else
      rm -f "$CLUSTER_CONF"
    fi
    rm -f "$STACK/createcluster.new"
  fi
  RESTORE_POLICY='' RESTORE_CLUSTER_CONF=''
}

install_packages() {
  hold_services
  "${APT[@]}" update && "${APT[@]}" install --no-install-recommends "$@"
}

# Debian 13 has WordPress 6.8 and pgvector, but its binaries need a newer libc. Only plain PHP and source are taken from it,
# through lists in a folder of our own, checked by apt's signatures; the machine's apt never hears of Debian 13.
fetch_debian13() {
  local d=$STACK/downloads a mirror
  a=$d/apt
  rm -rf "$a"
  mkdir -p "$a"/{sources,lists/partial,cache/archives/partial,got}
  # The machine's own package cache is left alone: the other apt is rewriting it at this moment.
  # shellcheck disable=SC2016 # apt, not the shell, fills these in
  mirror=$(apt-get -o Dir::Cache="$a/cache" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= indextargets --format '$(RELEASE) $(REPO_URI)' | awk '$1 == "bookworm" && $2 ~ /\/debian\/$/ { print $2; exit }')
  [[ -n $mirror ]] || { echo "no Debian mirror with suite bookworm in /etc/apt"; return 1; }
  cat >"$a/sources/debian13.sources" <<SOURCES
Types: deb deb-src
URIs: $mirror
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCES
  # The machine's hooks stay out: some delete every package file after an update, while the other apt is installing them.
  printf '#clear APT::Update::%s;\n' Pre-Invoke Post-Invoke Post-Invoke-Success >"$a/no-hooks.conf"
  local get=("${APT[@]}" -c "$a/no-hooks.conf" -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$a/sources"
    -o Dir::State::lists="$a/lists" -o Dir::Cache="$a/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none
    -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false
    -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false)
  "${get[@]}" update
  cd "$a/got" || return
  # getid3, lodash and underscore: Debian's WordPress holds links to these packages' files.
  "${get[@]}" download wordpress php-getid3 libjs-lodash libjs-underscore
  "${get[@]}" source --tar-only --download-only pgvector
  # Moved when whole: half a package, after a broken-off download, must not be taken for one.
  rm -f "$d"/*.deb "$d"/pgvector_*.tar.*
  mv ./* "$d"
  rm -rf "$a"
}

fetch_sqlite_dropin() {
  local n=$STACK/downloads/npm
  rm -rf "$n"
  mkdir -p "$n"
  cd "$n" || return
  npm pack --loglevel=error "$WP_SQLITE_NPM"
  tar xzf wp-playground-cli-*.tgz
  mv package/sqlite-database-integration.zip "$STACK/downloads/"
  rm -rf "$n"
}

sqlite_dropin_fetched() { [[ -e $STACK/downloads/sqlite-database-integration.zip ]]; }
debian13_fetched() {
  compgen -G "$STACK/downloads/wordpress_*.deb" >/dev/null &&
    compgen -G "$STACK/downloads/libjs-underscore_*.deb" >/dev/null &&
    compgen -G "$STACK/downloads/pgvector_*.tar.gz" >/dev/null
}

pgvector_installed() {
  [[ -e /usr/share/postgresql/15/extension/vector.control && -e /usr/lib/postgresql/15/lib/vector.so ]]
}

# postgresql-server-dev-15 would pull in 300 MB of LLVM, of which a C extension needs nothing: its headers are
# unpacked instead, and a stand-in pg_config leads the build to them.
build_pgvector() {
  local b=$STACK/build
  rm -rf "$b"
  mkdir -p "$b/src"
  cd "$b" || return
  # A machine that had all packages already may still lack apt's lists.
  "${APT[@]}" -o APT::Sandbox::User=root download postgresql-server-dev-15 ||
    { "${APT[@]}" update && "${APT[@]}" -o APT::Sandbox::User=root download postgresql-server-dev-15; }
  dpkg-deb -x postgresql-server-dev-15_*.deb dev
  tar xzf "$STACK"/downloads/pgvector_*.tar.gz -C src --strip-components=1
  cat >pg_config <<PG_CONFIG
#!/bin/sh
$PG_BIN/pg_config "\$@" | sed 's#^/usr/include/postgresql#$b/dev&#'
PG_CONFIG
  chmod +x pg_config
  # OPTFLAGS= : no -march=native, so that a disk image moved to another processor still runs.
  make -C src -j"$(nproc)" PG_CONFIG="$b/pg_config" OPTFLAGS= with_llvm=no
  make -C src install PG_CONFIG="$b/pg_config" OPTFLAGS= with_llvm=no
  cd "$STACK" || return
  rm -rf "$b"
}

versitygw_built() { [[ -x $STACK/bin/versitygw-$VERSITYGW ]]; }

# Unoptimised (-N -l): a third less time to compile, which a newcomer waits for; its hashing is assembler either way.
# Without cgo, because the C compiler is being installed at the same time.
build_versitygw() {
  mkdir -p "$STACK/bin"
  GOBIN=$STACK/bin GOFLAGS='' GOWORK=off CGO_ENABLED=0 \
    go install -ldflags='-s -w' -gcflags='all=-N -l' "github.com/versity/versitygw/cmd/versitygw@$VERSITYGW"
  mv "$STACK/bin/versitygw" "$STACK/bin/versitygw-$VERSITYGW"
}
