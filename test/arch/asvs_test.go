package arch_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/test/arch"
)

// asvsRequired are the requirements of levels 1 and 2 in chapters V4, V6 to V10, V13 and V16 of ASVS 5.0.
// https://github.com/OWASP/ASVS/tree/master/5.0
var asvsRequired = strings.Fields(`
4.1.1 4.1.2 4.1.3 4.2.1 4.3.1 4.3.2 4.4.1 4.4.2 4.4.3 4.4.4
6.1.1 6.1.2 6.1.3 6.2.1 6.2.2 6.2.3 6.2.4 6.2.5 6.2.6 6.2.7 6.2.8 6.2.9 6.2.10 6.2.11 6.2.12 6.3.1 6.3.2 6.3.3 6.3.4 6.4.1 6.4.2 6.4.3
6.4.4 6.5.1 6.5.2 6.5.3 6.5.4 6.5.5 6.6.1 6.6.2 6.6.3 6.8.1 6.8.2 6.8.3 6.8.4
7.1.1 7.1.2 7.1.3 7.2.1 7.2.2 7.2.3 7.2.4 7.3.1 7.3.2 7.4.1 7.4.2 7.4.3 7.4.4 7.4.5 7.5.1 7.5.2 7.6.1 7.6.2
8.1.1 8.1.2 8.2.1 8.2.2 8.2.3 8.3.1 8.4.1
9.1.1 9.1.2 9.1.3 9.2.1 9.2.2 9.2.3 9.2.4
10.1.1 10.1.2 10.2.1 10.2.2 10.3.1 10.3.2 10.3.3 10.3.4 10.4.1 10.4.2 10.4.3 10.4.4 10.4.5 10.4.6 10.4.7 10.4.8 10.4.9 10.4.10 10.4.11
10.5.1 10.5.2 10.5.3 10.5.4 10.5.5 10.6.1 10.6.2 10.7.1 10.7.2 10.7.3
13.1.1 13.2.1 13.2.2 13.2.3 13.2.4 13.2.5 13.3.1 13.3.2 13.4.1 13.4.2 13.4.3 13.4.4 13.4.5
16.1.1 16.2.1 16.2.2 16.2.3 16.2.4 16.2.5 16.3.1 16.3.2 16.3.3 16.3.4 16.4.1 16.4.2 16.4.3 16.5.1 16.5.2 16.5.3`)

// TestASVS holds docs/security/asvs.md against the tree: every requirement is answered, and every test that answers one is there.
func TestASVS(t *testing.T) {
	t.Parallel()
	w, err := arch.Open()
	require.NoError(t, err)
	problems, err := arch.ASVSViolations(filepath.Join(w.Dir, "docs/security/asvs.md"), asvsRequired)
	require.NoError(t, err)
	require.Empty(t, problems, strings.Join(problems, "\n"))
}

func TestASVSViolations(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "x_test.go"), []byte("func TestLogin(t *testing.T) {\n\tt.Run(\"tells nothing\","), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "page.md"), nil, 0o600))
	for name, test := range map[string]struct {
		row, want string
	}{
		"a test":                   {"| 6.1.1 | 1 | x | [`TestLogin`](x_test.go) |", ""},
		"a case of a test":         {"| 6.1.1 | 1 | x | [`TestLogin/tells nothing`](x_test.go) |", ""},
		"a page":                   {"| 6.1.1 | 1 | x | [page.md](page.md#there) |", ""},
		"open":                     {"| 6.1.1 | 1 | x | open: nobody has built it |", ""},
		"does not apply":           {"\n## Does not apply\n\nNo SAML: 6.1.1.", ""},
		"a test that is gone":      {"| 6.1.1 | 1 | x | [`TestLogout`](x_test.go) |", "there is no TestLogout in x_test.go"},
		"the beginning of a name":  {"| 6.1.1 | 1 | x | [`TestLog`](x_test.go) |", "there is no TestLog in x_test.go"},
		"a case that is gone":      {"| 6.1.1 | 1 | x | [`TestLogin/tells all`](x_test.go) |", `has no case "tells all"`},
		"a file that is gone":      {"| 6.1.1 | 1 | x | [`TestLogin`](y_test.go) |", "there is no y_test.go"},
		"open without a reason":    {"| 6.1.1 | 1 | x | open: later |", "open without a reason"},
		"nothing":                  {"| 6.1.1 | 1 | x | surely |", "names no test and no page"},
		"a test file without name": {"| 6.1.1 | 1 | x | [there](x_test.go) |", "names no test"},
		"no row":                   {"", "6.1.1 has no row"},
		"twice":                    {"| 6.1.1 | 1 | x | [page.md](page.md) |\n## Does not apply\n6.1.1", "6.1.1 is there twice"},
		"another level":            {"| 6.1.1 | 1 | x | [p](page.md) |\n| 6.1.9 | 1 | x | [p](page.md) |", "6.1.9 is no requirement"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(folder, strings.ReplaceAll(name, " ", "-")+".md")
			require.NoError(t, os.WriteFile(file, []byte(test.row+"\n"), 0o600))
			problems, err := arch.ASVSViolations(file, []string{"6.1.1"})
			require.NoError(t, err)
			if test.want == "" {
				require.Empty(t, problems)
				return
			}
			require.Len(t, problems, 1)
			require.Contains(t, problems[0], test.want)
		})
	}
}
