package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	notificationsapi "github.com/atrium-mesh/atrium/services/notifications/api"
	usersapi "github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

// declared is what all services declare, by service.
func declared() map[string][]op.Declared {
	return map[string][]op.Declared{
		"auth": authapi.Operations(), "users": usersapi.Operations(), "notifications": notificationsapi.Operations(),
	}
}

// TestAuthorization tries every operation without a token, with a user's, a support's and an administrator's, on their own things, on
// somebody else's and on what does not exist. What must happen follows from the operation's policy and the permissions that the account
// really has: a refusal is 401 or 403 with the code for it, and what is allowed is neither. Every refusal is tried at the service behind
// the gateway, too.
func TestAuthorization(t *testing.T) {
	t.Parallel()
	m := mesh.Processes(t, mesh.Options{EnvOf: map[string]string{"auth.REQUIRE_VERIFIED_EMAIL": "false"}})
	root := administrator(t, m)
	table := &outcomes{}
	t.Cleanup(func() { table.print() })
	reading := newCast(t, m, root)
	for service, all := range declared() {
		for _, one := range all {
			meta := one.Meta()
			t.Run(meta.ID, func(t *testing.T) {
				t.Parallel()
				if meta.Path == "" {
					internalOnly(t, visitor(t, m), meta)
					return
				}
				who := reading
				if !meta.ReadOnly {
					who = newCast(t, m, root)
				}
				direct := m.Process(service).URL
				for _, a := range who.attempts(meta) {
					table.add(meta, a, a.try(t, meta))
					if a.expected(meta) != 0 {
						behind := a
						behind.client = a.client.At(direct)
						behind.try(t, meta)
					}
				}
			})
		}
	}
}

// internalOnly: what has no path is for services, with a token of the person who asks them or without, and nothing of it is reachable from
// outside.
func internalOnly(t *testing.T, c *client.Client, meta op.Meta) {
	t.Helper()
	if meta.ID != authapi.IssueServiceToken.OperationID { // whose request is itself the proof of who asks
		require.True(t, meta.Allow.IsInternal(), "%s has no path and is not internal", meta.ID)
	}
	for _, path := range []string{"/" + meta.Subject, "/" + meta.ID, "/api/v1/" + meta.ID, "/" + strings.ReplaceAll(meta.Subject, ".", "/")} {
		c.Post(path, map[string]string{}).WantProblem(http.StatusNotFound, "route_not_found")
	}
}

// member is an account with a token.
type member struct {
	person client.Person
	device *client.Client
	scope  []string
}

// cast is the accounts that an operation is tried with; what an operation destroys is theirs alone.
type cast struct {
	nobody                       *client.Client
	user, victim, support, admin member
}

func newCast(t *testing.T, m *mesh.Mesh, root *client.Client) *cast {
	t.Helper()
	v := visitor(t, m)
	hire := func(role string) member {
		p := v.Register(client.NewPerson(role))
		device := v.Device("e2e/" + role)
		scope := device.Login(p).Scope
		p.ID = device.Subject()
		device.Eventually("the account is known everywhere", func() bool {
			return device.Get(usersapi.GetMe.Path).Status == http.StatusOK && device.Get(notificationsapi.CountUnread.Path).Status == http.StatusOK
		})
		if role != authapi.RoleUser {
			root.For(t).Put("/api/v1/users/"+p.ID+"/roles", map[string]any{"roles": []string{role}}).Want(http.StatusOK)
			scope = device.RefreshTokens().Scope
		}
		return member{person: p, device: device, scope: strings.Fields(scope)}
	}
	return &cast{
		nobody: v, user: hire(authapi.RoleUser), victim: hire(authapi.RoleUser),
		support: hire(authapi.RoleSupport), admin: hire(authapi.RoleAdmin),
	}
}

