package k8s_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Where a source of connections is that is no component of the release; testdata/arrows.txt of test/chart says what each means.
const (
	anybody    = "anybody"
	namespace  = "namespace"
	monitoring = "monitoring"
)

// arrow is one line of the design.
type arrow struct {
	source, target string
	port           int
}

// readDesign reads the arrows that are open; all others are closed.
func readDesign(t testing.TB) map[arrow]bool {
	t.Helper()
	const file = "../chart/testdata/arrows.txt"
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	design := map[arrow]bool{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		words := strings.Fields(line)
		require.Len(t, words, 4, "%s: %s", file, line)
		port, err := strconv.Atoi(words[3])
		require.NoError(t, err, "%s: %s", file, line)
		design[arrow{source: words[0], target: words[2], port: port}] = true
	}
	require.NotEmpty(t, design)
	return design
}

// endpoint is an address that something may answer at: a port of a pod, or of a service.
type endpoint struct {
	of        string // the pod or service, for people
	component string
	address   string
	port      int // the design's: of the pod, also where a service has another
	service   bool
}

// source is where connections are tried from.
type source struct {
	name      string
	component string   // of the release; "" is none
	address   string   // the pod's own
	roles     []string // as the design calls it
}

// expects says whether the design lets a source reach an endpoint; judged is false for a pod's way to itself, which no policy is about.
func (s source) expects(design map[arrow]bool, e endpoint) (open, judged bool) {
	open = slices.ContainsFunc(s.roles, func(role string) bool {
		return design[arrow{source: role, target: e.component, port: e.port}]
	})
	itself := strings.HasPrefix(e.address, s.address+":") || e.service && s.component == e.component
	return open, !itself
}

// judge compares what a source found with the design, and counts.
func (s source) judge(design map[arrow]bool, endpoints []endpoint, found map[string]bool) (wrong []string, opened, closed int) {
	for _, e := range endpoints {
		open, judged := s.expects(design, e)
		if !judged {
			continue
		}
		is, tried := found[e.address]
		switch {
		case !tried:
			wrong = append(wrong, fmt.Sprintf("%s > %s: not tried", s.name, e.of))
		case is && !open:
			wrong = append(wrong, fmt.Sprintf("%s > %s %d "+tooOpen, s.name, e.of, e.port))
		case !is && open:
			wrong = append(wrong, fmt.Sprintf("%s > %s %d is closed, and the design needs it", s.name, e.of, e.port))
		case is:
			opened++
		default:
			closed++
		}
	}
	return wrong, opened, closed
}

const tooOpen = "is open, and the design has no such arrow"

func isTooOpen(wrong string) bool { return strings.HasSuffix(wrong, tooOpen) }
