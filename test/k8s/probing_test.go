package k8s_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/test/k8s/cluster"
)

// probing is the program test/k8s/probe in one place: beside what runs in a pod (an ephemeral container, which has the pod's network), or in
// a pod of its own.
type probing struct {
	source

	namespace *cluster.Namespace
	beside    string            // the pod; "" is one of its own
	labels    map[string]string // of the pod of its own
	declared  []int             // ports of the pod that it is beside
	args      []string
	started   int
}

// findings are what a probe printed.
type findings struct {
	lines []string
	open  map[string]bool // by address; one that is missing was not tried
}

// start runs the probe, once more if it has run.
func (p *probing) start(t *testing.T) {
	t.Helper()
	p.started++
	image := cluster.Registry(t) + "-test/probe:test"
	if p.beside != "" {
		p.namespace.Kubectl(append([]string{
			"debug", p.beside, "--image=" + image, "--container=" + p.called(), "--profile=restricted", "--quiet", "--image-pull-policy=Always", "--",
			"/usr/local/bin/probe",
		}, p.args...)...)
		return
	}
	manifest, err := json.Marshal(map[string]any{
		"apiVersion": "v1",
		"kind":       "Pod",
		"metadata":   map[string]any{"name": p.called(), "labels": p.labels},
		"spec": map[string]any{
			"restartPolicy":                 "Never",
			"automountServiceAccountToken":  false,
			"terminationGracePeriodSeconds": 0,
			"securityContext": map[string]any{
				"runAsNonRoot":   true,
				"runAsUser":      65532,
				"seccompProfile": map[string]any{"type": "RuntimeDefault"},
			},
			"containers": []any{map[string]any{
				"name":            "probe",
				"image":           image,
				"imagePullPolicy": "Always", // the tag stays, what is behind it changes
				"args":            append([]string{"-after=3s"}, p.args...),
				"securityContext": map[string]any{
					"allowPrivilegeEscalation": false,
					"readOnlyRootFilesystem":   true,
					"capabilities":             map[string]any{"drop": []string{"ALL"}},
				},
				// No service sends people to it, whatever its labels say.
				"readinessProbe": map[string]any{"exec": map[string]any{"command": []string{"/none"}}},
			}},
		},
	})
	require.NoError(t, err)
	p.namespace.Apply(string(manifest))
}

func (p *probing) called() string { return fmt.Sprintf("probe-%s-%d", p.short(), p.started) }

// short is the name without what a Deployment adds: a container's name has no more than 63 characters.
func (p *probing) short() string { return replicaHash.ReplaceAllString(p.name, "") }

// findings waits until the probe has said everything.
func (p *probing) findings(t *testing.T) findings {
	t.Helper()
	pod, container := p.called(), "probe"
	if p.beside != "" {
		pod, container = p.beside, p.called()
	}
	found := findings{open: map[string]bool{}}
	p.namespace.Eventually("the probe "+p.called()+" has ended", time.Minute, func() error {
		out, err := p.namespace.Try("logs", pod, "--container="+container)
		if err == nil && !strings.HasSuffix(out, "done\n") {
			err = errors.New(out)
		}
		found.lines = strings.Split(strings.TrimSpace(out), "\n")
		return err
	})
	for _, line := range found.lines {
		if address, ok := strings.CutPrefix(line, "open "); ok {
			found.open[address] = true
		}
		if address, ok := strings.CutPrefix(line, "closed "); ok {
			found.open[address] = false
		}
	}
	return found
}
