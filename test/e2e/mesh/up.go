package mesh

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// Up starts everything in one process, `atrium up --ephemeral` with further arguments, and returns once it is ready. With --data among
// them it is not ephemeral, and can be killed and started again.
func Up(t testing.TB, args ...string) *Mesh {
	t.Helper()
	if slices.Contains(args, "--admin-email") {
		return up(t, args, nil)
	}
	return up(t, append(args, "--admin-email", AdminEmail), map[string]string{"ATRIUM_ADMIN_PASSWORD": AdminPassword})
}

// UpWithoutAdministrator is Up for who has to become the first administrator by the link that is printed.
func UpWithoutAdministrator(t testing.TB, args ...string) *Mesh {
	t.Helper()
	return up(t, args, nil)
}

func up(t testing.TB, args []string, more map[string]string) *Mesh {
	t.Helper()
	if !slices.Contains(args, "--data") {
		args = append(args, "--ephemeral")
	}
	listen := loopback(freePort(t))
	env := maps.Clone(quick)
	maps.Copy(env, more)
	env["NO_COLOR"] = "1"
	m := &Mesh{t: t, dir: t.TempDir(), Origin: "http://" + listen, Origins: []string{"http://" + listen}, Inbox: "http://" + listen}
	t.Cleanup(m.stop)
	m.add(&Process{
		Name: "atrium", URL: m.Origin, command: append([]string{program(t, "atrium"), "up", "--listen", listen}, args...), env: environment(env),
	})
	m.WaitUp(1)
	return m
}

// WaitUp returns when `atrium up` has said for the nth time that it is ready.
func (m *Mesh) WaitUp(n int) {
	m.t.Helper()
	m.waitPrinted("Atrium is ready", n)
}

// waitPrinted returns when the only process has printed text so many times.
func (m *Mesh) waitPrinted(text string, times int) {
	m.t.Helper()
	p := m.Processes[0]
	deadline := time.NewTimer(2 * readyWithin) // the first start makes the databases
	defer deadline.Stop()
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for strings.Count(p.Log(), text) < times {
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
