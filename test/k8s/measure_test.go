package k8s_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	usersapi "github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
)

const (
	idleFor  = 30 * time.Second
	loadFor  = 5 * time.Second
	loadFrom = 16 // clients
)

// replicaHash is what a Deployment adds to the name of a pod.
var replicaHash = regexp.MustCompile(`-[0-9a-f]{8,10}-[a-z0-9]{5}$`)

// usage is what a pod had taken at a moment.
type usage struct {
	memory uint64
	cpu    time.Duration
	at     time.Time
}

// measure prints what each pod takes when nobody asks for anything, how long it took to be ready, and how many requests the gateways
// serve. With BENCH_OUT it is also written to that page, below "On Kubernetes".
func measure(t *testing.T, r *release, device *client.Client) {
	before := r.usage()
	wait := time.NewTimer(idleFor)
	defer wait.Stop()
	<-wait.C
	after := r.usage()
	var page strings.Builder
	fmt.Fprintf(&page, "\n`BENCH_OUT=docs/benchmarks.md make e2e-k8s` measured this, on the machine that was the node, the registry and the client as well: two\n"+
		"of every service, three NATS nodes, TLS between all parts.\n\n"+
		"| pod, idle for %v | memory | CPU | ready in |\n|---|---:|---:|---:|\n", idleFor)
	for _, pod := range r.Pods("") {
		a, b := after[pod], before[pod]
		cpu := "?"
		if between := a.at.Sub(b.at); b.cpu > 0 && between > 0 {
			cpu = fmt.Sprintf("%.1f m", 1000*(a.cpu-b.cpu).Seconds()/between.Seconds())
		}
		fmt.Fprintf(&page, "| %s | %.1f MiB | %s | %s |\n", replicaHash.ReplaceAllString(pod, ""), float64(a.memory)/(1<<20), cpu, r.readyIn(t, pod))
	}
	rate, median, slow := load(t, device)
	fmt.Fprintf(&page, "\nThe two gateways served %.0f requests a second for the caller's own profile to %d clients (p50 %.1f ms, p99 %.1f ms).\n\n",
		rate, loadFrom, median.Seconds()*1000, slow.Seconds()*1000)
	sizes, err := os.ReadFile(filepath.Join(r.root, "bin", "images", "sizes"))
	require.NoError(t, err, "scripts/images writes it")
	fmt.Fprintf(&page, "```\n%s```\n", sizes)
	t.Logf("\n%s", &page)
	if out := os.Getenv("BENCH_OUT"); out != "" {
		writeBelow(t, filepath.Join(r.root, out), "## On Kubernetes\n", page.String())
	}
}

// writeBelow replaces everything from a heading on to the end of a page.
func writeBelow(t *testing.T, path, heading, text string) {
	t.Helper()
	page, err := os.ReadFile(path)
	require.NoError(t, err)
	above, _, _ := strings.Cut(string(page), heading)
	require.NoError(t, os.WriteFile(path, []byte(strings.TrimRight(above, "\n")+"\n\n"+heading+text), 0o600))
}

// usage asks the kubelet.
func (r *release) usage() map[string]usage {
	found := map[string]usage{}
	node := r.Kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")
	for line := range strings.Lines(r.Kubectl("get", "--raw", "/api/v1/nodes/"+node+"/proxy/metrics/resource")) {
		name, labels, value, at, ok := sample(line)
		if !ok || labels["namespace"] != r.Name {
			continue
		}
		u := found[labels["pod"]]
		switch name {
		case "pod_memory_working_set_bytes":
			u.memory = uint64(value)
		case "pod_cpu_usage_seconds_total":
			u.cpu, u.at = time.Duration(value*float64(time.Second)), at
		}
		found[labels["pod"]] = u
	}
	return found
}

// readyIn is the time from the start of a pod's container until Kubernetes knew that it was ready, in whole seconds.
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

// sample reads one line of the text that Prometheus scrapes, with its time.
func sample(line string) (name string, labels map[string]string, value float64, at time.Time, ok bool) {
	name, rest, found := strings.Cut(strings.TrimSpace(line), "{")
	inside, numbers, more := strings.Cut(rest, "} ")
	fields := strings.Fields(numbers)
	if !found || !more || strings.HasPrefix(line, "#") || len(fields) != 2 {
		return "", nil, 0, time.Time{}, false
	}
	labels = map[string]string{}
	for pair := range strings.SplitSeq(inside, ",") {
		key, quoted, _ := strings.Cut(pair, "=")
		labels[key] = strings.Trim(quoted, `"`)
	}
	value, err := strconv.ParseFloat(fields[0], 64)
	millis, err2 := strconv.ParseInt(fields[1], 10, 64)
	return name, labels, value, time.UnixMilli(millis), err == nil && err2 == nil
}

// load lets some clients read, each the next when it has its answer.
func load(t *testing.T, device *client.Client) (rate float64, median, slow time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), loadFor)
	defer cancel()
	var (
		mu   sync.Mutex
		wg   sync.WaitGroup
		took []time.Duration
	)
	began := time.Now()
	for range loadFrom {
		wg.Go(func() {
			for ctx.Err() == nil {
				at := time.Now()
				answer, err := device.Try(context.WithoutCancel(ctx), client.Request{Method: http.MethodGet, Path: usersapi.GetMe.Path})
				if err != nil || answer.Status != http.StatusOK {
					t.Errorf("under load: %v %v", answer, err)
					return
				}
				mu.Lock()
				took = append(took, time.Since(at))
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	require.NotEmpty(t, took)
	slices.Sort(took)
	return float64(len(took)) / time.Since(began).Seconds(), took[len(took)/2], took[len(took)*99/100]
}
