package chart_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files again")

const chartFolder = "../../charts/atrium"

// helm runs the pinned helm, without a cluster.
func helm(t *testing.T, args ...string) (stdout string, err error) {
	t.Helper()
	program, err := filepath.Abs("../../bin/helm")
	require.NoError(t, err)
	if _, err := os.Stat(program); err != nil {
		program, err = exec.LookPath("helm")
		require.NoError(t, err, "there is no helm: run make bin/helm")
	}
	var out, problems bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG=/dev/null")
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		return "", errors.New(strings.TrimSpace(problems.String()))
	}
	return out.String(), nil
}

// valueSets are the files of charts/atrium/ci, by name.
func valueSets(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(chartFolder, "ci", "*-values.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	sets := map[string]string{}
	for _, file := range files {
		sets[strings.TrimSuffix(filepath.Base(file), "-values.yaml")] = file
	}
	return sets
}

// render is the chart with one value set, and more arguments of helm. Clusters for production have cert-manager, those of a laptop do not.
func render(t *testing.T, set string, args ...string) string {
	t.Helper()
	base := []string{"template", "atrium", chartFolder, "--namespace=mesh", "--values=" + valueSets(t)[set], "--api-versions=monitoring.coreos.com/v1"}
	if set == "production" || set == "cloudnativepg" {
		base = append(base, "--api-versions=cert-manager.io/v1")
	}
	out, err := helm(t, append(base, args...)...)
	require.NoError(t, err)
	return out
}

// dig follows keys into maps and numbers into lists; nil when there is nothing.
func dig(in any, path ...any) any {
	for _, step := range path {
		switch at := step.(type) {
		case string:
			m, _ := in.(map[string]any)
			in = m[at]
		case int:
			l, _ := in.([]any)
			if at >= len(l) {
				return nil
			}
			in = l[at]
		}
	}
	return in
}

func text(in any, path ...any) string {
	s, _ := dig(in, path...).(string)
	return s
}

func list(in any, path ...any) []any {
	l, _ := dig(in, path...).([]any)
	return l
}

// find returns the object of a kind and name.
func find(t *testing.T, all []map[string]any, kind, name string) map[string]any {
	t.Helper()
	for _, o := range all {
		if o["kind"] == kind && text(o, "metadata", "name") == name {
			return o
		}
	}
	require.Failf(t, "not rendered", "%s %s", kind, name)
	return nil
}
