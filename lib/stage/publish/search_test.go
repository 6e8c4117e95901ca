package publish_test

var (
	yoast    = []string{"_yoast_wpseo_title", "_yoast_wpseo_metadesc", "_yoast_wpseo_focuskw", "_yoast_wpseo_canonical"}
	rankMath = []string{"rank_math_title", "rank_math_description", "rank_math_focus_keyword", "rank_math_canonical_url"}
)
