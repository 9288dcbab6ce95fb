package e2e_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	notificationsapi "github.com/atrium-mesh/atrium/services/notifications/api"
	usersapi "github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

// refusal is a request that must be refused, and how.
type refusal struct {
	name   string
	who    *client.Client
	send   client.Request
	status int
	code   string
	field  string // "body.email required": one of the problem's errors
}

// world is everything that a refused request could have changed, as an administrator and the person see it.
type world struct {
	visitor, admin, ada *client.Client
	person              client.Person
}

func newWorld(t *testing.T, m *mesh.Mesh) *world {
	t.Helper()
	w := &world{visitor: visitor(t, m), admin: administrator(t, m)}
	w.person, w.ada = w.visitor.SignUp("ada")
	w.visitor.ReadMail(w.person.Email, client.SubjectWelcome)
	for _, c := range []*client.Client{w.admin, w.ada} {
		c.Eventually("the sign-in has arrived", func() bool { me, _ := c.Me(); return me.LastSignInAt != nil })
	}
	w.waitQuiet(t)
	return w
}

// state is compared before and after a refused request.
func (w *world) state(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	admin, ada := w.admin.For(t), w.ada.For(t)
	for _, path := range []string{"/api/v1/users?page_size=100", "/api/v1/roles", "/api/v1/deliveries?page_size=100", "/api/v1/users/" + w.person.ID + "/roles"} {
		a := admin.Get(path).Want(http.StatusOK)
		b.WriteString(a.ETag())
		b.Write(a.Body)
	}
	for _, path := range []string{usersapi.GetMe.Path, notificationsapi.ListNotifications.Path, notificationsapi.GetPreferences.Path} {
		a := ada.Get(path).Want(http.StatusOK)
		b.WriteString(a.ETag())
		b.Write(a.Body)
	}
	return b.String()
}

func (w *world) refuses(t *testing.T, cases []refusal) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			before := w.state(t)
			a := c.who.For(t).Do(c.send).WantProblem(c.status, c.code)
			if field, code, ok := strings.Cut(c.field, " "); ok {
				a.WantField(field, code)
			}
			require.NotContains(t, string(a.Body), "eleven quiet", "what was sent is not sent back")
			require.Equal(t, before, w.state(t), "nothing has changed")
		})
	}
}

// TestBadInput: every kind of bad input is refused with a problem that says what is wrong, and changes nothing.
func TestBadInput(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, m *mesh.Mesh) {
		w := newWorld(t, m)
		t.Run("bodies", func(t *testing.T) { w.refuses(t, w.bodies()) })             //nolint:paralleltest // one after the other
		t.Run("addresses", func(t *testing.T) { w.refuses(t, w.addresses()) })       //nolint:paralleltest // likewise
		t.Run("preconditions", func(t *testing.T) { w.refuses(t, w.conditions(t)) }) //nolint:paralleltest // likewise
		t.Run("identities", func(t *testing.T) { w.pretends(t) })                    //nolint:paralleltest // likewise
	})
}

func register(raw string) client.Request {
	return client.Request{Method: http.MethodPost, Path: authapi.Register.Path, Raw: []byte(raw)}
}

func registerAs(contentType string) client.Request {
	r := register(goodBody)
	r.ContentType = contentType
	return r
}

func inChunks(r client.Request) client.Request {
	r.Chunked = true
	return r
}

const (
	goodBody = `{"email":"eve@atrium.example","password":"eleven quiet magpies","full_name":"Eve"}`
	megabyte = 1 << 20
)

