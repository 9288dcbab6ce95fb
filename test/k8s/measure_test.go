package k8s_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// measure prints what each pod takes when nobody asks for anything, and how long it took to be ready.
func measure(t *testing.T, r *release) {
	type usage struct {
		memory uint64
		cpu    time.Duration
		at     time.Time
	}
	read := func() map[string]usage {
		found := map[string]usage{}
		node := r.Kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")
		out := r.Kubectl("get", "--raw", "/api/v1/nodes/"+node+"/proxy/metrics/resource")
		for line := range strings.Lines(out) {
			name, labels, value, ok := sample(line)
			if !ok || labels["namespace"] != r.Name {
				continue
			}
			u := found[labels["pod"]]
			switch name {
			case "pod_memory_working_set_bytes":
				u.memory = uint64(value)
			case "pod_cpu_usage_seconds_total":
				u.cpu, u.at = time.Duration(value*float64(time.Second)), time.Now()
			}
			found[labels["pod"]] = u
		}
		return found
	}
	before := read()
	wait := time.NewTimer(30 * time.Second)
	defer wait.Stop()
	<-wait.C
	after := read()
	require.NotEmpty(t, after)
	var table strings.Builder
	fmt.Fprintf(&table, "%-44s %10s %10s %10s\n", "pod", "memory", "CPU", "ready in")
	for _, pod := range r.Pods("") {
		a, b := after[pod], before[pod]
		cpu := "?"
		if between := a.at.Sub(b.at); b.cpu > 0 && between > 0 {
			cpu = fmt.Sprintf("%.1f m", 1000*(a.cpu-b.cpu).Seconds()/between.Seconds())
		}
		fmt.Fprintf(&table, "%-44s %6.1f MiB %10s %10s\n", pod, float64(a.memory)/(1<<20), cpu, r.readyIn(t, pod))
	}
	t.Logf("idle, over 30 s:\n%s", &table)
}

// readyIn is the time from the start of a pod's container until it was ready; probes are a second apart.
func (r *release) readyIn(t *testing.T, pod string) string {
	t.Helper()
	words := r.Words(`{.status.containerStatuses[0].state.running.startedAt} {.status.conditions[?(@.type=="Ready")].lastTransitionTime}`, "get", "pod", pod)
	require.Len(t, words, 2, pod)
	started, err := time.Parse(time.RFC3339, words[0])
	require.NoError(t, err)
	ready, err := time.Parse(time.RFC3339, words[1])
	require.NoError(t, err)
	return ready.Sub(started).String()
}

// sample reads one line of the text that Prometheus scrapes.
func sample(line string) (name string, labels map[string]string, value float64, ok bool) {
	name, rest, found := strings.Cut(strings.TrimSpace(line), "{")
	if !found || strings.HasPrefix(line, "#") {
		return "", nil, 0, false
	}
	inside, number, found := strings.Cut(rest, "} ")
	if !found {
		return "", nil, 0, false
	}
	labels = map[string]string{}
	for pair := range strings.SplitSeq(inside, ",") {
		key, quoted, _ := strings.Cut(pair, "=")
		labels[key] = strings.Trim(quoted, `"`)
	}
	value, err := strconv.ParseFloat(strings.Fields(number)[0], 64)
	return name, labels, value, err == nil
}
