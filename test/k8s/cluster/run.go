package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// runWithin bounds one command. Installations wait for pods, which wait for images.
const runWithin = 5 * time.Minute

// Namespace is one namespace of the cluster, made for a test.
type Namespace struct {
	Name string
	t    testing.TB
}

// Registry is where images are, with the path before their names.
func Registry(t testing.TB) string {
	t.Helper()
	registry := os.Getenv("ATRIUM_K8S_REGISTRY")
	require.NotEmpty(t, registry, "ATRIUM_K8S_REGISTRY says where images are pushed to; `make e2e-k8s` sets it")
	return registry
}

// Root is the folder of the workspace.
func Root(t testing.TB) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOWORK").Output()
	require.NoError(t, err)
	return strings.TrimSuffix(strings.TrimSpace(string(out)), "/go.work")
}

// Try runs a command with some standard input and returns what it printed; the error holds what it complained of.
func Try(ctx context.Context, stdin string, command ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, runWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	var out, complaint bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &complaint
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, strings.TrimSpace(complaint.String()))
	}
	return out.String(), nil
}

// Try runs kubectl in the namespace.
func (n *Namespace) Try(args ...string) (string, error) {
	return Try(context.WithoutCancel(n.t.Context()), "", append([]string{"kubectl", "-n", n.Name}, args...)...)
}

// Kubectl runs kubectl in the namespace and fails the test when it fails.
func (n *Namespace) Kubectl(args ...string) string {
	n.t.Helper()
	out, err := n.Try(args...)
	require.NoError(n.t, err)
	return out
}

// Apply makes what a manifest describes.
func (n *Namespace) Apply(manifest string) {
	n.t.Helper()
	_, err := Try(context.WithoutCancel(n.t.Context()), manifest, "kubectl", "-n", n.Name, "apply", "-f", "-")
	require.NoError(n.t, err)
}

// TryHelm runs helm in the namespace.
func (n *Namespace) TryHelm(args ...string) (string, error) {
	return Try(context.WithoutCancel(n.t.Context()), "", append([]string{"helm", "-n", n.Name}, args...)...)
}

// Helm runs helm in the namespace and fails the test when it fails.
func (n *Namespace) Helm(args ...string) string {
	n.t.Helper()
	out, err := n.TryHelm(args...)
	require.NoError(n.t, err)
	return out
}

// Words are what a JSONPath finds, split at spaces.
func (n *Namespace) Words(jsonpath string, args ...string) []string {
	n.t.Helper()
	return strings.Fields(n.Kubectl(append(args, "-o", "jsonpath="+jsonpath)...))
}

// Pods are the names of the pods of a component ("" is all) that run and are not on their way out.
func (n *Namespace) Pods(component string) []string {
	n.t.Helper()
	args := []string{
		"get", "pods", "--sort-by=.metadata.name", "-o",
		`go-template={{range .items}}{{if and (not .metadata.deletionTimestamp) (eq .status.phase "Running")}}{{.metadata.name}}{{"\n"}}{{end}}{{end}}`,
	}
	if component != "" {
		args = append(args, "-l", "app.kubernetes.io/component="+component)
	}
	return strings.Fields(n.Kubectl(args...))
}

// Query asks a database of the bundled PostgreSQL.
func (n *Namespace) Query(database, query string) (string, error) {
	pods := n.Pods("postgres")
	if len(pods) == 0 {
		return "", errors.New("there is no PostgreSQL")
	}
	out, err := n.Try("exec", pods[0], "--", "psql", "-U", "postgres", "-h", "/var/run/postgresql", "-d", database, "-XAtc", query)
	return strings.TrimSpace(out), err
}

// MustQuery is Query that fails the test.
func (n *Namespace) MustQuery(database, query string) string {
	n.t.Helper()
	out, err := n.Query(database, query)
	require.NoError(n.t, err)
	return out
}

// Eventually asks again and again until ok, and fails with what was said last.
func (n *Namespace) Eventually(what string, within time.Duration, ok func() error) {
	n.t.Helper()
	deadline := time.Now().Add(within)
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := ok()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			require.Fail(n.t, "waited in vain", "%s: not within %v: %v", what, within, err)
		}
		<-ticker.C
	}
}
