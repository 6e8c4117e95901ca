<?php
/**
 * Stand-ins for what real sites have and this one has not: plugins for search engines, and whatever blocks the REST API.
 * Each stands in for one request alone, whose header X-Stand-In names it: tests run side by side against the same site.
 * Only a local site has them.
 *
 *   yoast, yoast-posts        Yoast's fields, for posts and pages, or for posts alone; and its REST namespace
 *   yoast-silent              Yoast is there, and its fields are not registered for REST: WordPress drops them without a word
 *   rankmath, rankmath-posts  the same for Rank Math
 *   drops-meta                with one of these: a filter that empties what was registered
 *   refuse                    a security plugin that allows nobody the REST API: 403 in WordPress's words
 *   refuse-html               a firewall in front of WordPress: 403 with a page of its own
 */
if (wp_get_environment_type() !== 'local') {
	return;
}
$blogposter_stand_ins = array_filter(array_map('trim', explode(',', $_SERVER['HTTP_X_STAND_IN'] ?? '')));
if (!$blogposter_stand_ins) {
	return;
}

const BLOGPOSTER_FIELDS = [
	'yoast' => ['_yoast_wpseo_title', '_yoast_wpseo_metadesc', '_yoast_wpseo_focuskw', '_yoast_wpseo_canonical'],
	'rankmath' => ['rank_math_title', 'rank_math_description', 'rank_math_focus_keyword', 'rank_math_canonical_url'],
];

add_action('rest_api_init', function () use ($blogposter_stand_ins) {
	foreach (array_keys(BLOGPOSTER_FIELDS) as $plugin) {
		foreach ($blogposter_stand_ins as $name) {
			if (str_starts_with($name, $plugin)) {
				register_rest_route("$plugin/v1", '/version', ['methods' => 'GET', 'callback' => fn () => ['stand_in' => true], 'permission_callback' => '__return_true']);
			}
		}
	}
});

add_action('init', function () use ($blogposter_stand_ins) {
	foreach (BLOGPOSTER_FIELDS as $plugin => $fields) {
		$types = in_array($plugin, $blogposter_stand_ins, true) ? ['post', 'page'] : (in_array("$plugin-posts", $blogposter_stand_ins, true) ? ['post'] : []);
		foreach ($types as $type) {
			foreach ($fields as $field) {
				register_post_meta($type, $field, [
					'type' => 'string',
					'single' => true,
					'show_in_rest' => true,
					// A name that begins with _ is protected: nobody may write it unless this says so.
					'auth_callback' => fn () => current_user_can('edit_posts'),
				]);
			}
		}
	}
});

if (in_array('drops-meta', $blogposter_stand_ins, true)) {
	add_filter('update_post_metadata', fn ($done, $post, $key) => in_array($key, array_merge(...array_values(BLOGPOSTER_FIELDS)), true) ? true : $done, 10, 3);
}

if (in_array('refuse', $blogposter_stand_ins, true)) {
	add_filter('rest_authentication_errors', fn ($error) => new WP_Error('rest_cannot_access', 'Only authenticated users can access the REST API.', ['status' => 403]), 999);
}

if (in_array('refuse-html', $blogposter_stand_ins, true) && str_starts_with($_SERVER['REQUEST_URI'] ?? '', '/wp-json')) {
	status_header(403);
	header('Content-Type: text/html; charset=UTF-8');
	echo '<!doctype html><title>Forbidden</title><p>Your request was blocked.</p>';
	exit;
}
