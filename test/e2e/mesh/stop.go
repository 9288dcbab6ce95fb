package mesh

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/atrium-mesh/atrium/pkg/config"
)

// secrets must be in no log: the domain that all people of the tests have their address at, and what their passwords begin with.
var secrets = []string{"@atrium.example", "eleven quiet"}

// stop ends every process, the last one first, and looks at what they have written.
func (m *Mesh) stop() {
	if m.t.Failed() || config.Environ()["ATRIUM_E2E_LOGS"] != "" {
		m.t.Log("\n" + m.notable())
	}
	var group sync.WaitGroup
	for _, p := range m.Processes {
		p.Resume()
		group.Go(p.Stop)
	}
	group.Wait()
	for _, p := range m.Processes {
		m.inspect(p.Name, p.Log(), p.Admin != "") // what has no admin port prints for a person
	}
}

// inspect fails the test for what must not be in a log.
func (m *Mesh) inspect(name, log string, private bool) {
	forbidden := []string{"panic:", "goroutine ", "WARNING: DATA RACE"}
	if private {
		forbidden = append(forbidden, secrets...)
	}
	for _, text := range forbidden {
		for line := range strings.Lines(log) {
			if strings.Contains(line, text) {
				m.t.Errorf("the log of %s holds %q: %s", name, text, line)
				break
			}
		}
	}
}

// notable is what the logs say beyond the lines of requests that went well.
func (m *Mesh) notable() string {
	var b strings.Builder
	all := config.Environ()["ATRIUM_E2E_LOGS"] != ""
	for _, p := range m.Processes {
		b.WriteString("── " + p.Name + " ──\n")
		for line := range strings.Lines(p.Log()) {
			if all || !strings.Contains(line, `"level":"INFO"`) {
				b.WriteString(line)
			}
		}
	}
	return b.String()
}

// waitServing returns when an address answers anything.
func waitServing(t testing.TB, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), readyWithin)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if response, err := client.Do(request); err == nil {
			_ = response.Body.Close()
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("mesh: nothing serves %s after %v", url, readyWithin)
		case <-ticker.C:
		}
	}
}