func (w *world) bodies() []refusal {
	const malformed, invalid, unsupported = http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusUnsupportedMediaType
	v := w.visitor
	change := func(raw string) client.Request {
		return client.Request{Method: http.MethodPatch, Path: usersapi.UpdateMe.Path, Raw: []byte(raw)}
	}
	send := func(raw string) client.Request {
		return client.Request{Method: http.MethodPost, Path: notificationsapi.SendNotification.Path, Raw: []byte(raw)}
	}
	big := `{"email":"eve@atrium.example","full_name":"` + strings.Repeat("e", 2*megabyte) + `","password":"eleven quiet magpies"}`
	return []refusal{
		{"cut off", v, register(goodBody[:40]), malformed, "malformed_body", ""},
		{"not JSON", v, register("email=eve"), malformed, "malformed_body", ""},
		{"two documents", v, register(goodBody + goodBody), malformed, "malformed_body", ""},
		{"text after the document", v, register(goodBody + "x"), malformed, "malformed_body", ""},
		{"invalid UTF-8", v, register(strings.Replace(goodBody, `"Eve"`, "\"\xff\xfe\"", 1)), malformed, "malformed_body", ""},
		{"deeply nested", v, register(strings.Repeat("[", 8000) + strings.Repeat("]", 8000)), malformed, "malformed_body", ""},
		{"an array", v, register("[" + goodBody + "]"), invalid, "validation_failed", "body type"},
		{"null", v, register("null"), invalid, "validation_failed", "body type"},
		{"unknown field", v, register(strings.Replace(goodBody, "{", `{"roles":["admin"],`, 1)), invalid, "validation_failed", "body.roles unknown_field"},
		{"field left out", v, register(`{"password":"eleven quiet magpies","full_name":"Eve"}`), invalid, "validation_failed", "body.email required"},
		{"field of another type", v, register(strings.Replace(goodBody, `"Eve"`, "7", 1)), invalid, "validation_failed", "body.full_name type"},
		{"not an address", v, register(strings.Replace(goodBody, "eve@", "eve at ", 1)), invalid, "validation_failed", "body.email format"},
		{"NUL in a text", v, register(strings.Replace(goodBody, `"Eve"`, `"E\u0000ve"`, 1)), malformed, "malformed_body", ""},
		{"line break in a name", v, register(strings.Replace(goodBody, `"Eve"`, `"Eve\nBcc: all"`, 1)), invalid, "validation_failed", ""},
		{"short password", v, register(strings.Replace(goodBody, "eleven quiet magpies", "eleven", 1)), invalid, "validation_failed", "body.password too_short"},
		{"common password", v, register(strings.Replace(goodBody, "eleven quiet magpies", "123456789012", 1)), invalid, "validation_failed", "body.password password_common"},
		{"personal password", v, register(strings.Replace(goodBody, "eleven quiet magpies", "eve@atrium.example", 1)), invalid, "validation_failed", "body.password password_personal"},
		{"too large", v, register(big), http.StatusRequestEntityTooLarge, "body_too_large", ""},
		{"too large, in chunks", v, inChunks(register(big)), http.StatusRequestEntityTooLarge, "body_too_large", ""},
		{"no content", v, client.Request{Method: http.MethodPost, Path: authapi.Register.Path}, malformed, "malformed_body", ""},
		{"plain text", v, registerAs("text/plain"), unsupported, "unsupported_content_type", ""},
		{"XML", v, registerAs("application/xml"), unsupported, "unsupported_content_type", ""},
		{"a form where JSON is due", v, registerAs("application/x-www-form-urlencoded"), unsupported, "unsupported_content_type", ""},
		{"another charset", v, registerAs("application/json; charset=iso-8859-1"), unsupported, "unsupported_content_type", ""},
		{"not a content type", v, registerAs("json/"), unsupported, "unsupported_content_type", ""},
		{"JSON where a form is due", v, client.Request{Method: http.MethodPost, Path: authapi.Token.Path, Raw: []byte(`{}`)}, unsupported, "unsupported_content_type", ""},
		{"somebody else's field", w.ada, change(`{"status":"active","email":"root@atrium.example"}`), invalid, "validation_failed", "body.email unknown_field"},
		{"no time zone", w.ada, change(`{"time_zone":"Mars/Olympus"}`), invalid, "validation_failed", ""},
		{"no audience", w.admin, send(`{"to":{},"category":"product","title":"t","body":"b"}`), invalid, "validation_failed", ""},
		{"two audiences", w.admin, send(`{"to":{"everyone":true,"roles":["user"]},"category":"product","title":"t","body":"b"}`), invalid, "validation_failed", ""},
		{"security by hand", w.admin, send(`{"to":{"everyone":true},"category":"security","title":"t","body":"b"}`), invalid, "validation_failed", "body.category not_allowed"},
		{"an unknown link", v, client.Request{Method: http.MethodPost, Path: authapi.VerifyEmail.Path, Body: map[string]string{"token": "nonsense"}}, invalid, "link_invalid", ""},
	}
}

