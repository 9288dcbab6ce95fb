package mesh

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// chartUsers are those that the chart's NATS knows.
var chartUsers = []string{"auth", "users", "notifications", "gateway"}

// natsPassword is that of a user of a guarded mesh.
func natsPassword(user string) string { return "p" + user }

// chartPermissions are the users and permissions of the chart's nats.conf: of what its template renders, which test/chart keeps fresh.
func chartPermissions(t testing.TB) []*server.User {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	golden, err := os.ReadFile(filepath.Join(filepath.Dir(here), "../../chart/testdata/golden/minimal.yaml"))
	if err != nil {
		t.Fatalf("mesh: %v", err)
	}
	_, rest, _ := strings.Cut(string(golden), "\n  nats.conf: |\n")
	var conf strings.Builder
	for line := range strings.Lines(rest) {
		text, indented := strings.CutPrefix(line, "    ")
		if !indented && strings.TrimSpace(line) != "" {
			break
		}
		conf.WriteString(text)
	}
	if conf.Len() == 0 {
		t.Fatal("mesh: the chart renders no nats.conf")
	}
	var variables strings.Builder
	for _, user := range chartUsers {
		variables.WriteString("NATS_PASSWORD_" + strings.ToUpper(user) + ": " + natsPassword(user) + "\n")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "nats.conf")
	for name, text := range map[string]string{"secrets.conf": variables.String(), "nats.conf": "POD_NAME: e2e\n" + conf.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatalf("mesh: %v", err)
		}
	}
	opts, err := server.ProcessConfigFile(path)
	if err != nil {
		t.Fatalf("mesh: read the chart's nats.conf: %v", err)
	}
	return opts.Users
}
