package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	t.Parallel()

	const blocks = `mode: atomic
x/a/one.go:1.1,2.2 3 0
x/a/one.go:3.1,4.2 1 7
x/a/one.go:1.1,2.2 3 1
x/b/two.go:1.1,2.2 4 0
x/internal/store/db/q.go:1.1,2.2 100 0
`
	tests := map[string]struct {
		profile string
		floor   float64
		ok      bool
		err     string
		prints  []string
	}{
		"a block counts once, covered by any run":  {profile: blocks, floor: 50, ok: true, prints: []string{"50.0 %  4/8", "100.0 %  4/4", "x/a", "0.0 %  0/4", "x/b"}},
		"under the floor":                          {profile: blocks, floor: 50.1, prints: []string{"UNDER 50 %"}},
		"no statements is not a failure":           {profile: "mode: atomic\n", floor: 80, ok: true},
		"a broken profile is an error, not a pass": {profile: "mode: atomic\nx/a/one.go 3\n", err: "not a coverage block"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "auth.out")
			require.NoError(t, os.WriteFile(path, []byte(tt.profile), 0o600))

			var out strings.Builder
			ok, err := run(&out, tt.floor, "/internal/store/db/", []string{path})
			if tt.err != "" {
				require.ErrorContains(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.ok, ok)
			for _, want := range tt.prints {
				require.Contains(t, out.String(), want)
			}
			require.NotContains(t, out.String(), "store/db")
		})
	}
}
