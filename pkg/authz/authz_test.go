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
			err := c.policy.Check(authz.Caller{Principal: c.who}, func(string) string { return c.param })
			require.Equal(t, c.want, errs.KindOf(err))
			require.NotEmpty(t, c.policy.String())
		})
	}
}

func TestPolicyOfServices(t *testing.T) {
	t.Parallel()
	admin := &authz.Principal{Subject: "ada", Permissions: []string{"users:write"}}
	user := &authz.Principal{Subject: "bob"}
	own := authz.Services("users", "gateway")
	forPerson := authz.Require("users:write").By("users")
	require.Equal(t, "the services users, gateway", own.String())
	require.Equal(t, "users:write, asked by the service users", forPerson.String())
	for name, c := range map[string]struct {
		policy authz.Policy
		by     authz.Caller
		want   errs.Kind
		code   string
	}{
		"nobody":                            {own, authz.Caller{}, errs.Unauthenticated, "service_missing"},
		"a person, whatever they hold":      {own, authz.Caller{Principal: admin}, errs.Unauthenticated, "service_missing"},
		"a service that is named":           {own, authz.Caller{Service: "gateway"}, "", ""},
		"another service":                   {own, authz.Caller{Service: "notifications"}, errs.Forbidden, "service_not_allowed"},
		"another service, for an admin":     {own, authz.Caller{Service: "notifications", Principal: admin}, errs.Forbidden, "service_not_allowed"},
		"for a person, without a service":   {forPerson, authz.Caller{Principal: admin}, errs.Unauthenticated, "service_missing"},
		"for a person, by another service":  {forPerson, authz.Caller{Principal: admin, Service: "gateway"}, errs.Forbidden, "service_not_allowed"},
		"the service, for nobody":           {forPerson, authz.Caller{Service: "users"}, errs.Unauthenticated, "token_missing"},
		"the service, for a weaker person":  {forPerson, authz.Caller{Principal: user, Service: "users"}, errs.Forbidden, "permission_denied"},
		"the service, for whoever may":      {forPerson, authz.Caller{Principal: admin, Service: "users"}, "", ""},
		"a policy of people needs no hop":   {authz.Authenticated(), authz.Caller{Principal: user}, "", ""},
		"a service is no person":            {authz.Authenticated(), authz.Caller{Service: "users"}, errs.Unauthenticated, "token_missing"},
		"the zero policy, whoever asks":     {authz.Policy{}, authz.Caller{Principal: admin, Service: "users"}, errs.Forbidden, "permission_denied"},
		"the zero policy stays so with By ": {authz.Policy{}.By("users"), authz.Caller{Service: "users"}, errs.Forbidden, "permission_denied"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := c.policy.Check(c.by, func(string) string { return "" })
			require.Equal(t, c.want, errs.KindOf(err))
			if c.want != "" {
				require.Equal(t, c.code, errs.From(err).Code)
			}
		})
	}
	require.Panics(t, func() { authz.Services() })
}

func TestPrincipalInContext(t *testing.T) {
	t.Parallel()
	require.Nil(t, authz.PrincipalFrom(t.Context()))
	require.False(t, authz.PrincipalFrom(t.Context()).Can("users:read"))
	who := &authz.Principal{Subject: "ada"}
	require.Same(t, who, authz.PrincipalFrom(authz.WithPrincipal(t.Context(), who)))
}

func TestServiceInContext(t *testing.T) {
	t.Parallel()
	require.Empty(t, authz.ServiceFrom(t.Context()))
	require.Equal(t, authz.Caller{}, authz.CallerFrom(t.Context()))
	ctx := authz.WithService(t.Context(), "users")
	require.Equal(t, authz.Caller{Service: "users"}, authz.CallerFrom(ctx))
	require.Nil(t, authz.PrincipalFrom(ctx), "a service is no person")
}
