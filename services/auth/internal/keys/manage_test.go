package keys_test

import (
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/authtest"
	"github.com/atrium-mesh/atrium/services/auth/internal/keys"
)

func rotate(t *testing.T, r *keys.Ring, compromised bool) []api.SigningKey {
	t.Helper()
	ctx := authtest.As(t.Context(), uuid.Must(uuid.NewV7()), api.PermKeysRotate)
	out, err := r.Rotate(ctx, &api.RotateKeysRequest{Body: api.KeyRotation{Compromised: compromised}})
	require.NoError(t, err)
	text, err := json.Marshal(out.Body)
	require.NoError(t, err)
	require.NotContains(t, string(text), "private")
	return out.Body.Keys
}

func (b *bundle) audits(t *testing.T, where string) (n int) {
	t.Helper()
	require.NoError(t, b.pool.QueryRow(t.Context(), "SELECT count(*) FROM audit_log WHERE action = 'key.rotated' AND "+where).Scan(&n))
	return n
}

func states(list []api.SigningKey) []string {
	out := make([]string, len(list))
	for i, k := range list {
		out[i] = k.State
	}
	return out
}

func TestRotate_signs_after_publication_and_no_token_fails(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.ring(t)
	require.NoError(t, r.Tick(t.Context()))
	b.clock.Advance(time.Hour)
	before, old := keySet(t, r), sign(t, r)

	made := rotate(t, r, false)
	require.Equal(t, []string{api.KeySigning, api.KeyPending}, states(made))
	require.Equal(t, b.clock.Now().Add(time.Hour).Truncate(time.Microsecond), made[1].SignsFrom)
	require.Equal(t, made[1].SignsFrom, *made[0].SignsUntil)
	require.Len(t, keySet(t, r).Keys, 2, "it is published at once")
	require.True(t, verifies(t, before, sign(t, r)), "the old key signs on, for those who have an old copy")
	require.Equal(t, made, rotate(t, r, false), "while a successor is waiting, nothing is made")
	require.Equal(t, 1, b.audits(t, "subject = '"+made[1].KeyID+"' AND details ->> 'retired' = '"+made[0].KeyID+"'"))

	b.clock.Advance(time.Hour)
	require.NoError(t, r.Tick(t.Context()))
	require.False(t, verifies(t, before, sign(t, r)), "the new key signs")
	require.True(t, verifies(t, keySet(t, r), old))
	out, err := r.List(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, []string{api.KeyRetired, api.KeySigning}, states(out.Body.Keys))
	require.Equal(t, 1, b.audits(t, "true"))
}

func TestRotate_compromised_withdraws_every_key_at_once(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r, other := b.ring(t, "ES256", "RS256"), b.ring(t, "ES256", "RS256")
	require.NoError(t, r.Tick(t.Context()))
	require.NoError(t, other.Tick(t.Context()))
	b.clock.Advance(time.Hour)
	waiting := rotate(t, r, false)
	require.Len(t, waiting, 4)
	require.NoError(t, other.Tick(t.Context()))
	b.clock.Advance(time.Second)
	stolen, before := sign(t, r), keySet(t, r)

	now := rotate(t, r, true)
	require.Equal(t, []string{api.KeySigning, api.KeySigning}, states(now))
	for _, gone := range waiting {
		require.NotContains(t, []string{now[0].KeyID, now[1].KeyID}, gone.KeyID)
	}
	require.False(t, verifies(t, keySet(t, r), stolen))
	require.True(t, verifies(t, keySet(t, r), sign(t, r)))
	require.False(t, verifies(t, before, sign(t, r)), "nothing is signed with what was stolen")
	require.Equal(t, 2, b.audits(t, "(details ->> 'compromised')::bool AND jsonb_array_length(details -> 'withdrawn') = 4"))

	// The replica that was not asked has read the table a second ago.
	require.False(t, verifies(t, keySet(t, other), stolen), "it does not publish what was withdrawn")
	require.True(t, verifies(t, keySet(t, r), sign(t, other)), "and does not sign with it")
	require.NoError(t, other.Tick(t.Context()))
	require.Len(t, keySet(t, other).Keys, 2, "nothing is due")
}

func TestRotate_together_makes_one_successor(t *testing.T) {
	t.Parallel()
	for name, compromised := range map[string]bool{"planned": false, "compromised": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			rings := []*keys.Ring{b.ring(t), b.ring(t), b.ring(t), b.ring(t)}
			require.NoError(t, rings[0].Tick(t.Context()))
			b.clock.Advance(time.Hour)
			var wg sync.WaitGroup
			answers := make([][]api.SigningKey, len(rings))
			for i, r := range rings {
				wg.Go(func() { answers[i] = rotate(t, r, compromised) })
			}
			wg.Wait()
			for _, answer := range answers {
				require.Equal(t, answers[0], answer)
			}
			require.Equal(t, 1, b.audits(t, "true"))
		})
	}
}

func TestRotate_database_away(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.ring(t)
	require.NoError(t, r.Tick(t.Context()))
	b.pool.Close()
	_, err := r.Rotate(t.Context(), &api.RotateKeysRequest{})
	require.ErrorIs(t, err, errs.Unavailable)
	_, err = r.List(t.Context(), nil)
	require.ErrorIs(t, err, errs.Unavailable)
}
