// Package migrations holds the schema of users' database, one goose file a step.
package migrations

import "embed"

// FS is the migrations, for pg.Migrate.
//
//go:embed *.sql
var FS embed.FS
