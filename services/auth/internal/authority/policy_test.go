package authority_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/authority"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

func holder(id byte, permissions ...string) authority.Holder {
	return authority.Holder{
		Account:     identity.Account{ID: uuid.UUID{id}, Status: identity.StatusActive},
		Permissions: permissions,
	}
}

// needs is what each verb asks of who does it to somebody else.
var needs = map[api.Verb]string{ //nolint:gochecknoglobals // a table
	api.VerbDeactivate:  api.PermUsersWrite,
	api.VerbActivate:    api.PermUsersWrite,
	api.VerbDelete:      api.PermUsersDelete,
	api.VerbRestore:     api.PermUsersDelete,
	api.VerbEdit:        api.PermUsersWrite,
	api.VerbAssignRoles: api.PermRolesAssign,
	api.VerbEndSessions: api.PermSessionsRevoke,
}

func TestDecide(t *testing.T) {
	t.Parallel()
	for verb, permission := range needs {
		caller := holder(1, permission, api.PermAuditRead)
		external := caller
		external.Account, external.External = identity.Account{}, true
		gone := holder(2)
		gone.Account.Status = identity.StatusErased
		for name, c := range map[string]struct {
			caller, target authority.Holder
			want           string
		}{
			"weaker":               {caller, holder(2), ""},
			"equal":                {caller, holder(2, permission, api.PermAuditRead), ""},
			"stronger":             {caller, holder(2, permission, api.PermAuditRead, api.PermKeysRotate), "stronger_target"},
			"another kind":         {caller, holder(2, api.PermKeysRotate), "stronger_target"},
			"without permission":   {holder(1, api.PermAuditRead), holder(2), "permission_denied"},
			"by nobody in effect":  {holder(1), holder(2), "permission_denied"},
			"erased":               {caller, gone, "user_not_found"},
			"a further issuer's":   {external, holder(2, permission), ""},
			"stronger than theirs": {external, holder(2, api.PermKeysRotate), "stronger_target"},
		} {
			require.Equal(t, c.want, code(authority.Decide(authority.Case{Verb: verb, Caller: c.caller, Target: c.target})), "%s: %s", verb, name)
		}
	}
	for verb, want := range map[api.Verb]string{
		api.VerbDeactivate:  "own_administration",
		api.VerbActivate:    "permission_denied",
		api.VerbDelete:      "",
		api.VerbRestore:     "permission_denied",
		api.VerbEdit:        "",
		api.VerbAssignRoles: "permission_denied",
		api.VerbEndSessions: "",
	} {
		own := authority.Case{Verb: verb, Caller: holder(1), Target: holder(1, api.Permissions()...)}
		require.Equal(t, want, code(authority.Decide(own)), "%s: one's own, with a token that says little", verb)
	}
	for _, verb := range []api.Verb{"", "exalt", api.VerbErase} {
		c := authority.Case{Verb: verb, Caller: holder(1, api.Permissions()...), Target: holder(2)}
		require.Equal(t, "permission_denied", code(authority.Decide(c)), verb)
	}
}

// Whatever anybody holds: who may act on somebody holds all that the other holds.
func TestDecide_nobody_acts_on_a_stronger_person(t *testing.T) {
	t.Parallel()
	some := rapid.SliceOfDistinct(rapid.SampledFrom(api.Permissions()), rapid.ID[string])
	rapid.Check(t, func(t *rapid.T) {
		verb := rapid.SampledFrom([]api.Verb{
			api.VerbDeactivate, api.VerbActivate, api.VerbDelete, api.VerbRestore, api.VerbEdit, api.VerbAssignRoles, api.VerbEndSessions,
		}).Draw(t, "verb")
		c := authority.Case{Verb: verb, Caller: holder(1, some.Draw(t, "caller")...), Target: holder(2, some.Draw(t, "target")...)}
		allowed := c.Caller.Can(needs[verb]) && c.Caller.Holds(c.Target.Permissions)
		if (authority.Decide(c) == nil) != allowed {
			t.Fatalf("%v", c)
		}
	})
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return errs.From(err).Code
}
