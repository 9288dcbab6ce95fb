package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// platforms are those that the chart's own images are built for.
var platforms = []string{"linux/amd64", "linux/arm64"}

// pin is a reference with its digest, which is that of the index for all platforms: a digest of one platform's image would leave out the
// others. A digest that is there already is kept when the registry has it.
func pin(ctx context.Context, reference string) (string, error) {
	ref, err := name.ParseReference(reference)
	if err != nil {
		return "", fmt.Errorf("%s: %w", reference, err)
	}
	found, err := remote.Get(ref, remote.WithContext(ctx))
	if err != nil {
		return "", fmt.Errorf("%s: %w", reference, err)
	}
	if !found.MediaType.IsIndex() {
		return "", fmt.Errorf("%s: the digest is of one platform's image, not of the index of all", reference)
	}
	index, err := found.ImageIndex()
	if err != nil {
		return "", fmt.Errorf("%s: %w", reference, err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return "", fmt.Errorf("%s: %w", reference, err)
	}
	var has []string
	for _, m := range manifest.Manifests {
		if m.Platform != nil {
			has = append(has, m.Platform.OS+"/"+m.Platform.Architecture)
		}
	}
	for _, platform := range platforms {
		if !slices.Contains(has, platform) {
			return "", fmt.Errorf("%s: there is no image for %s", reference, platform)
		}
	}
	tagged, _, _ := strings.Cut(reference, "@")
	return tagged + "@" + found.Digest.String(), nil
}
