package evidence_test

import (
	"fmt"

	"blogposter/lib/evidence"
)

// A model's quote has plain quotation marks; what is stored are the page's
// own bytes, grown to the whole sentence.
func ExampleLocate() {
	page := "They rest. Staff may not ask about the person’s disability."
	start, end, ok := evidence.Locate(page, "ask about the person's disability")
	start, end = evidence.Widen(page, start, end)
	fmt.Println(page[start:end], ok)
	// Output: Staff may not ask about the person’s disability. true
}
