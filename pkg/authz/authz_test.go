package authz_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
)

func TestPolicy(t *testing.T) {
	t.Parallel()
	nobody := (*authz.Principal)(nil)
	user := &authz.Principal{Subject: "ada"}
	support := &authz.Principal{Subject: "sue", Permissions: []string{"users:read"}}
	anonymous := &authz.Principal{} // a token without a subject owns nothing
	for name, c := range map[string]struct {
		policy authz.Policy
		who    *authz.Principal
		param  string
		want   errs.Kind
	}{
		"zero/nobody":           {authz.Policy{}, nobody, "", errs.Forbidden},
		"zero/support":          {authz.Policy{}, support, "", errs.Forbidden},
		"public/nobody":         {authz.Public(), nobody, "", ""},
		"internal/nobody":       {authz.Internal(), nobody, "", ""},
		"authenticated/nobody":  {authz.Authenticated(), nobody, "", errs.Unauthenticated},
		"authenticated/user":    {authz.Authenticated(), user, "", ""},
		"require/nobody":        {authz.Require("users:read"), nobody, "", errs.Unauthenticated},
		"require/user":          {authz.Require("users:read"), user, "", errs.Forbidden},
		"require/support":       {authz.Require("users:read"), support, "", ""},
		"require/other":         {authz.Require("users:write"), support, "", errs.Forbidden},
		"self/nobody":           {authz.SelfOr("id", "users:read"), nobody, "", errs.Unauthenticated},
		"self/own":              {authz.SelfOr("id", "users:write"), user, "ada", ""},
		"self/foreign":          {authz.SelfOr("id", "users:write"), user, "bob", errs.Forbidden},
		"self/foreign, allowed": {authz.SelfOr("id", "users:read"), support, "bob", ""},
		"self/empty is not own": {authz.SelfOr("id", "users:write"), anonymous, "", errs.Forbidden},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := c.policy.Check(c.who, func(string) string { return c.param })
			require.Equal(t, c.want, errs.KindOf(err))
			require.NotEmpty(t, c.policy.String())
		})
	}
}

func TestPrincipalInContext(t *testing.T) {
	t.Parallel()
	require.Nil(t, authz.PrincipalFrom(t.Context()))
	require.False(t, authz.PrincipalFrom(t.Context()).Can("users:read"))
	who := &authz.Principal{Subject: "ada"}
	require.Same(t, who, authz.PrincipalFrom(authz.WithPrincipal(t.Context(), who)))
}
