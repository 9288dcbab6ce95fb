package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Restricted makes a namespace that refuses every pod which Pod Security `restricted` would, and deletes it in the end.
func Restricted(t testing.TB, name string) *Namespace {
	t.Helper()
	n := &Namespace{Name: name, t: t}
	ctx := context.WithoutCancel(t.Context())
	_, err := Try(ctx, "", "kubectl", "delete", "namespace", name, "--ignore-not-found", "--wait")
	require.NoError(t, err)
	_, err = Try(ctx, "", "kubectl", "create", "namespace", name)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := Try(ctx, "", "kubectl", "delete", "namespace", name, "--wait", "--timeout=2m")
		require.NoError(t, err)
	})
	_, err = Try(ctx, "", "kubectl", "label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted",
		"pod-security.kubernetes.io/warn=restricted")
	require.NoError(t, err)
	return n
}

// For is the same namespace in another (sub)test, whose failures it reports.
func (n *Namespace) For(t testing.TB) *Namespace {
	other := *n
	other.t = t
	return &other
}

// ReportFailure prints what the pods say when the test has failed. It is called after everything that cleans up.
func (n *Namespace) ReportFailure() {
	n.t.Cleanup(func() {
		if n.t.Failed() {
			n.Report()
		}
	})
}

// Report logs what there is in the namespace and what the pods have logged.
func (n *Namespace) Report() {
	n.t.Helper()
	for _, args := range [][]string{
		{"get", "pods", "-o", "wide"},
		{"get", "events", "--sort-by=.lastTimestamp", "--field-selector=type!=Normal"},
	} {
		out, _ := n.Try(args...) // it is only told to a person
		n.t.Logf("kubectl %s\n%s", strings.Join(args, " "), out)
	}
	pods, _ := n.Try("get", "pods", "-o", "name")
	for pod := range strings.FieldsSeq(pods) {
		for _, previous := range []string{"false", "true"} {
			if out, err := n.Try("logs", pod, "--tail=40", "--previous="+previous); err == nil {
				n.t.Logf("%s (previous: %s)\n%s", pod, previous, out)
			}
		}
	}
}

// StorageClass is one that claims of the test can name. Where the cluster has a default class it is that, "". Elsewhere it is made, with
// volumes, one for each claim, in a folder of this machine, which then must be the cluster's node.
func (n *Namespace) StorageClass(volumes int) string {
	n.t.Helper()
	ctx := context.WithoutCancel(n.t.Context())
	classes, err := Try(ctx, "", "kubectl", "get", "storageclasses", "-o",
		`jsonpath={.items[*].metadata.annotations.storageclass\.kubernetes\.io/is-default-class}`)
	require.NoError(n.t, err)
	if strings.Contains(classes, "true") {
		return ""
	}
	folder, err := os.MkdirTemp("", n.Name+"-volumes-")
	require.NoError(n.t, err)
	node, err := Try(ctx, "", "kubectl", "get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")
	require.NoError(n.t, err)
	var manifest strings.Builder
	fmt.Fprintf(&manifest, "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: %s}\n"+
		"provisioner: kubernetes.io/no-provisioner\nvolumeBindingMode: WaitForFirstConsumer\n", n.Name)
	for i := range volumes {
		path := filepath.Join(folder, fmt.Sprint(i))
		require.NoError(n.t, os.Mkdir(path, 0o777))
		require.NoError(n.t, os.Chmod(path, 0o777))
		fmt.Fprintf(&manifest, `---
apiVersion: v1
kind: PersistentVolume
metadata: {name: %[1]s-%[2]d, labels: {test: %[1]s}}
spec:
  capacity: {storage: 20Gi}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  storageClassName: %[1]s
  local: {path: %[3]s}
  nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [%[4]s]}]}]}}
`, n.Name, i, path, node)
	}
	require.NoError(n.t, os.Chmod(folder, 0o777))
	_, err = Try(ctx, manifest.String(), "kubectl", "apply", "-f", "-")
	require.NoError(n.t, err)
	n.t.Cleanup(func() { // runs before the namespace goes: claims hold volumes only until then
		_, err := Try(ctx, "", "kubectl", "-n", n.Name, "delete", "statefulsets,pods,persistentvolumeclaims", "--all", "--force", "--grace-period=0")
		require.NoError(n.t, err)
		_, err = Try(ctx, "", "kubectl", "delete", "persistentvolumes", "-l", "test="+n.Name)
		require.NoError(n.t, err)
		_, err = Try(ctx, "", "kubectl", "delete", "storageclass", n.Name)
		require.NoError(n.t, err)
		require.NoError(n.t, os.RemoveAll(folder))
	})
	return n.Name
}
