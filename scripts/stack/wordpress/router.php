<?php
// PHP's own server knows no rewrite rules: files are served as they are, every other path is WordPress's.
$root = $_SERVER['DOCUMENT_ROOT'];
$path = rawurldecode((string) parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
$file = realpath($root . $path);
if ($path !== '/' && $file && str_starts_with($file, "$root/")) {
	if (is_file($file)) {
		return false;
	}
	if (is_file("$file/index.php")) {
		if (!str_ends_with($path, '/')) {
			header("Location: $path/", true, 301);
			return true;
		}
		chdir($file);
		$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = $path . 'index.php';
		require "$file/index.php";
		return true;
	}
}
chdir($root);
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = '/index.php';
require "$root/index.php";