func (w *world) addresses() []refusal {
	const malformed, invalid, missing, method = http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusNotFound, http.StatusMethodNotAllowed
	get := func(path string) client.Request { return client.Request{Method: http.MethodGet, Path: path} }
	return []refusal{
		{"nothing there", w.ada, get("/api/v1/nothing"), missing, "route_not_found", ""},
		{"another version", w.ada, get("/api/v2/users/me"), missing, "route_not_found", ""},
		{"a service's own port", w.ada, get("/metrics"), missing, "route_not_found", ""},
		{"an internal operation", w.admin, client.Request{Method: http.MethodPost, Path: "/rpc.auth.create-account", Body: map[string]string{}}, missing, "route_not_found", ""},
		{"up and over", w.ada, get("/api/v1/users/../../../etc/passwd"), missing, "route_not_found", ""},
		{"an encoded slash", w.admin, get("/api/v1/users/..%2Froles"), missing, "route_not_found", ""},
		{"not UTF-8", w.admin, get("/api/v1/users/%ff%fe"), malformed, "malformed_url", ""},
		{"NUL", w.admin, get("/api/v1/users?q=a%00b"), malformed, "malformed_url", ""},
		{"not an id", w.admin, get("/api/v1/users/42"), invalid, "validation_failed", "path.id format"},
		{"nobody's id", w.admin, get("/api/v1/users/0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"), missing, "user_not_found", ""},
		{"wrong method", w.visitor, client.Request{Method: http.MethodPut, Path: authapi.Login.Path, Body: map[string]string{}}, method, "method_not_allowed", ""},
		{"an invented method", w.visitor, client.Request{Method: "PURGE", Path: authapi.Login.Path}, method, "method_not_allowed", ""},
		{"TRACE", w.visitor, client.Request{Method: http.MethodTrace, Path: usersapi.GetMe.Path}, method, "method_not_allowed", ""},
		{"a page too large", w.admin, get("/api/v1/users?page_size=1000"), invalid, "validation_failed", "query.page_size too_large"},
		{"a page before the first", w.admin, get("/api/v1/users?page=0"), invalid, "validation_failed", "query.page too_small"},
		{"a page of letters", w.admin, get("/api/v1/users?page=two"), invalid, "validation_failed", "query.page type"},
		{"an unknown filter", w.admin, get("/api/v1/users?password=x"), invalid, "validation_failed", ""},
		{"an unknown sort", w.admin, get("/api/v1/users?sort=password"), invalid, "validation_failed", ""},
		{"an unknown status", w.admin, get("/api/v1/users?status=angry"), invalid, "validation_failed", "query.status not_allowed"},
		{"a cursor of one's own", w.admin, get("/api/v1/users?cursor=eyJ2IjpbIjEiXX0.c2ln"), malformed, "invalid_cursor", ""},
	}
}

