package chart_test

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

const chartDir = "../../charts/atrium"

// foreign are the metrics that are not ours, with the labels that are used of them.
var foreign = map[string][]string{
	"kube_pod_status_ready":                                {"namespace", "pod", "condition"},
	"kube_pod_status_phase":                                {"namespace", "pod", "phase"},
	"certmanager_certificate_expiration_timestamp_seconds": {"namespace", "name"},
}

// target are the labels that a scrape adds.
var target = []string{"namespace", "release", "component", "job", "instance", "pod"}

var language = parser.NewParser(parser.Options{})

// parse reads an expression; dashboards have variables in it.
func parse(t *testing.T, expr string) parser.Expr {
	t.Helper()
	text := strings.NewReplacer("$__rate_interval", "5m", "$namespace", ".*", "$release", ".*").Replace(expr)
	parsed, err := language.ParseExpr(text)
	require.NoError(t, err, text)
	return parsed
}

// check says that an expression names what a mesh exposes, and nothing else. Labels it looks at are those of its selectors and groupings.
func check(t *testing.T, where, expr string, exposed map[string][]string) {
	t.Helper()
	parsed := parse(t, expr)
	all := slices.Clone(target)
	var grouped []string
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			known, ours := exposed[n.Name]
			if !ours {
				known = foreign[n.Name]
			}
			require.NotEmpty(t, known, "%s: nobody exposes %s", where, n.Name)
			for _, m := range n.LabelMatchers {
				if m.Name != "__name__" {
					require.Contains(t, append(slices.Clone(target), known...), m.Name, "%s: %s has no such label", where, n.Name)
				}
			}
			all = append(all, known...)
		case *parser.AggregateExpr:
			grouped = append(grouped, n.Grouping...)
		case *parser.BinaryExpr:
			if n.VectorMatching != nil {
				grouped = append(grouped, n.VectorMatching.MatchingLabels...)
			}
		}
		return nil
	})
	for _, label := range grouped {
		require.Contains(t, all, label, "%s: nothing has label %s", where, label)
	}
}

var sample = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})? `)

var label = regexp.MustCompile(`([a-zA-Z_][a-zA-Z0-9_]*)="(?:[^"\\]|\\.)*"`)

// scrape starts a mesh, has a person sign up, sign in and be written to, and returns what is exposed once all of the metrics asked for are:
// each with its labels. Some are told only when somebody leads, or has looked.
func scrape(t *testing.T, asked []string) map[string][]string {
	t.Helper()
	m := mesh.Processes(t, mesh.Options{EnvOf: map[string]string{"auth.REQUIRE_VERIFIED_EMAIL": "false"}})
	visitor := client.New(t, client.Door{Gateway: m.Origin, Inbox: m.Inbox})
	person := visitor.Register(client.NewPerson("watched"))
	visitor.Login(person)
	visitor.Eventually("the profile is there", func() bool { return visitor.Get("/api/v1/users/me").Status == http.StatusOK })
	var found map[string][]string
	var missing []string
	for deadline := time.Now().Add(client.Within); ; <-time.After(200 * time.Millisecond) {
		found = map[string][]string{}
		for _, p := range m.Services() {
			read(t, p.Admin+"/metrics", found)
		}
		missing = slices.DeleteFunc(slices.Clone(asked), func(name string) bool { return found[name] != nil })
		if len(missing) == 0 || time.Now().After(deadline) {
			break
		}
	}
	require.Empty(t, missing, "nobody exposes these")
	return found
}

func read(t *testing.T, url string, into map[string][]string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	answer, err := (&http.Client{Timeout: 10 * time.Second}).Do(req)
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	lines := bufio.NewScanner(io.LimitReader(answer.Body, 16<<20))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if found := sample.FindStringSubmatch(lines.Text()); found != nil {
			names := into[found[1]]
			if names == nil {
				names = []string{"__name__"}
			}
			for _, l := range label.FindAllStringSubmatch(found[2], -1) {
				if !slices.Contains(names, l[1]) {
					names = append(names, l[1])
				}
			}
			into[found[1]] = names
		}
	}
	require.NoError(t, lines.Err())
}

// TestExpressions: what alerts and dashboards ask for is what the real services tell.
func TestExpressions(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts a mesh")
	}
	expressions := map[string][]string{}
	for _, r := range alerts(t) {
		expressions[r.Alert] = append(expressions[r.Alert], r.Expr)
	}
	for name, d := range dashboards(t) {
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				where := name + "/" + p.Title
				expressions[where] = append(expressions[where], target.Expr)
			}
		}
	}
	var asked []string
	for _, all := range expressions {
		for _, expr := range all {
			asked = append(asked, metrics(t, expr)...)
		}
	}
	exposed := scrape(t, asked)
	for where, all := range expressions {
		for _, expr := range all {
			check(t, where, expr, exposed)
		}
	}
}

// metrics are those of ours that an expression names.
func metrics(t *testing.T, expr string) []string {
	t.Helper()
	var names []string
	parser.Inspect(parse(t, expr), func(node parser.Node, _ []parser.Node) error {
		if n, ok := node.(*parser.VectorSelector); ok && foreign[n.Name] == nil {
			names = append(names, n.Name)
		}
		return nil
	})
	return names
}

func file(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Clean(path))
	require.NoError(t, err)
	return text
}
