package chart_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// relations is what the sources of the services say about who talks to whom.
type relations struct {
	operations map[string]bool            // subjects
	events     map[string]bool            // types
	calls      map[string]map[string]bool // service → subjects of others
	consumes   map[string]map[string]bool // service → producers
}

var (
	declaresOperation = regexp.MustCompile(`(?m)^(?:var )?\s*(\w+) += op\.Op\[`)
	declaresSubject   = regexp.MustCompile(`Subject: +"([^"]+)"`)
	declaresEvent     = regexp.MustCompile(`(\w+) += events\.Define\[\w+\]\("([^"]+)"\)`)
	callsOperation    = regexp.MustCompile(`op\.NATSClient\([\w.]+, (\w+?)(?:api)?\.(\w+)\)`)
	showsWhoItIs      = regexp.MustCompile(`auth(?:api)?\.ServiceTokens\b`)
	pollsWatermarks   = regexp.MustCompile(`auth(?:api)?\.PollWatermarks\(`)
	consumesEvent     = regexp.MustCompile(`events\.On\((\w+?)(?:api)?\.(\w+),`)
)

// readMesh reads them as text: what is declared in the api packages, and what is called elsewhere.
func readMesh(t *testing.T) relations {
	t.Helper()
	m := relations{operations: map[string]bool{}, events: map[string]bool{}, calls: map[string]map[string]bool{}, consumes: map[string]map[string]bool{}}
	subjectOf, typeOf := map[string]string{}, map[string]string{}
	for _, service := range meshServices {
		m.calls[service], m.consumes[service] = map[string]bool{}, map[string]bool{}
		for _, source := range sources(t, service, true) {
			starts := declaresOperation.FindAllStringSubmatchIndex(source, -1)
			for i, at := range starts {
				end := len(source)
				if i+1 < len(starts) {
					end = starts[i+1][0]
				}
				if found := declaresSubject.FindStringSubmatch(source[at[0]:end]); found != nil {
					subjectOf[service+"."+source[at[2]:at[3]]] = found[1]
					m.operations[found[1]] = true
				}
			}
			for _, found := range declaresEvent.FindAllStringSubmatch(source, -1) {
				typeOf[service+"."+found[1]] = found[2]
				m.events[found[2]] = true
			}
		}
	}
	for _, service := range meshServices {
		for _, source := range sources(t, service, false) {
			for _, found := range callsOperation.FindAllStringSubmatch(source, -1) {
				subject := subjectOf[found[1]+"."+found[2]]
				require.NotEmpty(t, subject, "%s calls %s.%s", service, found[1], found[2])
				m.calls[service][subject] = true
			}
			if showsWhoItIs.MatchString(source) {
				m.calls[service]["rpc.auth.issue-service-token"] = true
			}
			if pollsWatermarks.MatchString(source) {
				m.calls[service]["rpc.auth.list-watermarks"] = true
			}
			for _, found := range consumesEvent.FindAllStringSubmatch(source, -1) {
				typeName := typeOf[found[1]+"."+found[2]]
				require.NotEmpty(t, typeName, "%s consumes %s.%s", service, found[1], found[2])
				producer, _, _ := strings.Cut(typeName, ".")
				m.consumes[service][producer] = true
			}
		}
	}
	require.True(t, m.calls["users"]["rpc.auth.create-account"] && m.consumes["notifications"]["users"], "the sources are read")
	require.Greater(t, len(m.operations), 15)
	require.Greater(t, len(m.events), 15)
	return m
}

// sources are the files of a service that are compiled into it: of its api package, or of the rest.
func sources(t *testing.T, service string, api bool) []string {
	t.Helper()
	root := filepath.Join("../../services", service)
	var out []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		if strings.HasPrefix(path, filepath.Join(root, "api")) != api {
			return nil
		}
		source, err := os.ReadFile(path) //nolint:gosec // of this repository
		out = append(out, string(source))
		return err
	})
	require.NoError(t, err)
	return out
}
