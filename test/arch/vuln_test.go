package arch_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/test/arch"
)

// What govulncheck prints on its way out; its exit codes are 3 for a finding, 1 for whatever else goes wrong.
const (
	away   = `echo 'govulncheck: fetching vulnerabilities: Get "https://vuln.example/index/modules.json.gz": no such host' >&2; exit 1`
	broken = `echo 'govulncheck: loading packages: there are errors' >&2; exit 1`
	found  = `echo 'Vulnerability #1: GO-2026-0001'; exit 3`
)

// scripts/vuln says apart what was found, what could not be looked at, and that nothing is known at all.
func TestVuln(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stub string // runs in the folder of each module
		code int
		says string
		not  string
	}{
		"nothing":          {stub: `exit 0`, code: 0},
		"found":            {stub: `case $PWD in */pkg) ` + found + `;; esac`, code: 1, says: "vuln: found in: pkg\n", not: "cannot reach"},
		"database away":    {stub: away, code: 75, says: "cannot reach the vulnerability database: nothing was checked\n", not: "found in"},
		"does not build":   {stub: `case $PWD in */pkg) ` + broken + `;; esac`, code: 2, says: "vuln: could not be checked: pkg\n", not: "cannot reach"},
		"goes away":        {stub: `case $PWD in */services/users) ` + away + `;; esac`, code: 75, says: "modules were checked\n", not: "nothing was"},
		"found, then away": {stub: `case $PWD in */pkg) ` + found + `;; */services/users) ` + away + `;; esac`, code: 1, says: "cannot reach"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, stderr := runVuln(t, c.stub)
			require.Equal(t, c.code, code, stderr)
			require.Contains(t, stderr, c.says)
			if c.not != "" {
				require.NotContains(t, stderr, c.not)
			}
			require.Equal(t, 1, max(1, strings.Count(stderr, "fetching vulnerabilities")), "a database that is away is asked once")
		})
	}
}

func runVuln(t *testing.T, stub string) (code int, stderr string) {
	t.Helper()
	w, err := arch.Open()
	require.NoError(t, err)
	program := filepath.Join(t.TempDir(), "govulncheck")
	require.NoError(t, os.WriteFile(program, []byte("#!/usr/bin/env bash\n"+stub+"\n"), 0o700))
	var said bytes.Buffer
	c := exec.CommandContext(t.Context(), filepath.Join(w.Dir, "scripts", "vuln"))
	c.Env, c.Stderr = append(os.Environ(), "GOVULNCHECK="+program), &said
	if err = c.Run(); err == nil {
		return 0, said.String()
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	require.True(t, ok, err)
	return exit.ExitCode(), said.String()
}
