<?php
// Copied into the site at each start; what differs between machines comes from the environment that up.sh sets.
define('DB_NAME', 'wordpress');
// MariaDB's, where the site has it; the SQLite drop-in looks at none of them.
define('DB_USER', 'wordpress');
define('DB_PASSWORD', (string) getenv('BP_WP_DB_PASSWORD'));
define('DB_HOST', (string) getenv('BP_WP_DB_HOST'));
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
// SQLite's file: outside the document root, so that nobody downloads it.
define('DB_DIR', getenv('BP_WP_ROOT') . '/database/');
define('DB_FILE', 'wordpress.sqlite');
$table_prefix = 'wp_';

foreach (['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'] as $name) {
	define("{$name}_KEY", hash('sha256', "$name key " . getenv('BP_WP_SALT')));
	define("{$name}_SALT", hash('sha256', "$name salt " . getenv('BP_WP_SALT')));
}

define('WP_HOME', getenv('BP_WP_URL'));
define('WP_SITEURL', getenv('BP_WP_URL'));
// Application passwords are refused over plain http anywhere but in a local environment.
define('WP_ENVIRONMENT_TYPE', 'local');
// A demo must not call home, update itself or depend on a network.
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('WP_ACCESSIBLE_HOSTS', '127.0.0.1,localhost');
define('AUTOMATIC_UPDATER_DISABLED', true);
define('WP_AUTO_UPDATE_CORE', false);
// Page views start no cron run that would compete for the four workers; GET /wp-cron.php runs what is due.
define('DISABLE_WP_CRON', true);
define('WP_DEFAULT_THEME', 'blogposter');
define('FS_METHOD', 'direct');

if (!defined('ABSPATH')) {
	define('ABSPATH', getenv('BP_WP_ROOT') . '/site/');
}
require_once ABSPATH . 'wp-settings.php';
