package mesh

import (
	"maps"
	"strings"
	"testing"
	"time"
)

// Up starts everything in one process, `atrium up --ephemeral`, with further arguments, and returns once it is ready.
func Up(t testing.TB, args ...string) *Mesh {
	t.Helper()
	listen := loopback(freePort(t))
	env := maps.Clone(quick)
	env["ATRIUM_ADMIN_PASSWORD"], env["NO_COLOR"] = AdminPassword, "1"
	m := &Mesh{t: t, dir: t.TempDir(), Origin: "http://" + listen, Origins: []string{"http://" + listen}, Inbox: "http://" + listen}
	t.Cleanup(m.stop)
	m.add(&Process{
		Name: "atrium", URL: m.Origin, command: append([]string{
			program(t, "atrium"), "up", "--ephemeral", "--listen", listen, "--admin-email", AdminEmail,
		}, args...),
		env: environment(env),
	})
	m.waitPrinted("Atrium is ready")
	return m
}

// waitPrinted returns when the only process has printed text.
func (m *Mesh) waitPrinted(text string) {
	m.t.Helper()
	p := m.Processes[0]
	deadline := time.NewTimer(2 * readyWithin) // the first start makes the databases
	defer deadline.Stop()
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for !strings.Contains(p.Log(), text) {
		select {
		case <-deadline.C:
			m.t.Fatalf("%s did not print %q\n%s", p.Name, text, p.tail())
		case <-ticker.C:
		}
		if !p.Running() {
			m.t.Fatalf("%s ended before it printed %q\n%s", p.Name, text, p.tail())
		}
	}
}
