<?php
add_action('after_setup_theme', function () {
	add_theme_support('title-tag');
	add_theme_support('post-thumbnails');
	add_theme_support('automatic-feed-links');
	add_theme_support('html5', ['search-form', 'gallery', 'caption', 'style', 'script']);
	// The emoji script would ask another host for pictures.
	remove_action('wp_head', 'print_emoji_detection_script', 7);
	remove_action('wp_print_styles', 'print_emoji_styles');
	remove_action('wp_head', 'wp_generator');
	add_filter('emoji_svg_url', '__return_false');
});

add_action('wp_enqueue_scripts', function () {
	// Presets for an editor of colours and sizes, 12 KB of them on every page, which this theme does not use.
	wp_dequeue_style('global-styles');
	// The file's time as version: an edit shows at the next reload.
	wp_enqueue_style('blogposter', get_stylesheet_uri(), [], (string) filemtime(get_stylesheet_directory() . '/style.css'));
});

add_action('wp_head', function () {
	$text = is_singular() ? get_the_excerpt() : get_bloginfo('description');
	printf("<meta name=\"description\" content=\"%s\">\n", esc_attr(wp_strip_all_tags($text)));
}, 1);

add_filter('excerpt_length', fn () => 36);
add_filter('excerpt_more', fn () => ' …');

/** The line under a title: date, author, and how long it takes to read at 230 words a minute, without what stands below the last line: sources and quotes. */
function blogposter_meta(): void {
	$text = get_the_content();
	$end = strrpos($text, '<!-- wp:separator');
	$text = wp_strip_all_tags($end === false ? $text : substr($text, 0, $end));
	$minutes = max(1, (int) round(str_word_count($text) / 230));
	printf(
		'<p class="meta"><time datetime="%s">%s</time> · %s · %d min read</p>',
		esc_attr(get_the_date('c')),
		esc_html(get_the_date('F j, Y')),
		esc_html(get_the_author()),
		$minutes
	);
}
