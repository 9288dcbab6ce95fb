package main

import (
	"bytes"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"
)

// hub is a registry with an image for two platforms (both:1), one (one:1), and no index (plain:1).
type hub struct{ host, both string }

func newHub(t *testing.T) hub {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(slog.NewLogLogger(slog.DiscardHandler, slog.LevelError))))
	t.Cleanup(server.Close)
	h := hub{host: strings.TrimPrefix(server.URL, "http://")}
	both := index(t, "amd64", "arm64")
	digest, err := both.Digest()
	require.NoError(t, err)
	h.both = digest.String()
	plain, err := random.Image(8, 1)
	require.NoError(t, err)
	require.NoError(t, remote.WriteIndex(h.tag(t, "both"), both))
	require.NoError(t, remote.WriteIndex(h.tag(t, "one"), index(t, "amd64")))
	require.NoError(t, remote.Write(h.tag(t, "plain"), plain))
	return h
}

func (h hub) tag(t *testing.T, image string) name.Tag {
	t.Helper()
	tag, err := name.NewTag(h.host + "/" + image + ":1")
	require.NoError(t, err)
	return tag
}

func index(t *testing.T, architectures ...string) v1.ImageIndex {
	t.Helper()
	var all v1.ImageIndex = empty.Index
	for _, architecture := range architectures {
		image, err := random.Image(8, 1)
		require.NoError(t, err)
		all = mutate.AppendManifests(all, mutate.IndexAddendum{
			Add:        image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}},
		})
	}
	return all
}

func TestReferences(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	nowhere := "sha256:" + strings.Repeat("a", 64)
	for reference, want := range map[string]string{
		"both:1":            "both:1@" + h.both,
		"both:1@" + h.both:  "both:1@" + h.both,
		"both:1@" + nowhere: "MANIFEST_UNKNOWN",
		"one:1":             "there is no image for linux/arm64",
		"plain:1":           "of one platform's image",
		"none:1":            "NAME_UNKNOWN",
	} {
		t.Run(reference, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			err := run(t.Context(), []string{h.host + "/" + reference}, &out)
			if strings.Contains(want, "@") {
				require.NoError(t, err)
				require.Equal(t, h.host+"/"+want+"\n", out.String())
				return
			}
			require.ErrorContains(t, err, want)
		})
	}
}

// TestValues writes into a file that people wrote, and changes nothing else in it.
func TestValues(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	values := func(image, auth, users string) string {
		return "# Where to begin.\nimage:\n  registry: example.com/atrium\n  digests:\n    # Of auth.\n    auth: " + auth +
			"\n    users: " + users + "\nnats:\n  bundled:\n    # Image of NATS.\n    image: " + image + "\nlast: true\n"
	}
	file := filepath.Join(t.TempDir(), "values.yaml")
	before := values(h.host+"/both:1", `""`, `""`)
	require.NoError(t, os.WriteFile(file, []byte(before), 0o600))
	a, u := "sha256:"+strings.Repeat("a", 64), "sha256:"+strings.Repeat("b", 64)

	err := run(t.Context(), []string{"-values", file, "-digest", "auth=" + a}, io.Discard)
	require.ErrorContains(t, err, "the chart has the images auth, users; -digest names auth")
	err = run(t.Context(), []string{"-values", file, "-digest", "auth=latest"}, io.Discard)
	require.ErrorContains(t, err, "is no digest")
	same, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, before, string(same))

	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-values", file, "-digest", "auth=" + a, "-digest", "users=" + u}, &out))
	after, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, values(h.host+"/both:1@"+h.both, a, u), string(after))
	require.Equal(t, h.host+"/both:1@"+h.both+"\nauth@"+a+"\nusers@"+u+"\n", out.String())
}

// TestChart: the chart's own values are a file that can be pinned.
func TestChart(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../charts/atrium/values.yaml")
	require.NoError(t, err)
	v, err := parse(raw)
	require.NoError(t, err)
	require.Equal(t, []string{"atrium", "auth", "gateway", "notifications", "users"}, v.own())
	var images []string
	for _, at := range v.images() {
		images = append(images, at.Value)
	}
	require.Len(t, images, 2)
	require.Contains(t, images[0], "docker.io/library/postgres:")
	require.Contains(t, images[1], "docker.io/library/nats:")
}
