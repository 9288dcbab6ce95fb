package k8s_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/test/k8s/cluster"
)

// previous is the chart as the version before it was called: the same templates under an older version.
func previous(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "atrium")
	require.NoError(t, exec.CommandContext(t.Context(), "cp", "-r", chart(t), folder).Run())
	file := filepath.Join(folder, "Chart.yaml")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var lines []string
	for l := range strings.SplitSeq(string(text), "\n") {
		if strings.HasPrefix(l, "version:") {
			l = "version: 0.0.1"
		}
		lines = append(lines, l)
	}
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600))
	return folder
}

// TestUpgradeAndUninstall: an upgrade keeps every secret and replaces no pod without need; two releases live side by side in a namespace;
// uninstalling leaves what holds data and keys, and nothing else; and a release of the same name takes them up again.
func TestUpgradeAndUninstall(t *testing.T) { //nolint:paralleltest // it wants the machine for itself
	n := cluster.Restricted(t, "atrium-e2e-chart")
	first, second := small(t, n, "atrium"), small(t, n, "other")
	if class := n.StorageClass(2); class != "" {
		first.values = append(first.values, "--set", "postgres.bundled.storage.storageClassName="+class, "--set", "nats.bundled.storage.storageClassName="+class)
	}
	first.values = append(first.values, "--set", "postgres.bundled.storage.type=pvc", "--set", "nats.bundled.storage.type=pvc", "--set", "admin.email="+adminEmail)
	n.ReportFailure()

	first.chart = previous(t)
	first.upgrade()
	secrets, pods := first.secrets(), first.Words("{.items[*].metadata.uid}", "get", "pods", "-l", "app.kubernetes.io/instance=atrium")
	require.NotEmpty(t, secrets)
	first.chart = chart(t)
	first.upgrade()
	require.Equal(t, secrets, first.secrets(), "an upgrade keeps every secret")
	require.Equal(t, pods, first.Words("{.items[*].metadata.uid}", "get", "pods", "-l", "app.kubernetes.io/instance=atrium"), "nothing has changed, so nothing restarts")
	t.Logf("helm upgrade from chart 0.0.1: %d secrets kept, %d pods not restarted", len(secrets), len(pods))

	second.upgrade()
	first.waitReady(time.Minute)
	second.waitReady(time.Minute)
	_, err := second.TryHelm("upgrade", "--install", "third", second.chart, "--set", "fullnameOverride=atrium")
	require.ErrorContains(t, err, "atrium", "a third release that takes the names of the first is refused")
	t.Logf("two releases in one namespace: both ready; a third with the names of the first: %s", line(err.Error(), []string{"exists"}))
	second.Helm("uninstall", second.name, "--wait")
	first.waitReady(time.Minute)

	t.Logf("uninstall says: %s", strings.TrimSpace(first.Helm("uninstall", first.name, "--wait")))
	first.Eventually("pods are gone", time.Minute, func() error {
		return nothing(first.Words("{.items[*].metadata.name}", "get", "pods", "-l", "app.kubernetes.io/instance=atrium"))
	})
	require.Equal(t, secrets, first.secrets(), "secrets hold keys that data is encrypted with, and stay")
	left := first.Words("{.items[*].metadata.name}", "get",
		"deployments,statefulsets,services,serviceaccounts,networkpolicies,poddisruptionbudgets,horizontalpodautoscalers,ingresses,roles,rolebindings,configmaps,jobs",
		"-l", "app.kubernetes.io/instance=atrium")
	require.Empty(t, left)
	claims := first.Words("{.items[*].metadata.name}", "get", "persistentvolumeclaims", "-l", "app.kubernetes.io/instance=atrium")
	require.Len(t, claims, 2, "volumes of PostgreSQL and NATS stay")
	t.Logf("left after uninstall: secrets %v, claims %v", keys(secrets), claims)

	first.upgrade()
	require.Equal(t, secrets, first.secrets(), "the next installation takes them up")
	t.Logf("installed again with the data that was left: %s", line(first.Helm("test", first.name, "--logs"), []string{"Phase"}))
}

// secrets are the release's own, with what is in them.
func (r *release) secrets() map[string]string {
	found := map[string]string{}
	for _, name := range r.Words("{.items[*].metadata.name}", "get", "secrets", "-l", "app.kubernetes.io/instance="+r.name) {
		found[name] = r.Kubectl("get", "secret", name, "-o", "jsonpath={.data}")
	}
	return found
}

func nothing(left []string) error {
	if len(left) > 0 {
		return fmt.Errorf("there are still %v", left)
	}
	return nil
}

func keys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
