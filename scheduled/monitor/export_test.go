package monitor

// What a look decides without any room.
var (
	Differ = differ
	Copies = copies
)