func (w *world) conditions(t *testing.T) []refusal {
	t.Helper()
	_, etag := w.ada.Me()
	stale := w.ada.Patch(usersapi.UpdateMe.Path, etag, map[string]string{"full_name": "Ada King"}).Want(http.StatusOK)
	require.NotEqual(t, etag, stale.ETag())
	conditional := func(method, path, match string, body any) client.Request {
		return client.Request{Method: method, Path: path, Header: http.Header{"If-Match": {match}}, Body: body}
	}
	invitation := client.NewPerson("invited")
	create := func(key, name string) client.Request {
		return client.Request{
			Method: http.MethodPost, Path: usersapi.CreateUser.Path, Header: http.Header{"Idempotency-Key": {key}},
			Body: map[string]string{"email": invitation.Email, "full_name": name},
		}
	}
	w.admin.Do(create("one", "The First")).Want(http.StatusCreated)
	w.visitor.ReadMail(invitation.Email, client.SubjectInvitation)
	send := func(title string) client.Request {
		return client.Request{
			Method: http.MethodPost, Path: notificationsapi.SendNotification.Path, Header: http.Header{"Idempotency-Key": {"two"}},
			Body: map[string]any{"to": map[string]any{"roles": []string{"nobody-has-this"}}, "category": "product", "title": title, "body": "b"},
		}
	}
	w.admin.Do(send("The first")).Want(http.StatusAccepted)
	own, profile := "/api/v1/users/"+w.person.ID, map[string]string{"full_name": "Too Late", "locale": "en", "time_zone": "UTC"}
	const precondition, invalid, conflict = http.StatusPreconditionFailed, http.StatusUnprocessableEntity, http.StatusConflict
	w.waitQuiet(t)
	return []refusal{
		{"stale PATCH", w.ada, conditional(http.MethodPatch, usersapi.UpdateMe.Path, etag, map[string]string{"full_name": "Too Late"}), precondition, "version_conflict", ""},
		{"stale PUT", w.ada, conditional(http.MethodPut, own, etag, profile), precondition, "version_conflict", ""},
		{"stale DELETE", w.admin, conditional(http.MethodDelete, own, etag, nil), precondition, "version_conflict", ""},
		{"stale deactivation", w.admin, conditional(http.MethodPost, own+"/deactivate", etag, nil), precondition, "version_conflict", ""},
		{"stale roles", w.admin, conditional(http.MethodPut, own+"/roles", `"77"`, map[string]any{"roles": []string{"user"}}), precondition, "version_conflict", ""},
		{"not an entity tag", w.ada, conditional(http.MethodPatch, usersapi.UpdateMe.Path, "seven", map[string]string{"full_name": "Too Late"}), precondition, "version_conflict", ""},
		{"a key for another user", w.admin, create("one", "The Second"), invalid, "idempotency_key_reused", ""},
		{"a key for another message", w.admin, send("The second"), invalid, "idempotency_key_reused", ""},
		{"a key of control characters", w.admin, create(strings.Repeat("k", 300), "The Third"), invalid, "validation_failed", ""},
		{"a taken address", w.admin, create("three", "The Third"), conflict, "email_taken", ""},
		{"the last administrator", w.admin, client.Request{Method: http.MethodPut, Path: "/api/v1/users/" + w.adminID() + "/roles", Body: map[string]any{"roles": []string{"user"}}}, conflict, "last_admin", ""},
		{"an unknown role", w.admin, client.Request{Method: http.MethodPut, Path: own + "/roles", Body: map[string]any{"roles": []string{"emperor"}}}, invalid, "unknown_role", ""},
		{"a role that is built in", w.admin, client.Request{Method: http.MethodDelete, Path: "/api/v1/roles/admin"}, conflict, "role_built_in", ""},
	}
}

func (w *world) adminID() string {
	me, _ := w.admin.Me()
	return me.ID
}

// waitQuiet returns when events have stopped changing what state compares.
func (w *world) waitQuiet(t *testing.T) {
	t.Helper()
	w.admin.Eventually("everything has arrived", func() bool {
		page := client.Decode[notificationsapi.DeliveryPage](w.admin.For(t).Get("/api/v1/deliveries?page_size=100").Want(http.StatusOK))
		return !slices.ContainsFunc(page.Items, func(d notificationsapi.Delivery) bool { return d.State != notificationsapi.DeliverySent })
	})
}
