package store_test

import (
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
	"github.com/atrium-mesh/atrium/services/notifications/internal/recipients"
	"github.com/atrium-mesh/atrium/services/notifications/internal/store"
	"github.com/atrium-mesh/atrium/services/notifications/internal/store/migrations"
)

// TestWhoCountsAsProvedAfterTheUpgrade migrates people whom the version before knew.
func TestWhoCountsAsProvedAfterTheUpgrade(t *testing.T) {
	t.Parallel()
	first, err := migrations.FS.ReadFile("00001_init.sql")
	require.NoError(t, err)
	pool := pgtest.New(t, fstest.MapFS{"00001_init.sql": {Data: first}})
	person := func(email string, templates ...string) uuid.UUID {
		id := newID(t)
		_, err := pool.Exec(t.Context(), "INSERT INTO recipients (id, email) VALUES ($1, $2)", id, email)
		require.NoError(t, err)
		for _, template := range templates {
			_, err := pool.Exec(t.Context(), `INSERT INTO deliveries (id, org_id, recipient_id, channel, template, category, cause_id, state)
				VALUES ($1, 'default', $2, 'email', $3, 'security', $4, 'sent')`, newID(t), id, template, newID(t))
			require.NoError(t, err)
		}
		return id
	}
	verified := map[string]uuid.UUID{
		"signed up and verified":           person("a@example.com", "verification", "welcome"),
		"invited and accepted":             person("b@example.com", "invitation", "welcome"),
		"long ago, the deliveries purged":  person("c@example.com"),
		"long ago, and told things since":  person("d@example.com", "new_device", "notification"),
		"verified; the first mail is gone": person("e@example.com", "welcome"),
	}
	unverified := map[string]uuid.UUID{
		"signed up":                       person("f@example.com", "verification"),
		"asked again":                     person("g@example.com", "verification", "verification", "notification"),
		"invited":                         person("h@example.com", "invitation"),
		"whose registration is to arrive": person(""),
	}
	erased := person("", "verification", "welcome")
	_, err = pool.Exec(t.Context(), "UPDATE recipients SET erased_at = now() WHERE id = $1", erased)
	require.NoError(t, err)
	unverified["erased"] = erased

	require.NoError(t, pg.Migrate(t.Context(), pool, migrations.FS))
	isVerified := func(id uuid.UUID) (is bool) {
		require.NoError(t, pool.QueryRow(t.Context(), "SELECT verified_at IS NOT NULL FROM recipients WHERE id = $1", id).Scan(&is))
		return is
	}
	for name, id := range verified {
		require.True(t, isVerified(id), name)
	}
	for name, id := range unverified {
		require.False(t, isVerified(id), name)
	}

	// The version before still runs: it registers and verifies people with the statements that it has.
	for _, known := range []uuid.UUID{unverified["signed up"], person("i@example.com", "verification")} {
		require.False(t, isVerified(known))
		_, err := pool.Exec(t.Context(), `INSERT INTO deliveries (id, org_id, recipient_id, channel, template, category, cause_id)
			VALUES ($1, 'default', $2, 'email', 'welcome', 'account', $3)`, newID(t), known, newID(t))
		require.NoError(t, err)
		require.True(t, isVerified(known))
	}
}

func TestTheFirstProofCounts(t *testing.T) {
	t.Parallel()
	s, pool := setup(t)
	id, first := newID(t), time.Date(2026, 3, 2, 14, 4, 5, 0, time.UTC)
	apply := func(change func(tx *store.Tx) error) {
		t.Helper()
		require.NoError(t, s.InTx(t.Context(), change))
	}
	register := func(at *time.Time) {
		t.Helper()
		apply(func(tx *store.Tx) error {
			return tx.Register(t.Context(), recipients.Registration{ID: id, OrgID: "default", Email: "a@example.com", Verified: at})
		})
	}
	register(nil)
	got, err := s.Recipient(t.Context(), id)
	require.NoError(t, err)
	require.False(t, got.Verified)
	for _, at := range []time.Time{first, first.Add(time.Hour)} {
		apply(func(tx *store.Tx) error {
			return tx.Verify(t.Context(), recipients.Verification{ID: id, OrgID: "default", At: at})
		})
	}
	register(nil) // once more
	later := first.Add(2 * time.Hour)
	register(&later)
	var since time.Time
	require.NoError(t, pool.QueryRow(t.Context(), "SELECT verified_at FROM recipients WHERE id = $1", id).Scan(&since))
	require.True(t, since.Equal(first), since)
}
