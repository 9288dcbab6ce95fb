package identity_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

func TestPermissions(t *testing.T) {
	t.Parallel()
	roles := []identity.Role{{Name: "b", Permissions: []string{"users:read", "audit:read"}}, {Name: "a", Permissions: []string{"audit:read"}}, {Name: "c"}}
	require.Equal(t, []string{"audit:read", "users:read"}, identity.Permissions(roles))
	require.Equal(t, []string{"b", "a", "c"}, identity.Names(roles))
	require.Empty(t, identity.Permissions(nil))
	require.NotNil(t, identity.Permissions(nil))
}

func TestPasswordSame(t *testing.T) {
	t.Parallel()
	at, id := time.Now(), uuid.Must(uuid.NewV7())
	p := identity.Password{AccountID: id, Hash: "old", ChangedAt: at}
	require.True(t, p.Same(identity.Password{AccountID: id, Hash: "better hash of the same", ChangedAt: at}))
	require.False(t, p.Same(identity.Password{AccountID: id, Hash: "old", ChangedAt: at.Add(time.Microsecond)}))
	require.False(t, p.Same(identity.Password{}))
}

func TestCallerFrom(t *testing.T) {
	t.Parallel()
	account, session := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	from := func(p *authz.Principal) (identity.Caller, error) {
		ctx := t.Context()
		if p != nil {
			ctx = authz.WithPrincipal(ctx, p)
		}
		return identity.CallerFrom(ctx)
	}
	got, err := from(&authz.Principal{Subject: account.String(), SessionID: session.String()})
	require.NoError(t, err)
	require.Equal(t, identity.Caller{Account: account, Session: session}, got)
	_, err = from(nil)
	require.ErrorIs(t, err, errs.Unauthenticated)
	_, err = from(&authz.Principal{Subject: "https://else.test|42", SessionID: session.String()})
	require.ErrorIs(t, err, errs.Forbidden)
	_, err = from(&authz.Principal{Subject: account.String()})
	require.ErrorIs(t, err, errs.Forbidden)
}
