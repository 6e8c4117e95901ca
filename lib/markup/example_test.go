package markup_test

import (
	"fmt"
	"strings"

	"blogposter/lib/markup"
	"blogposter/lib/markup/markuptest"
)

func ExampleRender() {
	d := markuptest.Dossier()
	r, err := markup.Render(d)
	first, _, _ := strings.Cut(r.Markup, "\n")
	d.Draft.Markup = r.Markup
	page := "<h1>" + markup.Escape(d.Draft.Title) + "</h1>" + r.Markup // what a theme makes of it
	fmt.Println(first, err, len(markup.Missing(page, markup.Plain(*d.Draft))))
	// Output: <!-- wp:paragraph {"className":"bp-0123456789abcdef0123456789abcdef"} --> <nil> 0
}
