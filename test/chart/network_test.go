package chart_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNetworkPolicies holds the rendered policies against testdata/arrows.txt. An arrow that is missing breaks the mesh; one too many is a
// door. What goes out must also be let in.
func TestNetworkPolicies(t *testing.T) {
	t.Parallel()
	design := readArrows(t)
	all := objects(t, []byte(render(t, "default", "--set=nats.bundled.replicas=3")))
	out, in := arrows(all)
	var wantOut, wantIn []string
	for _, arrow := range design {
		source, target, _ := strings.Cut(arrow, " > ")
		outsider := slices.Contains([]string{"anybody", "namespace", "monitoring"}, source)
		if !outsider {
			wantOut = append(wantOut, arrow)
		}
		// Who is let in as one of everybody, or of the namespace, has no peer of its own.
		covered := slices.Contains(design, "anybody > "+target) || slices.Contains(design, "namespace > "+target)
		if outsider || !covered {
			wantIn = append(wantIn, arrow)
		}
	}
	require.ElementsMatch(t, wantOut, slices.Collect(maps.Keys(out)), "what goes out")
	require.ElementsMatch(t, wantIn, slices.Collect(maps.Keys(in)), "what is let in")

	for _, o := range all {
		if o["kind"] == "NetworkPolicy" && len(list(o, "spec", "ingress")) > 0 {
			require.Equal(t, []any{"Ingress"}, list(o, "spec", "policyTypes"), "kube-router takes a rule for both directions of its policy")
		}
	}
	deny := find(t, all, "NetworkPolicy", "atrium-default")
	require.ElementsMatch(t, []any{"Ingress", "Egress"}, list(deny, "spec", "policyTypes"))
	require.Empty(t, list(deny, "spec", "ingress"))
	require.Len(t, list(deny, "spec", "egress"), 1, "names only")
}

// TestNetworkPoliciesOfOthers: the monitoring namespace is whichever the values name, or none; ways in can be narrowed.
func TestNetworkPoliciesOfOthers(t *testing.T) {
	t.Parallel()
	admin := func(args ...string) []any {
		policy := find(t, objects(t, []byte(render(t, "default", args...))), "NetworkPolicy", "atrium-users")
		return list(policy, "spec", "ingress", 1, "from")
	}
	inNamespace := func(name string) any {
		return map[string]any{"namespaceSelector": map[string]any{"matchLabels": map[string]any{"kubernetes.io/metadata.name": name}}}
	}
	own := map[string]any{"podSelector": map[string]any{}}
	require.Equal(t, []any{own, inNamespace("monitoring")}, admin())
	require.Equal(t, []any{own, inNamespace("telemetry")}, admin("--set=monitoring.namespace=telemetry"))
	require.Equal(t, []any{own}, admin("--set=monitoring.namespace="))

	gateway := find(t, objects(t, []byte(render(t, "production"))), "NetworkPolicy", "atrium-gateway")
	require.Contains(t, list(gateway, "spec", "ingress", 0, "from"), inNamespace("ingress-nginx"))
}

// readArrows reads the design that the cluster's test tries, pair by pair.
func readArrows(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/arrows.txt")
	require.NoError(t, err)
	var design []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			design = append(design, line)
		}
	}
	return design
}

// TestNetworkPoliciesOutside is about what leaves for other people's servers.
func TestNetworkPoliciesOutside(t *testing.T) {
	t.Parallel()
	ports := func(set, component string) []int {
		all := objects(t, []byte(render(t, set)))
		name := map[bool]string{true: "mesh-", false: "atrium-"}[set == "external-nats"] + component
		var out []int
		for _, rule := range list(find(t, all, "NetworkPolicy", name+"-egress"), "spec", "egress") {
			if dig(rule, "to") != nil {
				continue
			}
			for _, p := range list(rule, "ports") {
				out = append(out, dig(p, "port").(int)) //nolint:forcetypeassert // egress has numbers
			}
		}
		return out
	}
	require.Equal(t, []int{5432, 25, 465, 587, 8443, 4318}, ports("production", "auth"), "and the service that knows breached passwords")
	require.Equal(t, []int{5432, 25, 465, 587, 4318}, ports("production", "notifications"))
	require.Equal(t, []int{6379, 4318}, ports("production", "gateway"))
	require.Equal(t, []int{4222}, ports("external-nats", "users"))
	require.Equal(t, []int{25, 465, 587}, ports("cloudnativepg", "notifications"))
	require.Equal(t, []int{25, 465, 587}, ports("cloudnativepg", "auth"))
}

// arrows are the pairs of components, and the port, of all rules: those that go out, and those that are let in. Sources outside of the
// release are called as in the design.
func arrows(all []map[string]any) (out, in map[string]bool) {
	out, in = map[string]bool{}, map[string]bool{}
	for _, o := range all {
		if o["kind"] != "NetworkPolicy" {
			continue
		}
		self := text(o, "spec", "podSelector", "matchLabels", component)
		for _, rule := range list(o, "spec", "egress") {
			for _, peer := range list(rule, "to") {
				other := text(peer, "podSelector", "matchLabels", component)
				out[self+" > "+other+" "+portOf(all, other, dig(rule, "ports", 0, "port"))] = true
			}
		}
		for _, rule := range list(o, "spec", "ingress") {
			port := portOf(all, self, dig(rule, "ports", 0, "port"))
			if dig(rule, "from") == nil {
				in["anybody > "+self+" "+port] = true
			}
			for _, peer := range list(rule, "from") {
				in[whoIs(peer)+" > "+self+" "+port] = true
			}
		}
	}
	return out, in
}

const component = "app.kubernetes.io/component"

// whoIs is what the design calls a peer; one that it has no word for is itself, which no line of the design is.
func whoIs(peer any) string {
	selector, _ := dig(peer, "podSelector").(map[string]any)
	switch {
	case text(selector, "matchLabels", component) != "" && dig(peer, "namespaceSelector") == nil:
		return text(selector, "matchLabels", component)
	case selector != nil && len(selector) == 0 && dig(peer, "namespaceSelector") == nil:
		return "namespace"
	case selector == nil && text(peer, "namespaceSelector", "matchLabels", "kubernetes.io/metadata.name") == "monitoring":
		return "monitoring"
	default:
		return fmt.Sprint(peer)
	}
}

// portOf is a port of a component as a number.
func portOf(all []map[string]any, of string, port any) string {
	if n, ok := port.(int); ok {
		return strconv.Itoa(n)
	}
	for _, w := range workloads(all) {
		if text(w.object, "metadata", "labels", component) != of {
			continue
		}
		for _, p := range list(w.pod, "containers", 0, "ports") {
			if text(p, "name") == port {
				return strconv.Itoa(dig(p, "containerPort").(int)) //nolint:forcetypeassert // a number
			}
		}
	}
	return "?"
}
