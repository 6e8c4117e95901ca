<?php get_header(); ?>
<?php while (have_posts()) : the_post(); ?>
	<article <?php post_class(); ?>>
		<header>
			<h1><?php the_title(); ?></h1>
			<?php if (is_single()) : blogposter_meta(); endif; ?>
		</header>
		<?php if (has_post_thumbnail()) : ?>
			<figure class="lead"><?php the_post_thumbnail('large'); ?></figure>
		<?php endif; ?>
		<div class="text"><?php the_content(); ?></div>
		<?php if (is_single()) : ?>
			<footer class="terms">
				<p>Filed under <?php the_category(', '); ?></p>
				<?php the_tags('<p class="tags">', ' ', '</p>'); ?>
			</footer>
		<?php endif; ?>
	</article>
<?php endwhile; ?>
<?php get_footer(); ?>
