package editorial

import "time"

// Page is a web page as a reader returned it: what a Snapshot is made of.
type Page struct {
	URL         string
	Title       string
	Raw         []byte     // the reader's answer, byte for byte
	Text        string     // what quotes and byte offsets refer to
	PublishedAt *time.Time // as the page says, when it says
	Tokens      int64      // what the reader charged
	Worthless   string     // why it can't be cited, in words for an editor; "" when it can
}
