package chart_test

import (
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNetworkPolicies lists every arrow between components. One that is missing breaks the mesh; one too many is a door. What goes out must
// also be let in.
func TestNetworkPolicies(t *testing.T) {
	t.Parallel()
	want := []string{
		"auth > auth 8080", "auth > nats 4222", "auth > postgres 5432",
		"users > auth 8080", "users > nats 4222", "users > postgres 5432",
		"notifications > auth 8080", "notifications > nats 4222", "notifications > postgres 5432", "notifications > inbox 1025",
		"gateway > auth 8080", "gateway > users 8080", "gateway > notifications 8080", "gateway > nats 4222",
		"nats > nats 6222",
		"test > gateway 8080", "test > inbox 8025",
		"test > auth 9090", "test > users 9090", "test > notifications 9090", "test > gateway 9090",
	}
	all := objects(t, []byte(render(t, "default", "--set=nats.bundled.replicas=3")))
	out, in := arrows(all)
	slices.Sort(want)
	require.Equal(t, want, slices.Sorted(maps.Keys(out)))
	for arrow := range out {
		if arrow == "test > gateway 8080" {
			continue // the gateway is open to everybody
		}
		require.Contains(t, in, arrow)
	}
	for arrow := range in {
		require.Contains(t, out, arrow, "let in, but nobody goes there")
	}

	deny := find(t, all, "NetworkPolicy", "atrium-default")
	require.ElementsMatch(t, []any{"Ingress", "Egress"}, list(deny, "spec", "policyTypes"))
	require.Empty(t, list(deny, "spec", "ingress"))
	require.Len(t, list(deny, "spec", "egress"), 1, "names only")
}

// TestNetworkPoliciesOutside is about what leaves for other people's servers.
func TestNetworkPoliciesOutside(t *testing.T) {
	t.Parallel()
	ports := func(set, component string) []int {
		all := objects(t, []byte(render(t, set)))
		name := map[bool]string{true: "mesh-", false: "atrium-"}[set == "external-nats"] + component
		var out []int
		for _, rule := range list(find(t, all, "NetworkPolicy", name), "spec", "egress") {
			if dig(rule, "to") != nil {
				continue
			}
			for _, p := range list(rule, "ports") {
				out = append(out, dig(p, "port").(int)) //nolint:forcetypeassert // egress has numbers
			}
		}
		return out
	}
	require.Equal(t, []int{5432, 4318}, ports("production", "auth"))
	require.Equal(t, []int{5432, 25, 465, 587, 4318}, ports("production", "notifications"))
	require.Equal(t, []int{6379, 4318}, ports("production", "gateway"))
	require.Equal(t, []int{4222}, ports("external-nats", "users"))
	require.Equal(t, []int{25, 465, 587}, ports("cloudnativepg", "notifications"))
}

// arrows are the pairs of components, and the port, of all rules: those that go out, and those that are let in.
func arrows(all []map[string]any) (out, in map[string]bool) {
	out, in = map[string]bool{}, map[string]bool{}
	const component = "app.kubernetes.io/component"
	for _, o := range all {
		if o["kind"] != "NetworkPolicy" {
			continue
		}
		self := text(o, "spec", "podSelector", "matchLabels", component)
		for _, direction := range []string{"egress", "ingress"} {
			for _, rule := range list(o, "spec", direction) {
				for _, peer := range append(list(rule, "to"), list(rule, "from")...) {
					other := text(peer, "podSelector", "matchLabels", component)
					if other == "" {
						continue
					}
					port := portOf(all, map[bool]string{true: self, false: other}[direction == "ingress"], dig(rule, "ports", 0, "port"))
					if direction == "egress" {
						out[self+" > "+other+" "+port] = true
					} else {
						in[other+" > "+self+" "+port] = true
					}
				}
			}
		}
	}
	return out, in
}

// portOf is a port of a component as a number.
func portOf(all []map[string]any, component string, port any) string {
	if n, ok := port.(int); ok {
		return strconv.Itoa(n)
	}
	for _, w := range workloads(all) {
		if text(w.object, "metadata", "labels", "app.kubernetes.io/component") != component {
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
