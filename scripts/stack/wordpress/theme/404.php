<?php get_header(); ?>
<h1>Nothing here</h1>
<p>This address leads to no article. <a href="<?php echo esc_url(home_url('/')); ?>">See the latest ones.</a></p>
<?php get_footer(); ?>
