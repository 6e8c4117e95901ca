// Package migrations embeds the SQL files so that tests and scripts/migrate
// run the very files that production runs.
package migrations

import "embed"

// FS holds every migration, applied in file-name order.
//
//go:embed *.sql
var FS embed.FS
