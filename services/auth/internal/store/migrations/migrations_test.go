package migrations_test

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/pgtest"
	"github.com/atrium-mesh/atrium/services/auth/internal/address"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/migrations"
)

// Whoever signed up with a ς in the address before it was the same as σ still gets in, and nobody gets somebody else's account.
func TestFinalSigma(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t, migrations.FS)
	for i, key := range []string{"γιώργος@example.com", "νίκος@example.com", "νίκοσ@example.com", "ςς@example.com", "σς@example.com", "ada@example.com"} {
		_, err := pool.Exec(t.Context(), `INSERT INTO accounts (id, email, email_key, full_name, origin, created_at, updated_at)
			VALUES (gen_random_uuid(), $1, $1, 'Ada', 'sign_up', now() + make_interval(secs => $2), now())`, key, i)
		require.NoError(t, err)
	}
	text, err := fs.ReadFile(migrations.FS, "00021_final_sigma.sql")
	require.NoError(t, err)
	up, _, _ := strings.Cut(string(text), "-- +goose Down")
	_, err = pool.Exec(t.Context(), up)
	require.NoError(t, err)

	rows, err := pool.Query(t.Context(), "SELECT email || ' ' || email_key FROM accounts ORDER BY created_at, email")
	require.NoError(t, err)
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.ElementsMatch(t, []string{
		"γιώργος@example.com " + address.KeyOf("γιώργος@example.com"),
		"νίκος@example.com νίκος@example.com", // somebody has it with σ
		"νίκοσ@example.com νίκοσ@example.com",
		"ςς@example.com " + address.KeyOf("ςς@example.com"), // the first of two
		"σς@example.com σς@example.com",
		"ada@example.com ada@example.com",
	}, got)
}
