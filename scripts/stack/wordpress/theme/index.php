<?php get_header(); ?>
<?php if (is_archive()) : ?>
	<h1 class="listing"><?php echo wp_kses_post(get_the_archive_title()); ?></h1>
<?php elseif (is_search()) : ?>
	<h1 class="listing">Found for “<?php echo esc_html(get_search_query()); ?>”</h1>
<?php else : ?>
	<h1 class="listing">Latest articles</h1>
<?php endif; ?>
<?php if (!have_posts()) : ?>
	<p>No article is published yet.</p>
<?php endif; ?>
<?php while (have_posts()) : the_post(); ?>
	<article <?php post_class('teaser'); ?>>
		<h2><a href="<?php the_permalink(); ?>"><?php the_title(); ?></a></h2>
		<?php blogposter_meta(); ?>
		<?php the_excerpt(); ?>
	</article>
<?php endwhile; ?>
<?php the_posts_pagination(['prev_text' => 'Newer', 'next_text' => 'Older']); ?>
<?php get_footer(); ?>
