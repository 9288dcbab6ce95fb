package chart_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// workload is a pod template, and what makes pods of it.
type workload struct {
	kind, name string
	object     map[string]any
	pod        any
}

// workloads are all that become pods.
func workloads(all []map[string]any) []workload {
	var out []workload
	for _, o := range all {
		kind, _ := o["kind"].(string)
		w := workload{kind: kind, name: text(o, "metadata", "name"), object: o}
		switch kind {
		case "Deployment", "StatefulSet":
			w.pod = dig(o, "spec", "template", "spec")
		case "Pod":
			w.pod = dig(o, "spec")
		default:
			continue
		}
		out = append(out, w)
	}
	return out
}

// TestPods holds every pod of every value set to Pod Security "restricted" and to what a pod needs to be replaced without being missed.
func TestPods(t *testing.T) {
	t.Parallel()
	for set := range valueSets(t) {
		t.Run(set, func(t *testing.T) {
			t.Parallel()
			for _, w := range workloads(objects(t, []byte(render(t, set)))) {
				require.Equal(t, false, dig(w.pod, "automountServiceAccountToken"), w.name)
				require.Equal(t, true, dig(w.pod, "securityContext", "runAsNonRoot"), w.name)
				require.Equal(t, "RuntimeDefault", dig(w.pod, "securityContext", "seccompProfile", "type"), w.name)
				for _, c := range append(list(w.pod, "initContainers"), list(w.pod, "containers")...) {
					require.Equal(t, false, dig(c, "securityContext", "allowPrivilegeEscalation"), w.name)
					require.Equal(t, true, dig(c, "securityContext", "readOnlyRootFilesystem"), w.name)
					require.Equal(t, []any{"ALL"}, dig(c, "securityContext", "capabilities", "drop"), w.name)
					require.NotEmpty(t, text(c, "resources", "requests", "cpu"), w.name)
					require.NotEmpty(t, text(c, "resources", "limits", "memory"), w.name)
					require.Nil(t, dig(c, "resources", "limits", "cpu"), w.name)
					if w.kind != "Pod" && slices.ContainsFunc(list(w.pod, "containers"), func(of any) bool { return text(of, "name") == text(c, "name") }) {
						require.NotNil(t, dig(c, "readinessProbe"), w.name)
						require.NotNil(t, dig(c, "livenessProbe"), w.name)
					}
				}
			}
		})
	}
}

// TestServices says how each of the four services is rolled.
func TestServices(t *testing.T) {
	t.Parallel()
	for set := range valueSets(t) {
		t.Run(set, func(t *testing.T) {
			t.Parallel()
			all := objects(t, []byte(render(t, set)))
			full := map[bool]string{true: "mesh", false: "atrium"}[set == "external-nats"]
			for _, service := range []string{"auth", "users", "notifications", "gateway"} {
				name := full + "-" + service
				deployment := find(t, all, "Deployment", name)
				spec := dig(deployment, "spec")
				require.Equal(t, map[string]any{"maxUnavailable": 0, "maxSurge": 1}, dig(spec, "strategy", "rollingUpdate"))
				pod := dig(spec, "template", "spec")
				require.GreaterOrEqual(t, dig(pod, "terminationGracePeriodSeconds"), 28)
				require.NotNil(t, dig(pod, "containers", 0, "startupProbe"))
				require.Len(t, list(pod, "topologySpreadConstraints"), 2)
				find(t, all, "Service", name)
				admin := find(t, all, "Service", name+"-admin")
				require.Equal(t, "None", dig(admin, "spec", "clusterIP"))
				require.Equal(t, true, dig(admin, "spec", "publishNotReadyAddresses"))
				find(t, all, "ServiceAccount", name)

				autoscaled := set == "production" && service == "gateway"
				require.Equal(t, autoscaled, dig(spec, "replicas") == nil, "%s has replicas or an autoscaler", name)
				budget := slices.ContainsFunc(all, func(o map[string]any) bool {
					return o["kind"] == "PodDisruptionBudget" && text(o, "metadata", "name") == name
				})
				require.Equal(t, autoscaled || dig(spec, "replicas") != 1, budget, "%s has a budget when there is more than one", name)
			}
		})
	}
}

