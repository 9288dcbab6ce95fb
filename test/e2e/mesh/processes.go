package mesh

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/atrium-mesh/atrium/pkg/config"
)

// The administrator that every mesh has from its start.
const (
	AdminEmail    = "root@atrium.example"
	AdminPassword = "eleven quiet lighthouses"
)

// databases are the services that own one.
var databases = []string{"auth", "users", "notifications"}

// quick are the settings of every mesh that are not a cluster's: no rate limits, the cheapest passwords that are allowed, short waits.
var quick = map[string]string{
	"RATE_LIMIT_SIGN_IN": "off", "RATE_LIMIT_SIGN_UP": "off", "RATE_LIMIT_API": "off",
	"ARGON2_MEMORY_KIB": "7168", "ARGON2_ITERATIONS": "1", "REFRESH_GRACE": "3s",
}

// ServiceSecret is what a service shares with auth alone.
func ServiceSecret(service string) string {
	sum := sha256.Sum256([]byte("the secret of e2e for " + service))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Options say what a mesh of processes is like. The zero value is one process for each service, without rate limits.
type Options struct {
	Gateways int               // how many gateways; 0: one
	Replicas int               // how many of each other service; gateway i calls replica i (modulo) of each; 0: one
	Durable  bool              // PostgreSQL syncs what it commits, as in production; for measurements
	OTLP     string            // where spans are exported to; "": nowhere
	Env      map[string]string // of every service
	EnvOf    map[string]string // "auth.REQUIRE_VERIFIED_EMAIL": of one service
	Guarded  bool              // NATS has the chart's users and permissions
	Deaf     []string          // processes ("gateway-2") that miss every revocation that NATS announces
}

// Mesh is a running mesh.
type Mesh struct {
	Origin   string   // of the (first) gateway
	Origins  []string // of every gateway
	Inbox    string   // origin of /dev/inbox
	Postgres *Postgres
	NATS     *NATS

	Processes []*Process // every service, in the order in which they were started

	t    testing.TB
	dir  string
	opts Options
}

// Processes starts a mesh of processes and returns once all are ready.
func Processes(t testing.TB, opts Options) *Mesh {
	t.Helper()
	opts.Gateways, opts.Replicas = cmp.Or(opts.Gateways, 1), cmp.Or(opts.Replicas, 1)
	m := &Mesh{t: t, dir: t.TempDir(), opts: opts, Postgres: startPostgres(t, opts.Durable), NATS: startNATS(t, opts.Guarded)}
	t.Cleanup(m.stop)
	smtp := m.startInbox()
	ports := map[string][]int{}
	for _, name := range databases {
		for range opts.Replicas {
			ports[name] = append(ports[name], freePort(t))
		}
	}
	var gateways []int
	for range opts.Gateways {
		gateways = append(gateways, freePort(t))
	}
	m.Origin = "http://" + loopback(gateways[0])
	for _, name := range databases {
		for i, port := range ports[name] {
			own := map[string]string{
				"DATABASE_URL":                 m.Postgres.URL(name),
				"SERVICE_SECRET_USERS":         ServiceSecret("users"),
				"SERVICE_SECRET_NOTIFICATIONS": ServiceSecret("notifications"),
				"SERVICE_SECRET_GATEWAY":       ServiceSecret("gateway"),
				"ADMIN_EMAIL":                  AdminEmail,
				"ADMIN_PASSWORD":               AdminPassword,
				"SMTP_URL":                     "smtp://" + smtp + "?tls=none",
			}
			if name != "auth" { // which reads its own keys
				own["JWKS_URL"] = "http://" + loopback(ports["auth"][i]) + "/.well-known/jwks.json"
			}
			m.start(name, i, port, own)
		}
	}
	for i, port := range gateways {
		m.Origins = append(m.Origins, "http://"+loopback(port))
		at := func(service string) string { return "http://" + loopback(ports[service][i%opts.Replicas]) }
		m.start("gateway", i, port, map[string]string{
			"AUTH_URL": at("auth"), "USERS_URL": at("users"), "NOTIFICATIONS_URL": at("notifications"),
		})
	}
	m.WaitReady()
	return m
}

// start starts a service with the variables of every service, its own, and those of the test, the last ones winning.
func (m *Mesh) start(service string, replica, port int, own map[string]string) {
	m.t.Helper()
	name := service
	if replica > 0 {
		name = fmt.Sprintf("%s-%d", service, replica+1)
	}
	admin, nats := freePort(m.t), m.NATS.URLOf(service)
	if slices.Contains(m.opts.Deaf, name) {
		nats = m.NATS.DeafURL()
	}
	env := maps.Clone(quick)
	maps.Copy(env, map[string]string{
		"HTTP_ADDR": loopback(port), "ADMIN_ADDR": loopback(admin), "NATS_URL": nats,
		"ISSUER": m.Origin, "SERVICE_SECRET": ServiceSecret(service), "SECRET_KEY": "+42oysOL9hcPhfUERhTAKUZZDrABMAiq9yf7Zl+hyX8=", "LOG_LEVEL": "info",
		"OTEL_EXPORTER_OTLP_ENDPOINT": m.opts.OTLP, "OTEL_BSP_SCHEDULE_DELAY": "100",
	})
	maps.Copy(env, own)
	maps.Copy(env, m.opts.Env)
	for key, value := range m.opts.EnvOf {
		if variable, ok := strings.CutPrefix(key, service+"."); ok {
			env[variable] = value
		}
	}
	m.add(&Process{
		Name: name, URL: "http://" + loopback(port), Admin: "http://" + loopback(admin),
		command: []string{program(m.t, service)}, env: environment(env),
	})
}

// add starts a process that belongs to the mesh.
func (m *Mesh) add(p *Process) {
	m.t.Helper()
	p.t, p.log = m.t, filepath.Join(m.dir, p.Name+".log")
	if err := p.start(); err != nil {
		m.t.Fatal(err)
	}
	m.Processes = append(m.Processes, p)
}

// environment is a process's whole environment: nothing of the test's own gets in but what programs need to run at all.
func environment(variables map[string]string) []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "GORACE"} {
		if value, ok := config.Environ()[name]; ok {
			env = append(env, name+"="+value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if variables[name] != "" {
			env = append(env, name+"="+variables[name])
		}
	}
	return env
}

// startInbox starts the SMTP server that delivers nothing and returns its address.
func (m *Mesh) startInbox() string {
	m.t.Helper()
	smtp, web := loopback(freePort(m.t)), loopback(freePort(m.t))
	m.Inbox = "http://" + web
	m.add(&Process{
		Name: "inbox", URL: m.Inbox, command: []string{program(m.t, "atrium"), "inbox", "--smtp", smtp, "--http", web, "--data", filepath.Join(m.dir, "inbox")},
		env: environment(nil),
	})
	m.WaitInbox()
	return smtp
}

// WaitInbox returns when the inbox can be read.
func (m *Mesh) WaitInbox() {
	m.t.Helper()
	waitServing(m.t, m.Inbox+"/dev/inbox/messages")
}

// Process returns a process by its name: "auth", "gateway", and "gateway-2" for the second one.
func (m *Mesh) Process(name string) *Process {
	m.t.Helper()
	for _, p := range m.Processes {
		if p.Name == name {
			return p
		}
	}
	m.t.Fatalf("mesh: there is no process %q", name)
	return nil
}

// Services are the processes with a readiness check: all but the inbox.
func (m *Mesh) Services() []*Process {
	return slices.DeleteFunc(slices.Clone(m.Processes), func(p *Process) bool { return p.Admin == "" })
}

// WaitReady returns when every service is ready.
func (m *Mesh) WaitReady() {
	m.t.Helper()
	for _, p := range m.Services() {
		p.WaitReady()
	}
}

// Host is the host and port of an origin.
func Host(origin string) string {
	u, err := url.Parse(origin)
	if err != nil {
		return origin
	}
	return u.Host
}
