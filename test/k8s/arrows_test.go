package k8s_test

import (
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/test/k8s/cluster"
)

// arrows tries every pair: from each pod of the release, from a pod that looks like `helm test`, from a pod of nobody's in the namespace, from
// one in another namespace (with and without the labels of the gateway), and from the monitoring namespace, to each port of each pod and
// service. Exactly what the design says is open. Names, probes and metrics work.
func arrows(t *testing.T, r *release, monitoringNamespace *cluster.Namespace) {
	began := time.Now()
	elsewhere := cluster.Restricted(t, r.Name+"-elsewhere")
	design, endpoints := readDesign(t), r.endpoints(t)
	name := fmt.Sprintf("%s.%s.svc", r.object("gateway"), r.Name)
	args := []string{"-resolve", name}
	for _, e := range endpoints {
		args = append(args, e.address)
	}
	var probes []*probing
	for _, pod := range r.podsOf(t) {
		probes = append(probes, &probing{
			source:    source{name: pod.Metadata.Name, component: pod.component(), address: pod.Status.PodIP, roles: []string{pod.component()}},
			namespace: r.Namespace,
			beside:    pod.Metadata.Name,
			declared:  pod.ports(),
		})
	}
	scrape := slices.Clone(args)
	for _, e := range endpoints {
		switch e.port {
		case 9090:
			scrape = append([]string{"-get", "http://" + e.address + "/metrics"}, scrape...)
		case 8222:
			scrape = append([]string{"-get", "http://" + e.address + "/varz"}, scrape...)
		}
	}
	probes = append(probes,
		&probing{source: source{name: "helm-test", component: "test", roles: []string{"test"}}, namespace: r.Namespace, labels: r.labels("test")},
		&probing{source: source{name: "nobody", roles: []string{anybody, namespace}}, namespace: r.Namespace},
		&probing{source: source{name: "elsewhere", roles: []string{anybody}}, namespace: elsewhere},
		&probing{source: source{name: "elsewhere-as-gateway", roles: []string{anybody}}, namespace: elsewhere, labels: r.labels("gateway")},
		&probing{source: source{name: "monitoring", roles: []string{anybody, monitoring}}, namespace: monitoringNamespace, args: scrape},
	)
	for _, p := range probes {
		if p.args == nil {
			p.args = args
		}
		p.start(t)
	}
	opened, closed := 0, 0
	for _, p := range probes {
		wrong, o, c := p.verdict(t, design, endpoints, name)
		require.Empty(t, wrong, "from %s:\n%s", p.name, strings.Join(wrong, "\n"))
		opened, closed = opened+o, closed+c
	}
	require.Positive(t, opened)
	t.Logf("%d sources × %d ports of pods and services: %d pairs tried, %d open, %d refused, as the design has it; in %.0f s",
		len(probes), len(endpoints), opened+closed, opened, closed, time.Since(began).Seconds())
	r.waitReady(time.Minute) // the kubelet's probes come through
}

// verdict is what is wrong with what a probe found. Somebody new in the cluster is known to the firewall a moment later, so that a probe of
// one's own is asked again before it counts; what is open the second time as well, and should not be, counts at once.
func (p *probing) verdict(t *testing.T, design map[arrow]bool, endpoints []endpoint, name string) (wrong []string, opened, closed int) {
	t.Helper()
	for attempt := 1; ; attempt++ {
		found := p.findings(t)
		wrong, opened, closed = p.judge(design, endpoints, found.open)
		if !slices.Contains(found.lines, "resolved "+name) {
			wrong = append(wrong, fmt.Sprintf("%s does not find %s: %v", p.name, name, found.lines))
		}
		for _, line := range found.lines {
			if strings.HasPrefix(line, "missed ") || strings.HasPrefix(line, "got ") && !strings.HasPrefix(line, "got 200 ") {
				wrong = append(wrong, fmt.Sprintf("%s: %s", p.name, line))
			}
			port, listens := strings.CutPrefix(line, "listens ")
			if number, _ := strconv.Atoi(port); listens && p.beside != "" && !slices.Contains(p.declared, number) {
				wrong = append(wrong, fmt.Sprintf("%s listens on %s, which its pod does not declare, and which nobody has tried", p.name, port))
			}
		}
		if len(wrong) == 0 || attempt == 3 || attempt > 1 && slices.ContainsFunc(wrong, isTooOpen) {
			return wrong, opened, closed
		}
		p.start(t)
	}
}

// pod is what is read of one.
type pod struct {
	Metadata struct {
		Name   string
		Labels map[string]string
	}
	Spec struct {
		Containers []struct {
			Ports []struct {
				Name          string
				ContainerPort int
			}
		}
	}
	Status struct{ PodIP string }
}

func (p pod) component() string { return p.Metadata.Labels["app.kubernetes.io/component"] }

func (p pod) ports() []int {
	var ports []int
	for _, c := range p.Spec.Containers {
		for _, port := range c.Ports {
			ports = append(ports, port.ContainerPort)
		}
	}
	return ports
}

// labels are those by which a policy knows a component.
func (r *release) labels(component string) map[string]string {
	return map[string]string{
		"app.kubernetes.io/name":      "atrium",
		"app.kubernetes.io/instance":  r.name,
		"app.kubernetes.io/component": component,
	}
}

// podsOf are the release's running pods; not those of `helm test`, which have ended.
func (r *release) podsOf(t testing.TB) []pod {
	t.Helper()
	var list struct{ Items []pod }
	out := r.Kubectl("get", "pods", "-l", "app.kubernetes.io/instance="+r.name, "--field-selector=status.phase=Running", "-o", "json")
	require.NoError(t, json.Unmarshal([]byte(out), &list))
	require.NotEmpty(t, list.Items)
	return list.Items
}

// endpoints are all ports of all pods, and of all services that have an address of their own.
func (r *release) endpoints(t testing.TB) []endpoint {
	t.Helper()
	var all []endpoint
	number := map[string]int{} // of a component's named port
	for _, p := range r.podsOf(t) {
		require.NotEmpty(t, p.ports(), p.Metadata.Name)
		for _, c := range p.Spec.Containers {
			for _, port := range c.Ports {
				number[p.component()+" "+port.Name] = port.ContainerPort
				all = append(all, endpoint{
					of:        p.Metadata.Name,
					component: p.component(),
					address:   net.JoinHostPort(p.Status.PodIP, strconv.Itoa(port.ContainerPort)),
					port:      port.ContainerPort,
				})
			}
		}
	}
	var list struct {
		Items []struct {
			Metadata struct {
				Name   string
				Labels map[string]string
			}
			Spec struct {
				ClusterIP string
				Ports     []struct {
					Port       int
					TargetPort string
				}
			}
		}
	}
	out := r.Kubectl("get", "services", "-l", "app.kubernetes.io/instance="+r.name, "-o", "json")
	require.NoError(t, json.Unmarshal([]byte(out), &list))
	for _, s := range list.Items {
		if s.Spec.ClusterIP == "None" {
			continue // its names lead to pods
		}
		component := s.Metadata.Labels["app.kubernetes.io/component"]
		for _, port := range s.Spec.Ports {
			target := number[component+" "+port.TargetPort]
			require.NotZero(t, target, "%s leads to %s", s.Metadata.Name, port.TargetPort)
			all = append(all, endpoint{
				of:        "service " + s.Metadata.Name,
				component: component,
				address:   net.JoinHostPort(s.Spec.ClusterIP, strconv.Itoa(port.Port)),
				port:      target,
				service:   true,
			})
		}
	}
	return all
}
