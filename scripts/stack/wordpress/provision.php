<?php
// Installs the site when it is new. Prints an application password when BP_WP_NEW_PASSWORD asks for one, and nothing else.
$_SERVER['HTTP_HOST'] = parse_url(getenv('BP_WP_URL'), PHP_URL_HOST) . ':' . parse_url(getenv('BP_WP_URL'), PHP_URL_PORT);
$_SERVER['REQUEST_METHOD'] = 'GET';
$_SERVER['REQUEST_URI'] = '/';
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
define('WP_INSTALLING', true);
require getenv('BP_WP_ROOT') . '/site/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';

// Settings are made once: what somebody changes in wp-admin stays.
if (!is_blog_installed()) {
	add_filter('pre_wp_mail', '__return_true');
	wp_install('Working Dogs & the Law (demo)', 'admin', 'editor@example.test', true, '', getenv('BP_WP_ADMIN_PASSWORD'));
	update_option('blogdescription', 'Service dogs, working dogs and the rules that protect them');
	update_option('timezone_string', 'America/New_York');
	update_option('permalink_structure', '/%postname%/');
	update_option('default_comment_status', 'closed');
	update_option('default_ping_status', 'closed');
	wp_update_user(['ID' => 1, 'display_name' => 'The editors']);
	switch_theme('blogposter');
	// WordPress's own "Hello world!", sample page and privacy draft, and with them their comment.
	foreach (get_posts(['post_type' => ['post', 'page'], 'post_status' => 'any', 'numberposts' => -1, 'fields' => 'ids']) as $id) {
		wp_delete_post($id, true);
	}
}

if (getenv('BP_WP_NEW_PASSWORD')) {
	$made = WP_Application_Passwords::create_new_application_password(1, ['name' => 'blogposter ' . gmdate('Y-m-d H:i:s')]);
	if (is_wp_error($made)) {
		fwrite(STDERR, $made->get_error_message() . "\n");
		exit(1);
	}
	echo $made[0];
}
