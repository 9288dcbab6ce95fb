package tokens_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/services/auth/internal/tokens"
)

type recorder struct {
	typ    string
	claims map[string]any
	err    error
}

func (r *recorder) Sign(_ context.Context, typ string, claims any) (string, error) {
	b, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	r.typ = typ
	return "signed", errors.Join(json.Unmarshal(b, &r.claims), r.err)
}

func TestIssue(t *testing.T) {
	t.Parallel()
	signer := &recorder{}
	access := tokens.NewAccess(tokens.Config{Issuer: "https://a.test", Audience: "atrium", TTL: 15 * time.Minute}, signer)
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	account, session := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())

	raw, err := access.Issue(t.Context(), tokens.Grant{
		Account: account, Session: session, OrgID: "default", Roles: []string{"support"}, Permissions: []string{"audit:read", "users:read"}, At: at,
	})
	require.NoError(t, err)
	require.Equal(t, "signed", raw)
	require.Equal(t, "at+jwt", signer.typ)
	id := signer.claims["jti"].(string)
	delete(signer.claims, "jti")
	require.Equal(t, map[string]any{
		"iss": "https://a.test", "sub": account.String(), "aud": []any{"atrium"}, "iat": float64(at.Unix()), "exp": float64(at.Unix() + 900),
		"client_id": "atrium", "sid": session.String(), "org_id": "default", "roles": []any{"support"}, "scope": "audit:read users:read", "type": "user",
	}, signer.claims)
	require.True(t, at.Equal(token.IssuedAt(id, time.Time{})), "the id tells the instant to the millisecond")
	require.Equal(t, uuid.Version(7), uuid.MustParse(id).Version())
	require.Equal(t, uuid.RFC4122, uuid.MustParse(id).Variant())
}

func TestIssue_signer_fails(t *testing.T) {
	t.Parallel()
	failure := errors.New("no key")
	_, err := tokens.NewAccess(tokens.Config{}, &recorder{err: failure}).Issue(t.Context(), tokens.Grant{At: time.Now()})
	require.ErrorIs(t, err, failure)
}

func TestInstant(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		now := time.UnixMicro(rapid.Int64Range(1, 1e15).Draw(t, "now"))
		notBefore := now.Add(time.Duration(rapid.Int64Range(-1e9, 1e9).Draw(t, "distance")))
		got := tokens.Instant(now, notBefore)
		require.Zero(t, got.Nanosecond()%1e6, "whole milliseconds")
		require.False(t, got.Before(notBefore), "never older than the watermark")
		require.LessOrEqual(t, got.Sub(later(now, notBefore)).Abs(), time.Millisecond)
	})
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	family := tokens.NewFamily([]byte("0123456789abcdef0123456789abcdef"))
	first, err := family.First()
	require.NoError(t, err)

	t.Run("survives_the_client", func(t *testing.T) {
		t.Parallel()
		back, ok := tokens.ParseRefresh(first.Text())
		require.True(t, ok)
		require.Equal(t, first, back)
		require.Equal(t, first.Hash(), back.Hash())
	})

	t.Run("has_one_successor_for_an_id", func(t *testing.T) {
		t.Parallel()
		id := uuid.Must(uuid.NewV7())
		child := family.Successor(first, id)
		require.Equal(t, id, child.ID)
		require.Equal(t, child, family.Successor(first, id))
		require.NotEqual(t, child.Text(), family.Successor(first, uuid.Must(uuid.NewV7())).Text())
		require.NotEqual(t, child.Text(), family.Successor(child, id).Text())
		require.NotEqual(t, child.Text(), tokens.NewFamily([]byte("another")).Successor(first, id).Text())
	})

	t.Run("does_not_show", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, "[refresh token]", first.String())
	})
}

func FuzzParseRefresh(f *testing.F) {
	first, err := tokens.NewFamily(nil).First()
	require.NoError(f, err)
	f.Add(first.Text())
	f.Add("")
	f.Add("AAAA=")
	f.Fuzz(func(t *testing.T, text string) {
		if r, ok := tokens.ParseRefresh(text); ok {
			require.Equal(t, text, r.Text(), "one text for a token")
		}
	})
}
