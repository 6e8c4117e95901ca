</main>
<footer class="site">
	<div class="wrap">
		<p><?php bloginfo('name'); ?> · a local demonstration site. Nothing here is legal advice.</p>
	</div>
</footer>
<?php wp_footer(); ?>
</body>
</html>
