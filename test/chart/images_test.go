package chart_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func digest(of string) string { return "sha256:" + strings.Repeat(of, 64) }

// TestDigests: a digest that the values give is what runs, in every pod of that program. The release writes them into the chart it packages.
func TestDigests(t *testing.T) {
	t.Parallel()
	digests := map[string]string{}
	args := []string{"--set=nats.bundled.image=docker.io/library/nats:2.12-alpine@" + digest("e")}
	for i, name := range []string{"auth", "users", "notifications", "gateway", "atrium"} {
		digests[name] = digest(string("0123456789"[i]))
		args = append(args, "--set=image.digests."+name+"="+digests[name])
	}
	seen := map[string]bool{}
	for _, w := range workloads(objects(t, []byte(render(t, "default", args...)))) {
		for _, c := range append(list(w.pod, "initContainers"), list(w.pod, "containers")...) {
			image := text(c, "image")
			repository, got, _ := strings.Cut(image, "@")
			folder, name, _ := strings.Cut(repository, "/atrium/")
			if folder != "ghcr.io/atrium-mesh" {
				continue
			}
			name, _, _ = strings.Cut(name, ":")
			require.Equal(t, digests[name], got, "%s runs %s", w.name, image)
			seen[name] = true
		}
	}
	require.Len(t, seen, len(digests))
	without := objects(t, []byte(render(t, "default")))
	require.NotContains(t, text(find(t, without, "Deployment", "atrium-auth"), "spec", "template", "spec", "containers", 0, "image"), "@")
}
