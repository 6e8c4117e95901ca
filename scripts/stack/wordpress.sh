# shellcheck shell=bash
# Sourced by up.sh: sets up and starts the WordPress sites. They are alike but for their database: wordpress has SQLite,
# wordpress_mariadb has MariaDB. Site NAME lives in $STACK/NAME.

WORDPRESSES=(wordpress wordpress_mariadb)

# app_password NAME prints where the site's application password is kept.
app_password() {
  case $1 in
    wordpress) echo "$STACK/secrets/wp_application_password" ;;
    *) echo "$STACK/secrets/${1}_application_password" ;;
  esac
}

unpack_wordpress() {
  local d=$STACK/$1 new=$STACK/$1/new p
  rm -rf "$new"
  mkdir -p "$new"
  for p in "$STACK"/downloads/*.deb; do dpkg-deb -x "$p" "$new"; done
  # -L follows the package's links to the other packages; two to cropper, which nothing here uses, lead nowhere.
  cp -rL "$new/usr/share/wordpress" "$new/site" 2>/dev/null || true
  cp /etc/ssl/certs/ca-certificates.crt "$new/site/wp-includes/certificates/ca-bundle.crt"
  mkdir -p "$new/site/wp-content"/{plugins,themes,uploads}
  if [[ $1 == wordpress ]]; then add_sqlite_dropin "$new"; fi
  [[ -e $new/site/wp-includes/version.php ]] || die "the WordPress package holds no WordPress: delete $STACK/downloads and try again"
  chown -R www-data:www-data "$new/site"
  mv "$new/site" "$d/site"
  rm -rf "$new"
}

add_sqlite_dropin() {
  local new=$1
  unzip -q "$STACK/downloads/sqlite-database-integration.zip" -d "$new/sqlite"
  mv "$new/sqlite/plugin-sqlite-database-integration" "$new/site/wp-content/plugins/sqlite-database-integration"
  cp "$new/site/wp-content/plugins/sqlite-database-integration/db.copy" "$new/site/wp-content/db.php"
}

# mirror FROM TO makes folder TO what FROM is. What has not changed is left alone, since the site may be answering.
mirror() {
  [[ -d $1 ]] || return 0
  if diff -rq "$1" "$2" >/dev/null 2>&1; then return; fi
  rm -rf "$2.new"
  cp -r "$1" "$2.new"
  # whatever the umask of the clone was, www-data must read them
  chmod -R a+rX "$2.new"
  rm -rf "$2"
  mv "$2.new" "$2"
}

# renew_site NAME copies what comes from the repository, at each call of up.sh, so that an edit shows.
renew_site() {
  local root=$STACK/$1 name
  [[ -d $root/site ]] || return 0
  mirror "$HERE/wordpress/theme" "$root/site/wp-content/themes/blogposter"
  mirror "$HERE/wordpress/mu-plugins" "$root/site/wp-content/mu-plugins"
  cmp -s "$HERE/wordpress/wp-config.php" "$root/site/wp-config.php" || cp "$HERE/wordpress/wp-config.php" "$root/site/wp-config.php"
  cmp -s "$HERE/wordpress/router.php" "$root/router.php" || cp "$HERE/wordpress/router.php" "$root/router.php"
  chmod a+r "$root/site/wp-config.php" "$root/router.php"
}

# provision.php answers with the application password, once; it is noted before anything else can fail.
provision_wordpress() {
  local file
  file=$(app_password "$1")
  (umask 077 && BP_WP_ADMIN_PASSWORD=$(secret wp_admin) BP_WP_NEW_PASSWORD=$([[ -s $file ]] || echo 1) \
    setpriv --reuid=www-data --regid=www-data --init-groups php8.2 <"$HERE/wordpress/provision.php" >"$file.new")
  if [[ -s $file.new ]]; then mv "$file.new" "$file"; else rm -f "$file.new"; fi
}

start_site() {
  local name=$1 d=$STACK/$1 port code
  port=$(port_of "$name")
  install -d -o www-data -g www-data -m 755 "$d" "$d/database"
  [[ -e $d/site/wp-includes/version.php ]] || unpack_wordpress "$name"
  renew_site "$name"
  export BP_WP_URL=http://127.0.0.1:$port BP_WP_ROOT=$d BP_WP_SALT
  BP_WP_SALT=$(secret wp_salt)
  provision_wordpress "$name"
  # Four workers: a page that calls its own site, and parallel publishing, need more than one.
  PHP_CLI_SERVER_WORKERS=4 spawn "$name" "$d/site" php8.2 -d opcache.enable_cli=1 -d memory_limit=256M \
    -d upload_max_filesize=32M -d post_max_size=32M -d display_errors=0 -d log_errors=1 \
    -S "127.0.0.1:$port" -t "$d/site" "$d/router.php"
  code=$(curl -sS -o /dev/null -w '%{http_code}' -K - "$BP_WP_URL/wp-json/wp/v2/users/me?context=edit" \
    <<<"user = \"$WP_ADMIN:$(cat "$(app_password "$name")")\"")
  [[ $code == 200 ]] || die "$(label "$name") refused its application password (HTTP $code): see $STACK/logs/$name.log"
}

start_wordpress() { start_site wordpress; }

start_wordpress_mariadb() {
  export BP_WP_DB_HOST=127.0.0.1:$MARIADB_PORT BP_WP_DB_PASSWORD
  BP_WP_DB_PASSWORD=$(secret mariadb_wordpress)
  start_site wordpress_mariadb
}
