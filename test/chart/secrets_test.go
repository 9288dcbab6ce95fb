package chart_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSecretsAreFiles: no container has a secret in its environment, which child processes inherit and crash handlers print. Each secret is a file that the pod's own group reads and nobody writes, and a service is told where.
func TestSecretsAreFiles(t *testing.T) {
	t.Parallel()
	secrets := secretVariables(t)
	for set := range valueSets(t) {
		t.Run(set, func(t *testing.T) {
			t.Parallel()
			for _, w := range workloads(objects(t, []byte(render(t, set)))) {
				for _, c := range append(list(w.pod, "initContainers"), list(w.pod, "containers")...) {
					require.Nil(t, dig(c, "envFrom"), w.name)
					for _, variable := range list(c, "env") {
						name := text(variable, "name")
						require.Nil(t, dig(variable, "valueFrom", "secretKeyRef"), "%s of %s", name, w.name)
						// The inbox takes mail without a password.
						catcher := name == "SMTP_URL" && strings.HasPrefix(text(variable, "value"), "smtp://atrium-inbox:1025")
						require.False(t, slices.Contains(secrets, name) && !catcher, "%s of %s is not a file", name, w.name)
						if file, ok := strings.CutSuffix(name, "_FILE"); ok && slices.Contains(secrets, file) {
							require.True(t, mounts(w, c, text(variable, "value")), "%s of %s is mounted", name, w.name)
						}
					}
					for _, word := range words(c) {
						require.NotRegexp(t, `://[^/@]+:[^/@]+@`, word, "%s has a password in its command or environment", w.name)
					}
				}
				for _, v := range list(w.pod, "volumes") {
					for _, kind := range []string{"secret", "projected"} {
						if dig(v, kind) != nil {
							require.Equal(t, 0o440, dig(v, kind, "defaultMode"), "%s of %s", text(v, "name"), w.name)
						}
					}
				}
			}
		})
	}
}

// TestEverySecretIsGiven: what each service needs reaches it, from where the values say, and nothing of another service's does.
func TestEverySecretIsGiven(t *testing.T) {
	t.Parallel()
	all := objects(t, []byte(render(t, "production", "--set=admin.email=a@example.com")))
	for service, want := range map[string][]reference{
		"auth": {
			{"Secret", "atrium-auth", "secret-key"},
			{"Secret", "atrium-auth", "nats-password"},
			{"Secret", "atrium-auth-database", "database-url"},
			{"Secret", "atrium-admin", "admin-password"},
			{"Secret", "atrium-smtp", "smtp-url"},
		},
		"notifications": {{"Secret", "atrium-smtp", "smtp-url"}},
		"gateway":       {{"Secret", "atrium-redis", "redis-url"}},
	} {
		pod := dig(find(t, all, "Deployment", "atrium-"+service), "spec", "template", "spec")
		require.Subset(t, references(pod), want, service)
	}
	for _, service := range meshServices {
		for _, ref := range references(dig(find(t, all, "Deployment", "atrium-"+service), "spec", "template", "spec")) {
			for _, other := range meshServices {
				foreign := other != service && strings.HasPrefix(ref.name, "atrium-"+other)
				if service == "auth" && ref.key == "service-secret" {
					continue // by which auth knows who a service is
				}
				require.False(t, foreign, "%s reads %s, a secret of %s", service, ref.name, other)
			}
		}
	}
	nats := dig(find(t, all, "StatefulSet", "atrium-nats"), "spec", "template", "spec")
	require.Contains(t, references(nats), reference{"Secret", "atrium-nats", "secrets.conf"})
}

// secretVariables are those that docs/configuration.md, which is generated from the code, marks as secret.
func secretVariables(t *testing.T) []string {
	t.Helper()
	page, err := os.ReadFile("../../docs/configuration.md")
	require.NoError(t, err)
	var names []string
	for _, found := range regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\(s\\)").FindAllStringSubmatch(string(page), -1) {
		names = append(names, found[1])
	}
	require.Contains(t, names, "SECRET_KEY")
	require.Contains(t, names, "DATABASE_URL")
	return names
}

// mounts says whether a file is in a volume of secrets that a container mounts read-only.
func mounts(w workload, container any, file string) bool {
	for _, mount := range list(container, "volumeMounts") {
		name, ok := strings.CutPrefix(file, text(mount, "mountPath")+"/")
		if !ok || dig(mount, "readOnly") != true {
			continue
		}
		for _, v := range list(w.pod, "volumes") {
			if text(v, "name") != text(mount, "name") {
				continue
			}
			for _, s := range list(v, "projected", "sources") {
				if slices.ContainsFunc(list(s, "secret", "items"), func(item any) bool { return text(item, "path") == name }) {
					return true
				}
			}
		}
	}
	return false
}

// words are a container's command line and environment.
func words(container any) []string {
	var out []string
	for _, key := range []string{"command", "args"} {
		for _, word := range list(container, key) {
			if s, ok := word.(string); ok {
				out = append(out, s)
			}
		}
	}
	for _, variable := range list(container, "env") {
		out = append(out, text(variable, "value"))
	}
	return out
}
