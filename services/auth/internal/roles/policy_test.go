package roles_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
)

// The domain keeps its own limits: whoever calls it, over HTTP or not, makes no role that a path does not reach.
func TestCreate_keeps_its_own_limits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range map[string]struct {
		role  api.NewRole
		field string
		code  string
	}{
		"no name":                      {api.NewRole{}, "body.name", "too_short"},
		"a name of one letter":         {api.NewRole{Name: "a"}, "body.name", "too_short"},
		"a long name":                  {api.NewRole{Name: strings.Repeat("a", 65)}, "body.name", "too_long"},
		"a huge name":                  {api.NewRole{Name: strings.Repeat("a", 1<<20)}, "body.name", "too_long"},
		"a name with a slash":          {api.NewRole{Name: "audit/all"}, "body.name", "pattern"},
		"a name in capitals":           {api.NewRole{Name: "Auditor"}, "body.name", "pattern"},
		"a name of a digit first":      {api.NewRole{Name: "1st"}, "body.name", "pattern"},
		"a name of another script":     {api.NewRole{Name: "аuditor"}, "body.name", "pattern"},
		"a name that turns round":      {api.NewRole{Name: "au\u202editor"}, "body.name", "pattern"},
		"a description too long":       {api.NewRole{Name: "auditor", Description: strings.Repeat("é", 501)}, "body.description", "too_long"},
		"a description with a NUL":     {api.NewRole{Name: "auditor", Description: "a\x00"}, "body.description", "format"},
		"a description that turns":     {api.NewRole{Name: "auditor", Description: "a\u202e"}, "body.description", "format"},
		"a description of nothing":     {api.NewRole{Name: "auditor", Description: "\u200d"}, "body.description", "required"},
		"more permissions than exist":  {api.NewRole{Name: "auditor", Permissions: make([]string, 101)}, "body.permissions", "too_many"},
		"a permission that is nothing": {api.NewRole{Name: "auditor", Permissions: []string{""}}, "body.permissions[0]", "unknown_permission"},
	} {
		_, err := b.Create(b.asAdmin(t), &api.CreateRoleRequest{Body: c.role})
		require.ErrorIs(t, err, errs.Invalid, name)
		require.Equal(t, c.field, errs.From(err).Fields[0].Field, name)
		require.Equal(t, c.code, errs.From(err).Fields[0].Code, name)
	}
	b.role(t, "auditor", api.PermAuditRead)
	_, err := b.Update(b.asAdmin(t), update("auditor", "", strings.Repeat("a", 1<<20)))
	require.ErrorIs(t, err, errs.Invalid)
	_, err = b.Assign(b.asAdmin(t), assignment(b.admin.ID, "", make([]string, 1000)...))
	require.ErrorIs(t, err, errs.Invalid)
}
