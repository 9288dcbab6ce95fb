package consumers

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/deliveries"
	"github.com/atrium-mesh/atrium/services/notifications/internal/templates"
)

// told says how a person learns of each event of auth and users: by a template, or not, and then why. Whatever changes who can get in, or
// what somebody is, is told.
func told() map[string]notified {
	const followed = "the account's standing tells it, by auth's event"
	return map[string]notified{
		"auth.account.registered.v1":       {by: []templates.Name{templates.Verification, templates.Invitation}},
		"auth.account.verified.v1":         {by: []templates.Name{templates.Welcome}},
		"auth.account.disowned.v1":         {why: "its owner did it, with the link of a mail; nobody is left to be told"},
		"auth.registration.attempted.v1":   {by: []templates.Name{templates.AccountExists}},
		"auth.verification.requested.v1":   {by: []templates.Name{templates.Verification}},
		"auth.password.reset_requested.v1": {by: []templates.Name{templates.Reset}},
		"auth.password.changed.v1":         {by: []templates.Name{templates.PasswordChanged}},
		"auth.session.started.v1":          {by: []templates.Name{templates.NewDevice}},
		"auth.session.compromised.v1":      {by: []templates.Name{templates.SessionCompromised}},
		"auth.roles.changed.v1":            {by: []templates.Name{templates.RolesChanged}},
		"auth.account.standing_changed.v1": {by: []templates.Name{
			templates.AccountDeleted, templates.AccountDeactivated, templates.AccountActivated, templates.AccountRestored,
		}},
		"auth.watermark.raised.v1": {why: "it carries out what another event tells of; a withdrawn key is about nobody"},

		"users.user.updated.v1":     {by: []templates.Name{templates.NameChanged}},
		"users.user.activated.v1":   {why: followed},
		"users.user.deactivated.v1": {why: followed},
		"users.user.deleted.v1":     {why: followed},
		"users.user.restored.v1":    {why: followed},
		"users.user.erased.v1":      {why: "nobody is left to be told; the mail about the deletion said when"},
	}
}

type notified struct {
	by  []templates.Name
	why string
}

// An event that is declared without a decision on whom it tells fails here.
func TestNotices_of_every_event(t *testing.T) {
	t.Parallel()
	declared := slices.Concat(declaredEvents(t, "auth"), declaredEvents(t, "users"))
	require.Greater(t, len(declared), 10)
	decided := told()
	for _, name := range declared {
		decision, ok := decided[name]
		require.True(t, ok, "%s: decide who is told of it, and by which template, or why nobody is", name)
		require.NotEqual(t, len(decision.by) > 0, decision.why != "", name)
		for _, template := range decision.by {
			require.Contains(t, templates.Names(), template)
			_, delivered := deliveries.KindOf(template)
			require.True(t, delivered, "%s: %s is not delivered", name, template)
		}
		delete(decided, name)
	}
	require.Empty(t, decided, "decisions about events that are not declared any more")

	handled := map[string]bool{}
	for _, h := range Handlers(Config{}) {
		handled[h.Type()] = true
	}
	for name, decision := range told() {
		if len(decision.by) > 0 {
			require.True(t, handled[name], "%s has no handler", name)
		}
	}
}

// declaredEvents are the names that a service's api package defines.
func declaredEvents(t *testing.T, service string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "..", service, "api", "*.go"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && isDefine(call.Fun) {
				literal, ok := call.Args[0].(*ast.BasicLit)
				require.True(t, ok, "%s: the name of an event is a literal", file)
				name, err := strconv.Unquote(literal.Value)
				require.NoError(t, err)
				names = append(names, name)
			}
			return true
		})
	}
	return names
}

// isDefine reports whether it is events.Define[T].
func isDefine(fun ast.Expr) bool {
	index, ok := fun.(*ast.IndexExpr)
	if !ok {
		return false
	}
	selector, ok := index.X.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	pkg, ok := selector.X.(*ast.Ident)
	return ok && pkg.Name == "events" && selector.Sel.Name == "Define"
}

// Each verb that changes a standing has a notice, but for the erasure.
func TestStandingNotice(t *testing.T) {
	t.Parallel()
	for verb, want := range map[auth.Verb]templates.Name{
		auth.VerbDelete:      templates.AccountDeleted,
		auth.VerbDeactivate:  templates.AccountDeactivated,
		auth.VerbActivate:    templates.AccountActivated,
		auth.VerbRestore:     templates.AccountRestored,
		auth.VerbErase:       "",
		auth.VerbEdit:        "",
		auth.VerbAssignRoles: "",
		auth.VerbEndSessions: "",
	} {
		got, ok := standingNotice(verb)
		require.Equal(t, want, got, verb)
		require.Equal(t, want != "", ok, verb)
	}
}

func TestWhoOf(t *testing.T) {
	t.Parallel()
	ada, admin := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	for subject, want := range map[string]templates.By{
		ada.String():                   templates.BySelf,
		admin.String():                 templates.ByAdministrator,
		"https://idp.example|42":       templates.ByAdministrator,
		"system":                       templates.BySystem,
		"":                             templates.BySystem,
		"service:users":                templates.BySystem,
		strings.ToUpper(ada.String()):  templates.BySelf,
		"{" + ada.String() + "}":       templates.BySelf,
		"urn:uuid:" + admin.String():   templates.ByAdministrator,
		"11111111-1111-1111-1111-1111": templates.BySystem,
	} {
		require.Equal(t, want, whoOf(subject, ada), subject)
	}
}
