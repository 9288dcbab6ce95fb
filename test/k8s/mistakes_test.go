package k8s_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/test/k8s/cluster"
)

// small is one of each, without volumes: an installation that is there to be wrong.
func small(t *testing.T, n *cluster.Namespace, name string) *release {
	t.Helper()
	return &release{Namespace: n, name: name, chart: chart(t), values: append(images(t),
		"--set", "replicas=1", "--set", "tls.mode=generated",
		"--set", "postgres.bundled.storage.type=emptyDir", "--set", "nats.bundled.storage.type=emptyDir",
	)}
}

// install does not wait: what is wrong does not become ready.
func (r *release) install(values ...string) {
	args := append(append([]string{"upgrade", "--install", r.name, r.chart}, r.values...), values...)
	r.Helm(args...)
}

// mistake is an installation that cannot work, where it is told, and how it is mended.
type mistake struct {
	wrong  []string
	before func(r *release)          // makes what is wrong outside the chart; may be nil
	pods   []string                  // the components whose pods are not well
	log    []string                  // what their logs, or the reasons why they have none, say
	check  []string                  // what `helm test` says
	mend   func(r *release) []string // corrects it outside of the chart, and returns the values
}

// TestMistakes: whatever is wrong with an installation, the pod's condition, the log and `helm test` say so within a minute, and it mends
// itself once it is corrected.
func TestMistakes(t *testing.T) { //nolint:paralleltest // it wants the machine for itself
	for name, m := range map[string]mistake{
		"a wrong DSN": {
			before: func(r *release) {
				r.Kubectl("create", "secret", "generic", "users-database",
					"--from-literal=database-url=postgres://atrium_users:wrong@"+r.object("postgres")+":5432/atrium_users?sslmode=require")
			},
			wrong: []string{"--set", "users.database.existingSecret=users-database"},
			pods:  []string{"users"}, log: []string{"password"}, check: []string{"users", "postgres"},
			mend: func(*release) []string { return []string{"--set", "users.database.existingSecret="} },
		},
		"a missing secret": {
			wrong: []string{"--set", "mail.existingSecret=smtp"},
			pods:  []string{"auth", "notifications"}, log: []string{"smtp", "not found"}, check: []string{"notifications"},
			mend: func(r *release) []string {
				r.Kubectl("create", "secret", "generic", "smtp", "--from-literal=smtp-url=smtp://"+r.object("inbox")+":1025?tls=none")
				return nil // it is found without another upgrade, when the kubelet next looks: its pauses grow to two minutes
			},
		},
		"an unreachable NATS": {
			wrong: []string{"--set", "nats.mode=external", "--set", "nats.external.url=nats://nowhere:4222", "--set", "nats.external.passwords=false"},
			pods:  []string{"auth"}, log: []string{"NATS", "no such host"}, check: []string{"auth", "nats"},
			mend: func(*release) []string { return []string{"--set", "nats.mode=bundled"} },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := cluster.Restricted(t, "atrium-e2e-"+strings.ReplaceAll(strings.ToLower(name), " ", "-"))
			r := small(t, n, "atrium")
			if class := n.StorageClass(2); class != "" { // PostgreSQL restarts when it is told of one more user, and keeps its data
				r.values = append(r.values, "--set", "postgres.bundled.storage.storageClassName="+class)
			}
			r.values = append(r.values, "--set", "postgres.bundled.storage.type=pvc")
			n.ReportFailure()
			m.try(t, r)
		})
	}
}

func (m mistake) try(t *testing.T, r *release) {
	t.Helper()
	if m.before != nil {
		m.before(r)
	}
	began := time.Now()
	r.install(m.wrong...)
	var condition, said string
	r.Eventually("the pod's condition and its log say what is wrong", time.Minute, func() error {
		for _, pod := range m.pods {
			condition = strings.TrimSpace(r.condition(pod))
			said = r.log(pod)
			if condition == "" {
				return fmt.Errorf("%s is well", pod)
			}
			if err := contains(said, m.log); err != nil {
				return fmt.Errorf("%s: %w", pod, err)
			}
		}
		return nil
	})
	told := time.Since(began)
	out, err := r.TryHelm("test", r.name, "--timeout", "2m", "--logs")
	require.Error(t, err, "helm test must fail")
	finding := line(out+err.Error(), m.check)
	require.NotEmpty(t, finding, "helm test says nothing of %v: %s %v", m.check, out, err)
	t.Logf("after %.0f s\n  condition: %s\n  log:       %s\n  helm test: %s", told.Seconds(), condition, line(said, m.log), finding)

	values := m.mend(r)
	if values != nil {
		r.install(values...)
	}
	r.waitReady(3 * time.Minute)
	t.Logf("mended: %s", strings.TrimSpace(line(r.Helm("test", r.name, "--timeout", "2m", "--logs"), []string{"Phase"})))
}

// condition is why the first pod of a component is not ready, "" when it is.
func (r *release) condition(component string) string {
	out, _ := r.Try("get", "pods", "-l", "app.kubernetes.io/instance="+r.name+",app.kubernetes.io/component="+component,
		"-o", `go-template={{range .items}}{{range .status.conditions}}{{if and (eq .type "ContainersReady") (ne .status "True")}}{{.message}}{{end}}{{end}}{{range .status.containerStatuses}}{{with .state.waiting}} {{.reason}}: {{.message}}{{end}}{{end}}{{end}}`)
	return out
}

// log is what a component logs; the reason and the events, when its container cannot start.
func (r *release) log(component string) string {
	out, err := r.Try("logs", "--tail=200", "-l", "app.kubernetes.io/instance="+r.name+",app.kubernetes.io/component="+component)
	if err != nil {
		out = err.Error()
	}
	events, _ := r.Try("get", "events", "--field-selector=type=Warning", "-o", // it is only read for what it says
		`go-template={{range .items}}{{.involvedObject.name}}: {{.reason}}: {{.message}}{{"\n"}}{{end}}`)
	for event := range strings.Lines(events) {
		if strings.HasPrefix(event, r.object(component)+"-") {
			out += event
		}
	}
	return out + r.condition(component)
}

func contains(text string, words []string) error {
	if line(text, words) == "" {
		return fmt.Errorf("no line with %q", words)
	}
	return nil
}

// line is the first line that has all words, whatever their case.
func line(text string, words []string) string {
	for one := range strings.Lines(text) {
		found := true
		for _, w := range words {
			found = found && strings.Contains(strings.ToLower(one), strings.ToLower(w))
		}
		if found {
			return strings.TrimSpace(one)
		}
	}
	return ""
}
