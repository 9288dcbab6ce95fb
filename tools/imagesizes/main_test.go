package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// layout writes an image of one layer with n bytes, inside an index as an image for several platforms is.
func layout(t *testing.T, n int) (folder string, pulled int) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), "auth")
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "blobs", "sha256"), 0o755))
	var layer bytes.Buffer
	archive := gzip.NewWriter(&layer)
	_, err := archive.Write(bytes.Repeat([]byte("x"), n))
	require.NoError(t, err)
	require.NoError(t, archive.Close())
	blob := func(name, content string) string {
		require.NoError(t, os.WriteFile(filepath.Join(folder, "blobs", "sha256", name), []byte(content), 0o600))
		return fmt.Sprintf(`{"digest":"sha256:%s","size":%d}`, name, len(content))
	}
	image := blob("image", `{"layers":[`+blob("layer", layer.String())+`]}`)
	platforms := blob("platforms", `{"manifests":[`+image+`]}`)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "index.json"), []byte(`{"manifests":[`+platforms+`]}`), 0o600))
	return folder, layer.Len()
}

func TestSizes(t *testing.T) {
	t.Parallel()
	folder, pulled := layout(t, 3<<20)
	size, err := measure(folder)
	require.NoError(t, err)
	require.Equal(t, Size{Pulled: int64(pulled), Unpacked: 3 << 20}, size)

	var out strings.Builder
	require.NoError(t, run(&out, int64(pulled), []string{folder}))
	require.Regexp(t, `auth +0\.0 MiB +3\.0 MiB\n`, out.String())
	require.ErrorIs(t, run(&out, int64(pulled)-1, []string{folder}), errTooLarge)
	require.ErrorContains(t, run(&out, 1, []string{t.TempDir()}), "index.json")
}