// attempt is one request: who does what to whose thing.
type attempt struct {
	who, whose string
	client     *client.Client
	principal  *authz.Principal // as the account's token says; nil without one
	subject    string           // id of whose thing it is
	person     client.Person    // who does it
	refresh    string           // the person's refresh token
}

// attempts are in an order in which none spoils the next: one's own last.
func (c *cast) attempts(meta op.Meta) []attempt {
	somebody, stranger := c.victim.person.ID, uuid.Must(uuid.NewV7()).String()
	byID := strings.HasPrefix(meta.Path, "/api/v1/users/{id}")
	all := []attempt{{who: "nobody", whose: "somebody's", client: c.nobody, subject: somebody, person: c.victim.person, refresh: c.victim.device.Refresh}}
	for _, one := range []struct {
		who string
		member
	}{{"user", c.user}, {"support", c.support}, {"admin", c.admin}} {
		a := attempt{
			who: one.who, client: one.device, person: one.person, refresh: one.device.Refresh,
			principal: &authz.Principal{Subject: one.person.ID, Permissions: one.scope},
		}
		if byID {
			foreign, missing := a, a
			foreign.whose, foreign.subject = "somebody's", somebody
			missing.whose, missing.subject = "nobody's", stranger
			all = append(all, foreign, missing)
		}
		a.whose, a.subject = "own", one.person.ID
		all = append(all, a)
	}
	return all
}

// expected is the status of the refusal that the policy demands; 0 when it allows.
func (a attempt) expected(meta op.Meta) int {
	err := meta.Allow.Check(authz.Caller{Principal: a.principal}, func(string) string { return a.subject })
	if err == nil {
		return 0
	}
	return errs.KindOf(err).Status()
}

func (a attempt) try(t *testing.T, meta op.Meta) int {
	t.Helper()
	request, c := a.request(meta), a.client.For(t)
	send := c.Do
	if meta.Stream {
		send = c.Open
	}
	answer := send(request)
	what := fmt.Sprintf("%s: %s, %s thing, policy %q at %s", meta.ID, a.who, a.whose, meta.Allow, c.Gateway)
	switch a.expected(meta) {
	case http.StatusUnauthorized:
		answer.WantProblem(http.StatusUnauthorized, "token_missing")
	case http.StatusForbidden:
		answer.WantProblem(http.StatusForbidden, "permission_denied")
	default:
		require.NotContains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, answer.Status, "%s: %s", what, answer)
		require.Less(t, answer.Status, http.StatusInternalServerError, "%s: %s", what, answer)
	}
	return answer.Status
}

// outcomes is what happened, for the table.
type outcomes struct {
	mu   sync.Mutex
	rows map[string]map[string][]string // by operation, by who
	seen map[int]int                    // how many of which status
}

func (o *outcomes) add(meta op.Meta, a attempt, status int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.rows == nil {
		o.rows, o.seen = map[string]map[string][]string{}, map[int]int{}
	}
	row := meta.Method + " " + meta.Path + "\t" + meta.Allow.String()
	if o.rows[row] == nil {
		o.rows[row] = map[string][]string{}
	}
	o.rows[row][a.who] = append(o.rows[row][a.who], fmt.Sprint(status))
	o.seen[status]++
}

// print shows for each operation what was answered to whom: to somebody's thing, to nobody's, to one's own.
func (o *outcomes) print() {
	o.mu.Lock()
	defer o.mu.Unlock()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "operation\tpolicy\tnobody\tuser\tsupport\tadmin")
	total := 0
	for _, row := range slices.Sorted(mapsKeys(o.rows)) {
		cells := []string{row}
		for _, who := range []string{"nobody", "user", "support", "admin"} {
			cells = append(cells, strings.Join(o.rows[row][who], " "))
			total += len(o.rows[row][who])
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	_ = w.Flush() // standard output
	fmt.Fprintf(os.Stdout, "%d operations, %d requests, by status: %v\n", len(o.rows), total, o.seen)
}
