// Package migrations holds the schema of notifications' database, as goose files.
package migrations

import "embed"

// FS holds the *.sql files at its root.
//
//go:embed *.sql
var FS embed.FS
