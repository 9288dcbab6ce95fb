package arch_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	creates = regexp.MustCompile(`(?mi)^\s*CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?(\w+)`)
	locks   = regexp.MustCompile(`(?mi)^\s*(?:ALTER TABLE (?:IF EXISTS )?(?:ONLY )?(\w+)|CREATE (?:UNIQUE )?INDEX (?:IF NOT EXISTS )?\w+ ON (\w+)|DROP INDEX (?:IF EXISTS )?(\w+))`)
	waits   = regexp.MustCompile(`(?mi)^\s*SET (?:LOCAL )?lock_timeout = '\d+s';`)
)

// unbounded is the first table that a migration locks, which is there before, without a bound on how long it waits for the lock; "" for none.
// While it waits, everybody behind it waits as well: one long report stands still the whole service that is being upgraded.
func unbounded(migration string) string {
	up, _, _ := strings.Cut(migration, "-- +goose Down")
	own := map[string]bool{}
	for _, m := range creates.FindAllStringSubmatch(up, -1) {
		own[m[1]] = true
	}
	bounded := waits.FindStringIndex(up)
	for _, at := range locks.FindAllStringSubmatchIndex(up, -1) {
		m := locks.FindStringSubmatch(up[at[0]:at[1]])
		table := m[1] + m[2] + m[3]
		if !own[table] && (bounded == nil || bounded[0] > at[0]) {
			return table
		}
	}
	return ""
}

func TestMigrations_wait_for_no_lock_without_a_bound(t *testing.T) {
	t.Parallel()
	var files []string
	for _, pattern := range []string{"services/*/internal/store/migrations/*.sql", "pkg/*/migrations/*.sql"} {
		found, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(pattern)))
		require.NoError(t, err)
		require.NotEmpty(t, found, pattern)
		files = append(files, found...)
	}
	found := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		if table := unbounded(string(text)); table != "" {
			found[file] = table
		}
	}
	require.Empty(t, found, "these lock a table that is in use: SET LOCAL lock_timeout = '5s' before")
}

func TestUnbounded(t *testing.T) {
	t.Parallel()
	for migration, want := range map[string]string{
		"-- +goose Up\nALTER TABLE users ADD COLUMN a int;\n-- +goose Down\n":                                     "users",
		"-- +goose Up\nALTER TABLE users ADD COLUMN a int;\nSET LOCAL lock_timeout = '5s';\n":                     "users",
		"-- +goose Up\nSET LOCAL lock_timeout = '5s';\nALTER TABLE users ADD COLUMN a int;\n":                     "",
		"-- +goose Up\nSET lock_timeout = '5s';\nALTER TABLE users ADD COLUMN a int;\n":                           "",
		"-- +goose Up\n-- ALTER TABLE users.\nSELECT 1;\n-- +goose Down\nALTER TABLE users DROP COLUMN a;\n":      "",
		"-- +goose Up\nCREATE TABLE a (id int);\nCREATE INDEX a_id ON a (id);\nALTER TABLE a ADD COLUMN b int;\n": "",
		"-- +goose Up\nCREATE TABLE a (id int);\nCREATE INDEX b_id ON b (id);\n":                                  "b",
		"-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY IF NOT EXISTS b_id ON b (id);\n":       "",
		"-- +goose Up\nDROP INDEX b_id;\n": "b_id",
	} {
		require.Equal(t, want, unbounded(migration), migration)
	}
}