// TestReferences follows each secret, config map and volume that a pod names to the object, and the key, that the chart makes.
func TestReferences(t *testing.T) {
	t.Parallel()
	for set, given := range map[string][]string{
		"default": nil, "evaluation": nil, "minimal": nil,
		"production": {
			"atrium-admin", "atrium-smtp", "atrium-redis", "atrium-otlp", "postgres-ca", "atrium-auth-database", "atrium-users-database",
			"atrium-notifications-database", "atrium-auth-tls", "atrium-users-tls", "atrium-notifications-tls", "atrium-gateway-tls", "atrium-nats-tls",
		},
		"cloudnativepg": {
			"atrium-smtp", "atrium-postgres-ca", "atrium-auth-tls", "atrium-users-tls", "atrium-notifications-tls", "atrium-gateway-tls", "atrium-nats-tls",
		},
		"external-nats": {
			"atrium-smtp", "nats-ca", "auth-certificate", "users-certificate", "notifications-certificate", "gateway-certificate",
			"postgres-certificate", "auth-secrets", "users-secrets", "notifications-secrets", "gateway-secrets",
		},
	} {
		t.Run(set, func(t *testing.T) {
			t.Parallel()
			all := objects(t, []byte(render(t, set)))
			for _, w := range workloads(all) {
				for _, ref := range references(w.pod) {
					if slices.Contains(given, ref.name) {
						continue
					}
					target := find(t, all, ref.kind, ref.name)
					if ref.key != "" {
						require.Contains(t, target["data"], ref.key, "%s of %s", ref.name, w.name)
					}
				}
				volumes := append(list(w.pod, "volumes"), volumeClaims(w.object)...)
				for _, c := range append(list(w.pod, "initContainers"), list(w.pod, "containers")...) {
					for _, mount := range list(c, "volumeMounts") {
						require.True(t, slices.ContainsFunc(volumes, func(v any) bool { return text(v, "name") == text(mount, "name") }),
							"%s mounts %s", w.name, text(mount, "name"))
					}
				}
			}
		})
	}
}

type reference struct{ kind, name, key string }

// references are what the volumes of a pod are made of; TestSecretsAreFiles sees to it that there are no others.
func references(pod any) []reference {
	var out []reference
	add := func(kind, name string, items []any) {
		switch {
		case name == "":
		case len(items) == 0:
			out = append(out, reference{kind: kind, name: name})
		}
		for _, item := range items {
			out = append(out, reference{kind: kind, name: name, key: text(item, "key")})
		}
	}
	for _, v := range list(pod, "volumes") {
		add("Secret", text(v, "secret", "secretName"), list(v, "secret", "items"))
		add("ConfigMap", text(v, "configMap", "name"), list(v, "configMap", "items"))
		for _, s := range list(v, "projected", "sources") {
			add("Secret", text(s, "secret", "name"), list(s, "secret", "items"))
			add("ConfigMap", text(s, "configMap", "name"), list(s, "configMap", "items"))
		}
	}
	return out
}

func volumeClaims(object any) []any {
	var out []any
	for _, claim := range list(object, "spec", "volumeClaimTemplates") {
		out = append(out, map[string]any{"name": text(claim, "metadata", "name")})
	}
	return out
}

// TestTwoReleases renders two releases for one namespace: they share no object, and no selector.
func TestTwoReleases(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, release := range []string{"atrium", "other"} {
		out, err := helm(t, "template", release, chartFolder, "--namespace=mesh")
		require.NoError(t, err)
		for _, o := range objects(t, []byte(out)) {
			id := fmt.Sprint(o["kind"], " ", text(o, "metadata", "name"))
			require.False(t, seen[id], "%s is there twice", id)
			seen[id] = true
			if selector := dig(o, "spec", "selector"); selector != nil && o["kind"] == "Service" {
				require.Equal(t, release, text(selector, "app.kubernetes.io/instance"))
			}
		}
	}
}
